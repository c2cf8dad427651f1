from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from db.apply import Applied, apply
from db.ranges import database_clock
from domain.entities import Entity
from domain.pages import Page
from domain.records import Record
from tests.db.factories import at, category, product, variant
from tests.db.room import Room

PRODUCTS, CATEGORIES = Entity.PRODUCTS, Entity.CATEGORIES

VARIANTS = (
    "select l.external_id, v.position, v.price, v.deleted_at is null, l.deleted_at is null"
    " from product_variants v join links l on l.record_id = v.id and l.entity = 'variants'"
    " order by 1"
)


async def test_a_new_product_is_written_with_its_link_its_variants_and_one_change(
    room: Room,
) -> None:
    await room.take(CATEGORIES, category("4", "Tea"), category("2", "Gifts"))
    red = variant("11", "9.5", sku="R", title="Red", option_values={"Colour": "Red"})
    blue = variant("12", None, sku="B", title="Blue", compare_at_price=Decimal("12.3456"))
    new = product(
        "10",
        red,
        blue,
        title="Café ☕",
        category_external_ids=("4", "2"),
        tags=("a", "b"),
        version=7,
    )
    assert await room.take(PRODUCTS, new) == Applied(created=1)
    tea, gifts = [await room.record_id("categories", key) for key in ("4", "2")]
    assert await room.rows(
        "select title, status, currency, category_ids, tags, deleted_at from products"
    ) == [("Café ☕", "active", "EUR", [tea, gifts], ["a", "b"], None)]
    assert await room.rows(
        "select sku, title, price, compare_at_price, currency, option_values, position"
        " from product_variants order by position"
    ) == [
        ("R", "Red", Decimal("9.5000"), None, "EUR", {"Colour": "Red"}, 1),
        ("B", "Blue", None, Decimal("12.3456"), "EUR", {}, 2),
    ]
    assert await room.rows(
        "select entity, external_id, version, base is null from links where entity <> 'categories'"
        " order by 1, 2"
    ) == [
        ("products", "10", at(7), False),
        ("variants", "11", None, True),
        ("variants", "12", None, True),
    ]
    assert (await room.changes())[2:] == [(3, "products", "10", "created")]


async def test_a_product_is_created_then_unchanged_then_updated_then_deleted_then_restored(
    room: Room,
) -> None:
    first, second = product("1", version=1), product("1", title="New", version=2)
    outcomes = [
        await room.take(PRODUCTS, first),
        await room.take(PRODUCTS, first),
        await room.take(PRODUCTS, second),
        await room.take(PRODUCTS, gone=["1"]),
        await room.take(PRODUCTS, gone=["1"]),
        await room.take(PRODUCTS, second),
    ]
    assert outcomes == [
        Applied(created=1),
        Applied(unchanged=1),
        Applied(updated=1),
        Applied(deleted=1),
        Applied(),
        Applied(updated=1),
    ]
    assert await room.changes() == [
        (1, "products", "1", "created"),
        (2, "products", "1", "updated"),
        (3, "products", "1", "deleted"),
        (4, "variants", "1", "deleted"),
        (5, "products", "1", "updated"),
    ]
    assert await room.rows("select title, deleted_at from products") == [("New", None)]
    assert await room.rows(VARIANTS) == [("1", 1, Decimal(10), True, True)]


async def test_a_tombstone_of_what_was_never_seen_means_nothing(room: Room) -> None:
    assert await room.take(PRODUCTS, gone=["404"]) == Applied()
    assert await room.changes() == []


async def test_a_version_older_than_the_links_is_ignored(room: Room) -> None:
    await room.take(PRODUCTS, product("1", title="Newer", version=9))
    assert await room.take(PRODUCTS, product("1", title="Older", version=3)) == Applied(unchanged=1)
    assert await room.rows("select title from products") == [("Newer",)]


async def test_by_force_an_older_version_counts_unless_the_store_was_heard_of_since(
    room: Room,
) -> None:
    async def forced(name: str, version: int, read_at: datetime) -> tuple[Any, ...]:
        origin = replace(room.origin, force=True, read_at=read_at)
        page: Page[Record] = Page(records=(product("1", title=name, version=version),))
        async with room.database.tenant(room.tenant_id) as connection:
            await apply(connection, origin, PRODUCTS, page)
        [row] = await room.rows(
            "select p.title, l.version from products p join links l on l.record_id = p.id"
            " and l.entity = 'products'"
        )
        return row

    async def now() -> datetime:
        async with room.database.tenant(room.tenant_id) as connection:
            return await database_clock(connection)

    await room.take(PRODUCTS, product("1", title="Dated in the future", version=900))
    assert await forced("Restored", 3, await now()) == ("Restored", at(3))
    assert await forced("Restored", 2, await now()) == ("Restored", at(2))
    began = await now()
    await room.take(PRODUCTS, product("1", title="Changed while it was read", version=9))
    assert await forced("Restored", 4, began) == ("Changed while it was read", at(9))
    began = await now()
    await room.take(PRODUCTS, product("1", title="Changed while it was read", version=10))
    assert await forced("Taken back meanwhile", 5, began) == ("Changed while it was read", at(10))


async def test_an_edit_that_was_taken_back_makes_history_of_what_lay_between(room: Room) -> None:
    await room.take(PRODUCTS, product("1", title="A", version=1))
    assert await room.take(PRODUCTS, product("1", title="A", version=3)) == Applied(unchanged=1)
    assert await room.take(PRODUCTS, product("1", title="B", version=2)) == Applied(unchanged=1)
    assert await room.rows("select title from products") == [("A",)]
    assert await room.rows("select version from links where entity = 'products'") == [(at(3),)]
    assert await room.changes() == [(1, "products", "1", "created")]


async def test_a_variant_that_left_its_product_is_deleted_and_taken_back_when_it_returns(
    room: Room,
) -> None:
    red, blue = variant("11"), variant("12", "20")
    await room.take(PRODUCTS, product("10", red, blue, version=1))
    await room.take(PRODUCTS, product("10", blue, version=2))
    assert await room.rows(VARIANTS) == [
        ("11", 1, Decimal(10), False, False),
        ("12", 1, Decimal(20), True, True),
    ]
    await room.take(PRODUCTS, product("10", blue, variant("11", "15"), version=3))
    assert await room.rows(VARIANTS) == [
        ("11", 2, Decimal(15), True, True),
        ("12", 1, Decimal(20), True, True),
    ]
    assert [change[1:] for change in await room.changes()] == [
        ("products", "10", "created"),
        ("products", "10", "updated"),
        ("variants", "11", "deleted"),
        ("products", "10", "updated"),
    ]


async def test_a_variant_that_moves_to_another_product_stays_one_variant(room: Room) -> None:
    await room.take(PRODUCTS, product("10", variant("11"), variant("12"), version=1))
    await room.take(PRODUCTS, product("20", variant("21"), version=1))
    moved = (product("10", variant("11"), version=2), product("20", variant("12"), version=2))
    assert await room.take(PRODUCTS, *moved) == Applied(updated=2)
    owner = await room.record_id("products", "20")
    assert await room.rows(
        "select l.external_id from product_variants v join links l on l.record_id = v.id"
        " and l.entity = 'variants' where v.product_id = :owner and v.deleted_at is null"
        " and l.deleted_at is null",
        owner=owner,
    ) == [("12",)]


async def test_a_variant_may_return_with_another_product(room: Room) -> None:
    await room.take(PRODUCTS, product("10", variant("11")))
    await room.take(PRODUCTS, gone=["10"])
    await room.take(PRODUCTS, product("20", variant("11", tracks_stock=True), stock={"11": 3}))
    assert await room.rows(VARIANTS) == [("11", 1, Decimal(10), True, True)]
    assert await room.rows("select on_hand from inventory_levels") == [(Decimal(3),)]


async def test_a_product_that_is_gone_takes_its_variants_with_it(room: Room) -> None:
    await room.take(PRODUCTS, product("10", variant("11"), variant("12")), product("20"))
    assert await room.take(PRODUCTS, gone=["10", "99"]) == Applied(deleted=1)
    assert await room.rows(VARIANTS) == [
        ("11", 1, Decimal(10), False, False),
        ("12", 2, Decimal(10), False, False),
        ("20", 1, Decimal(10), True, True),
    ]


async def test_a_page_may_hold_records_tombstones_and_the_same_record_twice(room: Room) -> None:
    await room.take(PRODUCTS, product("1", version=1), product("2", version=1))
    twice = (product("3", title="Late", version=5), product("3", title="Early", version=4))
    outcome = await room.take(PRODUCTS, *twice, product("1", title="B", version=2), gone=["2"])
    assert outcome == Applied(created=1, updated=1, deleted=1)
    assert await room.rows("select title from products where deleted_at is null order by 1") == [
        ("B",),
        ("Late",),
    ]


async def test_a_child_category_keeps_its_parent_when_both_come_in_one_page(room: Room) -> None:
    await room.take(CATEGORIES, category("2", "Green", parent="1"), category("1", "Tea"))
    parent = await room.record_id("categories", "1")
    assert await room.rows("select name, parent_id from categories order by name") == [
        ("Green", parent),
        ("Tea", None),
    ]


async def test_a_category_is_renamed_and_deleted(room: Room) -> None:
    await room.take(CATEGORIES, category("1", "Tea"), category("2", "Gifts"))
    assert await room.take(CATEGORIES, category("1", "Teas"), gone=["2"]) == Applied(
        updated=1, deleted=1
    )
    assert await room.rows("select name, deleted_at is null from categories order by name") == [
        ("Gifts", False),
        ("Teas", True),
    ]
