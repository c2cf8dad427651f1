"""The rows of lanes: turns, sleep and waking, failures and what the store shows of them."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from db.lane_failures import (
    clear_lane_failure,
    resume_lane,
    resume_store_lanes,
    show_attempt,
)
from db.lanes import (
    LaneKey,
    Woken,
    has_due,
    is_mine,
    next_due,
    postpone_lane,
    stay_awake,
)
from db.session import Database
from domain.lanes import LaneKind
from tests.db.lane_rows import (
    LATER,
    NOW,
    add_event,
    add_push,
    fail,
    inbox,
    logged,
    push,
    row,
    shown,
    sleep,
    turn,
    wake,
)
from tests.db.room import Room, new_room, new_store


async def test_the_first_to_wake_a_lane_is_told_so_and_the_others_are_not(room: Room) -> None:
    lane = push(room)
    assert await wake(room, lane) == Woken("woocommerce")
    assert await wake(room, lane) is None
    taken = await turn(room, lane)
    assert await wake(room, lane) is None
    assert await sleep(room, lane, taken.epoch)
    assert await wake(room, lane) == Woken("woocommerce")


async def test_an_alert_lane_is_the_tenants_and_needs_no_store(room: Room) -> None:
    lane = LaneKey(room.tenant_id, LaneKind.ALERT, room.tenant_id)
    assert await wake(room, lane) == Woken(None)
    assert await wake(room, lane) is None


@pytest.mark.parametrize("state", [{"is_active": False}, {"deleted_at": NOW}])
async def test_a_store_that_is_not_active_has_no_lane_to_wake(
    app: Database, room: Room, state: dict[str, Any]
) -> None:
    store_id = await new_store(app, room.tenant_id, **state)
    assert await wake(room, LaneKey(room.tenant_id, LaneKind.PUSH, store_id)) is None


async def test_a_store_of_another_tenant_is_not_woken(
    app: Database, owner: Database, room: Room
) -> None:
    other = await new_room(app, owner)
    assert await wake(room, LaneKey(room.tenant_id, LaneKind.PUSH, other.store_id)) is None


async def test_a_new_turn_takes_the_lane_from_the_one_before(room: Room) -> None:
    lane = push(room)
    first, second = await turn(room, lane), await turn(room, lane)
    assert (first.epoch, second.epoch) == (1, 2)
    async with room.database.tenant(room.tenant_id) as connection:
        assert await is_mine(connection, lane, 2)
        assert not await is_mine(connection, lane, 1)
        assert not await stay_awake(connection, lane, 1)
        assert not await postpone_lane(connection, lane, 1, NOW)
        assert not await clear_lane_failure(connection, lane, 1, NOW)
    assert not await sleep(room, lane, 1)
    assert not await fail(room, lane, 1, failures=1, again=NOW)
    assert (await row(room, lane))["awake"] is True
    assert await shown(room) == (None, 0, None, None)


async def test_a_waiting_lane_is_not_woken_and_waits_until_its_time(room: Room) -> None:
    lane = push(room)
    taken = await turn(room, lane)
    assert await fail(room, lane, taken.epoch, failures=1, again=NOW + LATER)
    assert await wake(room, lane) is None
    early = await turn(room, lane, NOW + LATER - timedelta(seconds=1))
    assert (early.next_attempt_at, early.failures) == (NOW + LATER, 1)
    assert (await row(room, lane))["awake"] is False
    due = await turn(room, lane, NOW + LATER)
    assert (due.next_attempt_at, due.failures) == (None, 1)
    assert (await row(room, lane))["awake"] is True


async def test_a_paused_lane_stands_still_until_it_is_resumed(room: Room) -> None:
    lane = push(room)
    taken = await turn(room, lane)
    assert await fail(room, lane, taken.epoch, failures=5, again=None)
    assert await wake(room, lane) is None
    assert (await turn(room, lane, NOW + timedelta(days=9))).paused_reason == "the shop is down"
    assert (await row(room, lane))["awake"] is False
    async with room.database.tenant(room.tenant_id) as connection:
        assert await resume_lane(connection, lane)
        assert not await resume_lane(connection, lane)
    assert await wake(room, lane) == Woken("woocommerce")
    resumed = await turn(room, lane)
    assert (resumed.failures, resumed.paused_reason, resumed.last_error) == (0, None, None)


async def test_new_keys_resume_both_lanes_of_a_store(room: Room) -> None:
    for lane in (push(room), inbox(room)):
        await fail(room, lane, (await turn(room, lane)).epoch, failures=1, again=None)
    async with room.database.tenant(room.tenant_id) as connection:
        resumed = await resume_store_lanes(connection, room.tenant_id, room.store_id)
        again = await resume_store_lanes(connection, room.tenant_id, room.store_id)
    assert (resumed, again) == ((LaneKind.INBOX, LaneKind.PUSH), ())
    assert (await shown(room))[:3] == (None, 0, None)


async def test_a_failure_is_shown_on_the_store_and_in_its_log_until_the_lane_recovers(
    room: Room,
) -> None:
    lane = push(room)
    await add_push(room, entity="inventory")
    first = await turn(room, lane)
    assert await fail(room, lane, first.epoch, failures=1, again=NOW + LATER)
    assert await shown(room) == ("the shop is down", 1, NOW + LATER, NOW)
    second = await turn(room, lane, NOW + LATER)
    async with room.database.tenant(room.tenant_id) as connection:
        assert await clear_lane_failure(connection, lane, second.epoch, NOW + LATER)
        assert not await clear_lane_failure(connection, lane, second.epoch, NOW + LATER)
    assert await shown(room) == (None, 0, None, NOW + LATER)
    assert await logged(room) == [
        ("update_inventory", "failed", "push lane", "the shop is down", 1),
        ("update_inventory", "success", "push lane", None, 2),
    ]


@pytest.mark.parametrize(
    ("kind", "entity", "action"),
    [
        ("inbox", "orders", "receive_order"),
        ("inbox", "products", "sync_products"),
        ("push", "orders", "update_order_status"),
        ("push", "customers", "sync_customers"),
        ("push", None, "sync_products"),
    ],
)
async def test_the_log_says_in_the_documents_words_what_the_lane_was_at(
    room: Room, kind: str, entity: str | None, action: str
) -> None:
    lane = LaneKey(room.tenant_id, LaneKind(kind), room.store_id)
    if entity:
        await (add_event if lane.kind is LaneKind.INBOX else add_push)(room, entity=entity)
    taken = await turn(room, lane)
    await fail(room, lane, taken.epoch, failures=1, again=NOW)
    assert [one[0] for one in await logged(room)] == [action]


async def test_a_lane_that_recovers_does_not_hide_the_other_that_still_fails(room: Room) -> None:
    lanes = push(room), inbox(room)
    epochs = [(await turn(room, lane)).epoch for lane in lanes]
    await fail(room, lanes[0], epochs[0], failures=3, again=NOW + LATER)
    await fail(room, lanes[1], epochs[1], failures=1, again=NOW + 2 * LATER)
    assert (await shown(room))[1:3] == (3, NOW + LATER)
    async with room.database.tenant(room.tenant_id) as connection:
        await clear_lane_failure(connection, lanes[0], epochs[0], NOW)
    assert await shown(room) == ("the shop is down", 1, NOW + 2 * LATER, NOW)


async def test_an_attempt_is_shown_and_an_older_one_does_not_hide_it(room: Room) -> None:
    async with room.database.tenant(room.tenant_id) as connection:
        await show_attempt(connection, push(room), NOW)
        await show_attempt(connection, push(room), NOW - LATER)
        await show_attempt(connection, LaneKey(room.tenant_id, LaneKind.ALERT, 1), NOW)
    assert (await shown(room))[3] == NOW


async def test_what_is_due_and_what_comes_next_is_decided_by_the_time_handed_in(
    room: Room,
) -> None:
    async def look(now: datetime) -> tuple[bool, datetime | None]:
        async with room.database.tenant(room.tenant_id) as connection:
            return await has_due(connection, push(room), now), await next_due(
                connection, push(room), now
            )

    await add_push(room, 1, next=NOW + LATER)
    await add_push(room, 2, next=NOW + 2 * LATER)
    await add_push(room, 3, status="failed")
    assert await look(NOW) == (False, NOW + LATER)
    assert await look(NOW + LATER) == (True, NOW + 2 * LATER)
    assert await look(NOW + 2 * LATER) == (True, None)
