"""A dry run tells what `apply` would do, and does nothing."""

from decimal import Decimal
from typing import Any

from db.apply import Applied
from db.dry_run import Foreseen, Trial, foresee
from db.run_diffs import created_keys, note_differences
from db.staging import Origin
from domain.differences import LONGEST, MARK, Difference
from domain.entities import Entity
from domain.pages import Page, Pulled, Rejected
from domain.sync_settings import ConflictPolicy
from tests.db.dumps import tenant_dump
from tests.db.factories import category, customer, line, order, product, variant
from tests.db.room import Room
from tests.db.two_way import edit, second, take

PRODUCTS, CATEGORIES, CUSTOMERS, ORDERS = (
    Entity.PRODUCTS,
    Entity.CATEGORIES,
    Entity.CUSTOMERS,
    Entity.ORDERS,
)


async def look_ahead(
    room: Room, entity: Entity, *pulled: Pulled[Any], gone: tuple[str, ...] = (), **options: Any
) -> Foreseen:
    page: Page[Any] = Page(records=pulled, tombstones=gone)
    origin = Origin(room.tenant_id, room.store_id, force=options.pop("force", False))
    return await foresee(room.database, Trial(origin, entity, page, **options))


def only(seen: Foreseen, entity: Entity = PRODUCTS) -> Difference:
    [found] = [one for one in seen.differences if one.entity == entity.value]
    return found


async def dump(room: Room) -> dict[str, list[tuple[str, ...]]]:
    async with room.database.tenant(room.tenant_id) as connection:
        return await tenant_dump(connection)


async def test_every_kind_of_page_leaves_no_trace(room: Room) -> None:
    other = await second(room, ConflictPolicy.MANUAL)
    await take(room, PRODUCTS, product("1", variant("1v", sku="TEA"), title="Tea"))
    await take(other, PRODUCTS, product("9", variant("9v", sku="TEA"), title="Tea"))
    await edit(room, title="Best tea")
    before = await dump(room)
    seen = [
        await look_ahead(other, CATEGORIES, category("5")),
        await look_ahead(
            other,
            PRODUCTS,
            product("9", variant("9v", sku="TEA"), title="Fine tea", version=5),
            product("10", stock={"10": 4}),
        ),
        await look_ahead(other, PRODUCTS, gone=("9",)),
        await look_ahead(other, CUSTOMERS, customer("3")),
        await look_ahead(
            other,
            ORDERS,
            order("7", line("7-1", "9"), email="a@example.test", status="unknown"),
        ),
        await look_ahead(other, PRODUCTS, product("11", title="\0"), product("12")),
        await look_ahead(other, PRODUCTS, product("13", currency="EURO")),
    ]
    assert await dump(room) == before
    assert all(one.differences for one in seen)


async def test_a_new_record_is_told_whole_and_without_an_id(room: Room) -> None:
    found = only(await look_ahead(room, PRODUCTS, product("1", title="Tea", tags=("green",))))
    assert (found.action, found.key, found.external_id, found.record_id) == (
        "created",
        "1",
        "1",
        None,
    )
    assert found.fields["title"] == {"from": None, "to": "Tea"}
    assert found.fields["tags"] == {"from": None, "to": ["green"]}
    assert found.fields["variants.1.price"] == {"from": None, "to": "10"}
    assert "slug" not in found.fields


async def test_a_change_is_told_field_by_field(room: Room) -> None:
    await room.take(PRODUCTS, product("1", title="Tea", extra={"weight_class": 2}))
    record_id = await room.record_id("products", "1")
    seen = await look_ahead(
        room, PRODUCTS, product("1", version=1, title="Green tea", extra={"weight_class": 3})
    )
    assert only(seen) == Difference(
        "pull",
        "products",
        "1",
        "updated",
        "1",
        record_id,
        {
            "title": {"from": "Tea", "to": "Green tea"},
            "extra.weight_class": {"from": 2, "to": 3},
        },
    )
    assert seen.applied == Applied(updated=1)


async def test_what_stays_the_same_is_counted_and_not_told(room: Room) -> None:
    await room.take(PRODUCTS, product("1"))
    seen = await look_ahead(room, PRODUCTS, product("1"))
    assert seen == Foreseen(Applied(unchanged=1), (), 0)


async def test_a_deletion_is_told_with_what_would_be_lost(room: Room) -> None:
    await room.take(PRODUCTS, product("1", title="Tea"))
    found = only(await look_ahead(room, PRODUCTS, gone=("1", "2")))
    assert (found.action, found.external_id) == ("deleted", "1")
    assert found.fields["title"] == {"from": "Tea", "to": None}


async def test_an_order_is_told_with_its_lines_its_guest_and_the_stock_it_holds(
    room: Room,
) -> None:
    await room.take(PRODUCTS, product("5", stock={"5": 9}))
    seen = await look_ahead(
        room, ORDERS, order("1", line("1-1", "5", quantity=Decimal(2)), email="a@example.test")
    )
    told = {one.entity: one for one in seen.differences}
    assert told["orders"].action == "created"
    assert told["orders"].fields["lines"]["to"][0]["external_id"] == "1-1"
    assert told["customers"].action == "created"
    assert told["customers"].fields["email"] == {"from": None, "to": "a@example.test"}
    assert told["inventory"].fields == {"reserved": {"from": "0", "to": "2"}}
    assert told["inventory"].external_id == "5"


async def test_a_conflict_is_told_with_both_sides(room: Room) -> None:
    other = await second(room, ConflictPolicy.MANUAL)
    await take(other, PRODUCTS, product("9", title="Tea", description="hot"))
    await edit(room, title="Best tea")
    seen = await look_ahead(
        other, PRODUCTS, product("9", version=5, title="Fine tea", description="cold")
    )
    found = only(seen)
    assert found.action == "conflict"
    assert found.fields == {
        "description": {"from": "hot", "to": "cold"},
        "title": {"from": "Best tea", "to": "Fine tea", "isHeld": True},
    }
    assert seen.applied.conflicts == 1
    held = await take(
        other, PRODUCTS, product("9", version=5, title="Fine tea", description="cold")
    )
    assert held == seen.applied
    again = product("9", version=6, title="Fine tea", description="cold", slug="tea")
    assert only(await look_ahead(other, PRODUCTS, again)).action == "updated"


async def test_what_cannot_be_kept_is_told_with_the_reason(room: Room) -> None:
    page: Page[Any] = Page(
        records=(product("1", currency="EURO"), product("2")),
        rejected=(Rejected(None, 7, "not a product"),),
    )
    origin = Origin(room.tenant_id, room.store_id)
    seen = await foresee(room.database, Trial(origin, PRODUCTS, page))
    told = {
        one.key: (one.action, str(one.fields.get("reason", {}).get("to")))
        for one in seen.differences
    }
    assert told["#7"] == ("rejected", "not a product")
    assert told["1"][0] == "rejected"
    assert "cannot keep" in told["1"][1]
    assert told["2"][0] == "created"


async def test_the_pushes_it_would_cause_are_counted(room: Room) -> None:
    other = await second(room)
    seen = await look_ahead(other, PRODUCTS, product("1"), product("2"))
    assert (seen.queued, seen.applied.pushes) == (2, frozenset({room.store_id}))
    assert await room.rows("select count(*) from pushes") == [(0,)]


async def test_a_store_that_is_forced_wins_what_the_hub_changed(room: Room) -> None:
    other = await second(room)
    await take(other, PRODUCTS, product("9", title="Tea"))
    await edit(room, title="Best tea")
    assert (await look_ahead(other, PRODUCTS, product("9", title="Tea"))).differences == ()
    forced = await look_ahead(other, PRODUCTS, product("9", title="Tea"), force=True)
    assert only(forced).fields == {"title": {"from": "Best tea", "to": "Tea"}}


async def test_long_texts_and_lists_are_cut_with_a_mark(room: Room) -> None:
    tags = tuple(f"tag-{number:04}" for number in range(600))
    sold = [variant(f"1-{number}") for number in range(300)]
    long = product("1", *sold, description="x" * 5_000, tags=tags)
    fields = only(await look_ahead(room, PRODUCTS, long)).fields
    assert fields["description"]["to"] == "x" * LONGEST + MARK
    *kept, mark = fields["tags"]["to"]
    assert (kept, mark) == (list(tags[: len(kept)]), MARK)
    assert 150 < len(kept) < 200
    assert len(fields) == 201
    assert fields["…"]["to"].endswith("more fields")


async def new_run(room: Room) -> int:
    [(run_id,)] = await room.rows(
        "insert into sync_runs (tenant_id, store_id, kind, workflow_id, workflow_run_id, status,"
        " is_dry) values (:tenant, :store, 'demand', 'demand/1/x', 'r', 'in_progress', true)"
        " returning id",
        tenant=room.tenant_id,
    )
    return int(run_id)


async def test_categories_of_an_earlier_page_count_as_there(room: Room) -> None:
    await room.take(CATEGORIES, category("4"))
    run_id = await new_run(room)
    seen = await look_ahead(room, CATEGORIES, category("5"), category("6", parent="5"))
    async with room.database.tenant(room.tenant_id) as connection:
        await note_differences(connection, room.tenant_id, run_id, "1", seen.differences)
        assert await created_keys(connection, run_id, CATEGORIES, ["4", "5"]) == {"5"}
    page = product("1", category_external_ids=("4", "5", "77"))
    known = only(await look_ahead(room, PRODUCTS, page, run_id=run_id))
    assert known.fields["category_external_ids"] == {"from": None, "to": ["4", "5"]}
    child = only(
        await look_ahead(room, CATEGORIES, category("8", parent="5"), run_id=run_id), CATEGORIES
    )
    assert child.fields["parent_external_id"] == {"from": None, "to": "5"}
    alone = only(await look_ahead(room, PRODUCTS, page))
    assert alone.fields["category_external_ids"] == {"from": None, "to": ["4"]}
