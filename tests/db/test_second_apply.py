from typing import Any

from db.apply import Applied
from domain.entities import Entity
from domain.pages import Pulled
from tests.db.dumps import KEPT, physical_dump
from tests.db.factories import category, customer, line, order, product, variant
from tests.db.room import Room

PAGES: list[tuple[Entity, list[Pulled[Any]]]] = [
    (Entity.CATEGORIES, [category("1"), category("2", "Green", parent="1")]),
    (
        Entity.PRODUCTS,
        [
            product("10", stock={"10": 4}, category_external_ids=("2", "1")),
            product("20", variant("21", tracks_stock=True), variant("22"), stock={"21": 0}),
            product("30", version=None),
        ],
    ),
    (Entity.CUSTOMERS, [customer("5"), customer("6", version=None)]),
    (
        Entity.ORDERS,
        [
            # Of something nobody counts: the shop's number would be another one after a sale.
            order("100", line("1", "30"), line("2"), customer="5"),
            order("101", email="guest@example.test"),
            order("102", email="guest@example.test"),
        ],
    ),
]
GONE = {Entity.PRODUCTS: ["30"], Entity.ORDERS: ["102"]}


async def test_a_second_apply_of_the_same_pages_writes_no_row_at_all(room: Room) -> None:
    first = [await room.take(entity, *records) for entity, records in PAGES]
    async with room.database.tenant(room.tenant_id) as connection:
        before = await physical_dump(connection)
    second = [await room.take(entity, *records) for entity, records in PAGES]
    async with room.database.tenant(room.tenant_id) as connection:
        after = await physical_dump(connection)
    assert after == before
    assert all(before[table] for table in KEPT)
    assert first == [Applied(created=count) for count in (2, 3, 2, 3)]
    assert second == [Applied(unchanged=count) for count in (2, 3, 2, 3)]


async def test_tombstones_that_come_again_write_no_row_either(room: Room) -> None:
    for entity, records in PAGES:
        await room.take(entity, *records)
        await room.take(entity, gone=GONE.get(entity, []))
    async with room.database.tenant(room.tenant_id) as connection:
        before = await physical_dump(connection)
    for entity, gone in GONE.items():
        assert await room.take(entity, gone=gone) == Applied()
    async with room.database.tenant(room.tenant_id) as connection:
        assert await physical_dump(connection) == before


async def test_the_comparison_notices_a_row_that_was_written_without_a_change(room: Room) -> None:
    await room.take(Entity.CUSTOMERS, customer("5"))
    async with room.database.tenant(room.tenant_id) as connection:
        before = await physical_dump(connection)
    await room.rows("update customers set email = email")
    async with room.database.tenant(room.tenant_id) as connection:
        assert await physical_dump(connection) != before
