"""Which lanes the sweeper finds late."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from db.lanes import (
    LaneKey,
)
from db.overdue_lanes import OverdueLane, list_overdue_lanes
from db.session import Database
from domain.lanes import LaneKind
from tests.db.lane_rows import (
    NOW,
    add_event,
    add_push,
    fail,
    inbox,
    push,
    turn,
    wake,
)
from tests.db.room import Room


async def overdue(app: Database, room: Room, now: datetime) -> list[OverdueLane]:
    """This tenant's late lanes."""
    async with app.lookup() as connection:
        found = await list_overdue_lanes(connection, now, timedelta(seconds=5), most=10_000)
    ours = [one for one in found if one.lane.tenant_id == room.tenant_id]
    return sorted(ours, key=lambda one: one.lane.name)


async def test_lanes_with_rows_that_are_late_are_found_whatever_their_rows_say(
    app: Database, room: Room
) -> None:
    await add_push(room, created=NOW)
    await add_event(room)
    at_five = NOW + timedelta(seconds=5)
    late = [
        OverdueLane(lane, "woocommerce", NOW, is_alive=False) for lane in (inbox(room), push(room))
    ]
    assert await overdue(app, room, at_five - timedelta(milliseconds=1)) == []
    assert await overdue(app, room, at_five) == late
    await wake(room, push(room))
    await turn(room, inbox(room))
    found = {one.lane.kind: one for one in await overdue(app, room, at_five)}
    assert found[LaneKind.PUSH] == late[1]
    assert found[LaneKind.INBOX].is_alive
    long_after = datetime.now(UTC) + timedelta(minutes=1)
    assert [one.is_alive for one in await overdue(app, room, long_after)] == [False, False]


async def test_lanes_that_wait_are_paused_or_belong_to_an_inactive_store_are_not_late(
    app: Database, room: Room
) -> None:
    await add_push(room, created=NOW)
    await add_event(room)
    await fail(room, push(room), (await turn(room, push(room))).epoch, failures=1, again=NOW)
    await fail(room, inbox(room), (await turn(room, inbox(room))).epoch, failures=1, again=None)
    soon, later = NOW + timedelta(seconds=4), NOW + timedelta(seconds=5)
    assert await overdue(app, room, soon) == []
    assert [one.lane for one in await overdue(app, room, later)] == [push(room)]
    await room.rows("update stores set is_active = false where id = :store")
    assert await overdue(app, room, later) == []


async def test_an_event_that_waits_behind_another_of_its_record_is_not_late(
    app: Database, room: Room
) -> None:
    await add_event(room, next=NOW + timedelta(hours=1))
    await add_event(room)
    later = NOW + timedelta(minutes=10)
    assert await overdue(app, room, later) == []
    await add_event(room, external="8")
    assert [one.since for one in await overdue(app, room, later)] == [NOW]
    assert len(await overdue(app, room, NOW + timedelta(hours=1, seconds=5))) == 1


async def test_alerts_that_nobody_was_told_of_are_late_too(app: Database, room: Room) -> None:
    await room.rows(
        "with made as (insert into alerts (tenant_id, kind, subject, event, title, message)"
        " values (:tenant, 'loop', 'x', 'alert.raised', 't', 'm') returning id)"
        " insert into alert_messages (tenant_id, alert_id, created_at)"
        " select :tenant, id, :now from made",
        tenant=room.tenant_id,
        now=NOW,
    )
    lane = LaneKey(room.tenant_id, LaneKind.ALERT, room.tenant_id)
    assert await overdue(app, room, NOW + timedelta(seconds=5)) == [
        OverdueLane(lane, None, NOW, is_alive=False)
    ]


async def test_the_look_across_tenants_shows_no_content(app: Database, room: Room) -> None:
    async with app.lookup() as connection:
        for table in ("lanes", "webhook_events", "pushes", "alert_messages"):
            found = await connection.execute(text(f"select count(*) from {table}"))
            assert found.scalar_one() == 0
