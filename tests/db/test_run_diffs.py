"""What dry runs found is kept once per record, for a day, and for its tenant alone."""

from datetime import UTC, datetime, timedelta

from db.run_diffs import (
    KEPT_FOR,
    DiffFilter,
    count_diffs,
    count_following,
    discard_old,
    following,
    list_diffs,
    note_differences,
)
from db.session import Database
from domain.differences import Difference
from domain.entities import Entity
from runtime.sweeper import sweep_once
from tests.db.room import Room, new_room


async def new_run(room: Room, workflow_id: str = "demand/1/a", *, is_dry: bool = True) -> int:
    [(run_id,)] = await room.rows(
        "insert into sync_runs (tenant_id, store_id, kind, workflow_id, workflow_run_id, status,"
        " is_dry) values (:tenant, :store, 'demand', :workflow, 'r', 'in_progress', :dry)"
        " returning id",
        tenant=room.tenant_id,
        workflow=workflow_id,
        dry=is_dry,
    )
    return int(run_id)


def title(key: str, value: str, action: str = "updated") -> Difference:
    change = {"title": {"from": "Tea", "to": value}}
    return Difference("pull", "products", key, action, key, 1, change)


async def note(room: Room, run_id: int, place: str, *found: Difference) -> list[Difference]:
    async with room.database.tenant(room.tenant_id) as connection:
        return await note_differences(connection, room.tenant_id, run_id, place, found)


async def test_a_record_is_told_once_and_by_its_last_word(room: Room) -> None:
    run_id = await new_run(room)
    assert await note(room, run_id, "1", title("1", "A", "created"), title("2", "B")) == []
    again = title("1", "C")
    assert await note(room, run_id, "2", again) == [again]
    async with room.database.tenant(room.tenant_id) as connection:
        rows = await list_diffs(connection, run_id, DiffFilter(), after=0, limit=9)
    assert [(one.external_id, one.action, one.fields["title"]["to"]) for one in rows] == [
        ("1", "created", "C"),
        ("2", "updated", "B"),
    ]


async def test_two_words_of_one_step_are_one_row(room: Room) -> None:
    run_id = await new_run(room)
    assert await note(room, run_id, "1", title("1", "A"), title("1", "B")) == []
    assert await room.rows("select fields -> 'title' ->> 'to' from run_diffs") == [("B",)]


async def test_rows_are_paged_filtered_and_counted(room: Room) -> None:
    run_id = await new_run(room)
    gone = Difference("pull", "products", "9", "deleted", "9")
    push = Difference("push", "customers", "5", "create", None, 5)
    found = (title("1", "A"), title("2", "B"), gone, push)
    await note(room, run_id, "1", *found, following(Entity.PRODUCTS, "1", 3))
    await note(room, run_id, "2", following(Entity.PRODUCTS, "2", 4))
    async with room.database.tenant(room.tenant_id) as connection:
        first = await list_diffs(connection, run_id, DiffFilter(), after=0, limit=3)
        last = await list_diffs(connection, run_id, DiffFilter(), after=first[-1].id, limit=3)
        of_products = DiffFilter("products", "deleted")
        filtered = await list_diffs(connection, run_id, of_products, after=0, limit=3)
        counts = await count_diffs(connection, run_id)
        pushes = await count_following(connection, run_id)
    assert [one.external_id for one in (*first, *last)] == ["1", "2", "9", None]
    assert [one.external_id for one in filtered] == ["9"]
    assert [(one.way, one.entity, one.action, one.count) for one in counts] == [
        ("pull", "products", "deleted", 1),
        ("pull", "products", "updated", 2),
        ("push", "customers", "create", 1),
    ]
    assert pushes == 7


async def test_only_the_tenant_sees_them(room: Room, app: Database, owner: Database) -> None:
    run_id = await new_run(room, "demand/1/own")
    await note(room, run_id, "1", title("1", "A"))
    other = await new_room(app, owner)
    async with app.tenant(other.tenant_id) as connection:
        assert await list_diffs(connection, run_id, DiffFilter(), after=0, limit=9) == []


async def test_they_go_after_a_day_whoever_they_are_of(
    room: Room, app: Database, owner: Database
) -> None:
    rooms = (room, await new_room(app, owner))
    for one in rooms:
        await note(one, await new_run(one), "1", title("1", "A"), title("2", "B"))
    now = datetime.now(UTC)
    assert await sweep_once(app, now=now + KEPT_FOR - timedelta(minutes=1))
    assert await room.rows("select count(*) from run_diffs") == [(2,)]
    async with app.lookup() as connection:
        later = now + KEPT_FOR + timedelta(minutes=1)
        assert await discard_old(connection, later, most=1) == 1
    assert await sweep_once(app, now=now + KEPT_FOR + timedelta(minutes=1))
    for one in rooms:
        assert await one.rows("select count(*) from run_diffs") == [(0,)]
        assert await one.rows("select count(*) from sync_runs") == [(1,)]
