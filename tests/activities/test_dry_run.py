"""Page after page, a dry run counts and notes what the real one then does."""

from typing import Any

import pytest

from activities.dry_run import note_page
from activities.lanes import LeftToSweeper
from activities.models import Counts, PullMode
from activities.taking import Home, Step, take_page
from db.ranges import RangeKey, RangeMovedError
from db.run_diffs import count_following
from domain.entities import Entity
from domain.pages import Page, Pulled, Rejected
from tests.activities.push_room import PushRoom
from tests.db.dumps import tenant_dump
from tests.db.factories import category, customer, order, product

CATEGORIES, PRODUCTS, CUSTOMERS, ORDERS = (
    Entity.CATEGORIES,
    Entity.PRODUCTS,
    Entity.CUSTOMERS,
    Entity.ORDERS,
)
OWN = {"run_diffs", "sync_ranges"}
"""All a page of a dry run writes."""

_RUN = (
    "insert into sync_runs (tenant_id, store_id, kind, workflow_id, workflow_run_id, status,"
    " is_dry) values (:tenant, :store, 'demand', 'demand/1/x', 'r', 'in_progress', :dry)"
    " returning id"
)


def page(*pulled: Pulled[Any], **parts: Any) -> Page[Any]:
    return Page(records=pulled, **parts)


WALK: dict[Entity, list[Page[Any]]] = {
    CATEGORIES: [page(category("1"), category("2", parent="1")), page(category("3", parent="2"))],
    PRODUCTS: [
        page(
            product("10", category_external_ids=("1", "3"), stock={"10": 5}),
            product("11", currency="EURO"),
            product("12", title="Before"),
        ),
        # A list that moved shows a record again, and one was edited meanwhile.
        page(
            product("10", category_external_ids=("1", "3"), stock={"10": 5}),
            product("12", version=1, title="After"),
            product("13"),
            rejected=(Rejected("14", 3, "no product"),),
        ),
        page(product("15"), tombstones=("99", "13x")),
    ],
    CUSTOMERS: [page(customer("20"), customer("21", "b@example.test"))],
    ORDERS: [
        page(order("30", customer="20"), order("31", email="guest@example.test")),
        page(order("32", email="guest@example.test")),
    ],
}


async def new_run(room: PushRoom, *, is_dry: bool) -> int:
    [(run_id,)] = await room.home.rows(_RUN, tenant=room.home.tenant_id, dry=is_dry)
    return int(run_id)


async def walk(room: PushRoom, run_id: int, take: Any, mode: PullMode) -> dict[Entity, Counts]:
    home = Home(room.home.database, room.lane)
    total: dict[Entity, Counts] = {}
    for entity, pages in WALK.items():
        key = RangeKey(room.home.tenant_id, run_id, entity, "demand-0")
        for number, one in enumerate(pages):
            step = Step(
                place=str(number),
                resume=str(number + 1),
                behind=str(number) if number else "",
                is_done=number + 1 == len(pages),
                mode=mode,
            )
            counts = await take(home, room.home.store_id, key, one, step)
            total[entity] = total.get(entity, Counts()) + counts
    return total


async def dump(room: PushRoom) -> dict[str, Any]:
    async with room.home.database.tenant(room.home.tenant_id) as connection:
        return await tenant_dump(connection)


@pytest.mark.parametrize("mode", [PullMode.IMPORT, PullMode.KEEP_UP])
async def test_a_walk_is_counted_as_it_then_happens_and_writes_its_own_rows_alone(
    room: PushRoom, mode: PullMode
) -> None:
    run_id = await new_run(room, is_dry=True)
    before = await dump(room)
    dry = await walk(room, run_id, note_page, mode)
    after = await dump(room)
    assert {name for name, rows in after.items() if rows != before[name]} == OWN
    assert room.lane.woken == []
    told = await room.home.rows(
        "select entity, action, external_id, fields from run_diffs"
        " where way = 'pull' and entity in ('categories', 'products', 'customers', 'orders')"
        " order by 1, 3"
    )
    real = await walk(room, await new_run(room, is_dry=False), take_page, mode)
    # An edit between two pages makes an update of what the dry run would have created by then.
    changed = {entity: (one.created, one.deleted, one.rejected) for entity, one in dry.items()}
    assert changed == {
        entity: (one.created, one.deleted, one.rejected) for entity, one in real.items()
    }
    assert {entity: one.seen for entity, one in dry.items()} == {
        entity: one.seen for entity, one in real.items()
    }
    made = await room.home.rows(
        "select entity, external_id from links where store_id = :store and entity <> 'variants'"
        " order by 1, 2"
    )
    created = [(row[0], row[2]) for row in told if row[1] == "created"]
    assert created == made
    assert [row[2] for row in told if row[1] == "rejected"] == ["11", "14"]
    fields = {row[2]: row[3] for row in told}
    titles = await room.home.rows(
        "select l.external_id, p.title from products p join links l on l.record_id = p.id"
        " where l.entity = 'products'"
    )
    assert {key: fields[key]["title"]["to"] for key, _ in titles} == dict(titles)
    linked = await room.home.rows(
        "select array_agg(l.external_id order by l.external_id) from products p"
        " cross join unnest(p.category_ids) c join links l on l.record_id = c"
        " where l.entity = 'categories' and p.title = 'Product 10'"
    )
    assert [(fields["10"]["category_external_ids"]["to"],)] == linked
    assert fields["3"]["parent_external_id"] == {"from": None, "to": "2"}


async def test_the_pushes_that_would_follow_are_told_as_a_number(room: PushRoom) -> None:
    await room.away.rows(
        "update stores set settings = jsonb_set(settings, '{pushImported}', 'true')"
    )
    run_id = await new_run(room, is_dry=True)
    await walk(room, run_id, note_page, PullMode.KEEP_UP)
    async with room.home.database.tenant(room.home.tenant_id) as connection:
        foreseen = await count_following(connection, run_id)
    await walk(room, await new_run(room, is_dry=False), take_page, PullMode.KEEP_UP)
    [(due,)] = await room.home.rows("select count(*) from pushes")
    # A record that two pages tell of is one row of the outbox, and counted by both.
    assert due <= foreseen <= due + 3
    assert due > 0


async def test_a_step_that_runs_twice_notes_and_counts_once(room: PushRoom) -> None:
    run_id = await new_run(room, is_dry=True)
    key = RangeKey(room.home.tenant_id, run_id, PRODUCTS, "demand-0")
    home = Home(room.home.database, LeftToSweeper())
    step = Step(place="0", resume="1", behind="", is_done=True)
    assert (await note_page(home, room.home.store_id, key, WALK[PRODUCTS][0], step)).created == 2
    before = await dump(room)
    with pytest.raises(RangeMovedError):
        await note_page(home, room.home.store_id, key, WALK[PRODUCTS][0], step)
    assert await dump(room) == before
