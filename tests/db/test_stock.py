"""Stock between two stores and their orders, in the database."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.apply import apply
from db.publishing import publish
from db.session import Database
from db.settle_orders import settle_orders
from db.staging import Batch, Origin, Statements
from db.write_levels import add_levels
from domain.entities import Entity
from domain.pages import Page, Pulled
from domain.statuses import OrderStatus
from tests.db.factories import line, order, product
from tests.db.room import Room, new_store

BOTH = {"syncDirections": {"inventory": "both"}}
LEVELS = "select on_hand, reserved from inventory_levels order by variant_id"
ACCOUNTS = (
    "select s.code, b.agreed, b.unexplained from store_levels b join stores s on s.id = b.store_id"
    " order by b.store_id"
)
UNEXPLAINED = (
    "select i.variant_id from inventory_levels i where on_hand <> (select sum(quantity)"
    " from inventory_movements m where m.variant_id = i.variant_id)"
)


async def second_store(room: Room, direction: str = "both") -> Room:
    """Another store of the tenant with the same variant as `1`."""
    store_id = await new_store(
        room.database,
        room.tenant_id,
        code="second",
        settings={"syncDirections": {"inventory": direction}},
    )
    other = Room(room.database, room.tenant_id, store_id)
    await room.rows(
        "insert into links (tenant_id, store_id, entity, external_id, record_id)"
        " select tenant_id, :other, entity, 'b' || external_id, record_id from links"
        " where store_id = :store and entity in ('products', 'variants')",
        other=store_id,
    )
    return other


async def share(room: Room) -> None:
    await room.rows(
        "update stores set code = 'first',"
        """ settings = '{"syncDirections": {"inventory": "both"}}' where id = :store"""
    )


async def tell(room: Room, **levels: int) -> None:
    """A store tells numbers by its own id of a variant, as apply would hand them on."""
    await tell_dated(room, room.origin, {key.strip("_"): count for key, count in levels.items()})


async def tell_dated(
    room: Room, origin: Origin, numbers: Mapping[str, int], *, counted: int | None = None
) -> None:
    """The same; `counted` is the second at which the store dates them."""
    pulled = [product("x", stock=numbers, counted=counted)]
    async with room.database.tenant(room.tenant_id) as connection:
        batch = await Batch.open(connection, room.origin, Entity.PRODUCTS)
        await batch.look([])
        statements = Statements()
        assert add_levels(statements, pulled, origin)
        await batch.write(statements)
        await publish(connection, room.tenant_id, (), store_id=room.store_id)


async def take(room: Room, *orders: Pulled[Any], gone: Sequence[str] = ()) -> None:
    async def work(connection: AsyncConnection) -> None:
        page: Page[Any] = Page(records=orders, tombstones=tuple(gone))
        await apply(connection, room.origin, Entity.ORDERS, page)

    await room.database.transact(room.tenant_id, work)


def sold(key: str, quantity: int = 1, of: str = "1", **changes: Any) -> Pulled[Any]:
    return order(key, line(f"{key}-1", of, quantity=Decimal(quantity)), **changes)


async def levels(room: Room) -> list[tuple[int, int]]:
    assert await room.rows(UNEXPLAINED) == []
    return [(int(on_hand), int(reserved)) for on_hand, reserved in await room.rows(LEVELS)]


async def accounts(room: Room) -> list[tuple[str, int, int]]:
    return [(code, int(a), int(u)) for code, a, u in await room.rows(ACCOUNTS)]


async def owed(room: Room) -> list[int]:
    """The stores that have an inventory push waiting."""
    found = await room.rows("select store_id from pushes where entity = 'inventory' order by 1")
    return [row[0] for row in found]


@pytest.fixture
async def shop(room: Room) -> Room:
    """A store with ten of one variant, both ways."""
    await share(room)
    await room.take(Entity.PRODUCTS, product("1", stock={"1": 10}))
    return room


@pytest.fixture
async def last(room: Room) -> Room:
    """A store with the last one of a variant, both ways."""
    await share(room)
    await room.take(Entity.PRODUCTS, product("1", stock={"1": 1}))
    return room


async def test_an_order_reserves_and_its_number_is_no_news(shop: Room) -> None:
    await take(shop, sold("o1", 3))
    assert await levels(shop) == [(10, 3)]
    await tell(shop, _1=7)
    assert (await levels(shop), await accounts(shop)) == ([(10, 3)], [("first", 7, 0)])
    assert await owed(shop) == []


async def test_a_number_before_its_order_counts_once(shop: Room) -> None:
    await tell(shop, _1=7)
    assert await levels(shop) == [(7, 0)]
    await take(shop, sold("o1", 3))
    assert (await levels(shop), await accounts(shop)) == ([(10, 3)], [("first", 7, 0)])


async def test_a_store_that_has_more_than_the_hub_owes_is_corrected(last: Room) -> None:
    """Somebody takes the last one out by hand, though it is sold, and puts it back."""
    other = await second_store(last)
    await tell(other, b1=1)
    await take(last, sold("o1", 1))
    await last.rows("update store_levels set agreed = 1 where store_id = :store")
    await tell(last, _1=0)
    assert await levels(last) == [(0, 1)]
    await last.rows("delete from pushes")
    await tell(last, _1=1)
    assert await levels(last) == [(1, 1)]
    assert last.store_id in await owed(last)


async def test_an_order_that_comes_again_changes_nothing(shop: Room) -> None:
    await take(shop, sold("o1", 3))
    before = await shop.rows("select * from inventory_movements")
    for version in (0, 1, 1):
        await take(shop, sold("o1", 3, version=version, customer_note=str(version)))
    assert await levels(shop) == [(10, 3)]
    assert await shop.rows("select * from inventory_movements") == before


async def test_an_order_is_sent_and_one_is_cancelled(shop: Room) -> None:
    await take(shop, sold("o1", 3), sold("o2", 2))
    await take(
        shop,
        sold("o1", 3, version=1, status=OrderStatus.COMPLETED),
        sold("o2", 2, version=1, status=OrderStatus.CANCELLED),
    )
    assert (await levels(shop), await accounts(shop)) == ([(7, 0)], [("first", 7, 0)])
    assert await shop.rows(
        "select kind, quantity from inventory_movements where order_id is not null"
    ) == [("shipment", Decimal(-3))]
    held = await shop.rows("select status, quantity, reserved from reservations order by order_id")
    assert held == [("consumed", 3, 3), ("released", 2, 0)]


async def test_an_order_that_is_changed_or_deleted(shop: Room) -> None:
    await take(shop, sold("o1", 3))
    await take(shop, sold("o1", 5, version=1))
    assert await levels(shop) == [(10, 5)]
    await take(shop, gone=["o1"])
    assert await levels(shop) == [(10, 0)]


async def test_orders_of_an_import_hold_nothing_then_or_later(shop: Room) -> None:
    async with shop.database.tenant(shop.tenant_id) as connection:
        origin = Origin(shop.tenant_id, shop.store_id, bulk=True)
        await apply(connection, origin, Entity.ORDERS, Page(records=(sold("o1", 3),)))
    await take(shop, sold("o1", 3, version=1, status=OrderStatus.CANCELLED))
    assert (await levels(shop), await shop.rows("select * from reservations")) == ([(10, 0)], [])


async def test_a_sale_in_one_store_is_due_in_the_other_alone(shop: Room) -> None:
    other = await second_store(shop)
    await tell(other, b1=10)
    assert await owed(shop) == []
    await take(shop, sold("o1", 3))
    assert await owed(shop) == [other.store_id]
    assert await accounts(shop) == [("first", 7, 0), ("second", 10, 0)]


async def test_a_stores_first_number_does_not_change_a_level_that_is_known(shop: Room) -> None:
    other = await second_store(shop)
    await tell(other, b1=4)
    assert (await levels(shop), await owed(shop)) == ([(10, 0)], [other.store_id])
    await tell(other, b1=3)
    assert (await levels(shop), await accounts(shop)) == (
        [(9, 0)],
        [("first", 10, 0), ("second", 3, -1)],
    )


async def test_the_number_of_a_store_that_is_only_pushed_to_is_corrected(shop: Room) -> None:
    other = await second_store(shop, "push")
    await tell(other, b1=10)
    assert await owed(shop) == []
    await tell(other, b1=9)
    assert (await levels(shop), await owed(shop)) == ([(10, 0)], [other.store_id])


async def test_a_store_that_takes_no_part_moves_nothing(shop: Room) -> None:
    other = await second_store(shop, "off")
    await tell(other, b1=4)
    await take(other, sold("o1", 3, of="b1"))
    assert (await levels(shop), await accounts(shop)) == ([(10, 0)], [("first", 10, 0)])
    assert await owed(shop) == []


async def test_two_stores_sell_the_last_one(last: Room) -> None:
    other = await second_store(last)
    await tell(other, b1=1)
    await take(last, sold("o1"))
    await take(other, sold("o2", of="b1"))
    flagged = "select number, oversold from orders order by number"
    assert await last.rows(flagged) == [("o1", False), ("o2", True)]
    assert await last.rows("select on_hand - reserved from inventory_levels") == [(0,)]
    ((subject, event, status),) = await last.rows("select subject, event, status from alerts")
    order_id = await other.record_id("orders", "o2")
    assert (subject, event, status) == (f"order/{order_id}", "alert.raised", "open")
    await take(other, sold("o2", of="b1", version=1, status=OrderStatus.CANCELLED))
    assert await last.rows(flagged) == [("o1", False), ("o2", False)]
    assert await last.rows("select status from alerts") == [("resolved",)]


async def test_stock_that_is_counted_no_longer_holds_nothing_for_an_order(shop: Room) -> None:
    await take(shop, sold("o1", 3))
    await shop.take(Entity.PRODUCTS, gone=["1"])
    assert await accounts(shop) == []
    await shop.take(Entity.PRODUCTS, product("1", version=9, stock={"1": 7}))
    await take(shop, sold("o1", 3, version=1, status=OrderStatus.COMPLETED))
    assert await levels(shop) == [(7, 0)]


async def test_settling_twice_in_one_transaction_is_settling_once(shop: Room) -> None:
    await take(shop, sold("o1", 3))
    order_id = await shop.record_id("orders", "o1")
    async with shop.database.tenant(shop.tenant_id) as connection:
        await connection.execute(
            text("update orders set status = 'completed' where id = :id"), {"id": order_id}
        )
        for _ in range(2):
            await settle_orders(connection, shop.origin, [order_id])
    assert await levels(shop) == [(7, 0)]


async def test_sixty_four_orders_at_once_for_the_last_one(
    last: Room, app_url: str, owner_url: str
) -> None:
    wide = Database(app_url, pool_size=64)
    racing = Room(wide, last.tenant_id, last.store_id)
    try:
        await asyncio.gather(*(take(racing, sold(f"o{number}")) for number in range(64)))
    finally:
        await wide.close()
    assert await last.rows("select oversold, count(*) from orders group by 1 order by 1") == [
        (False, 1),
        (True, 63),
    ]
    assert await last.rows("select sum(quantity), sum(reserved) from reservations") == [(64, 1)]
    assert await levels(last) == [(1, 1)]
    assert await last.rows("select count(*) from alerts where kind = 'oversold'") == [(63,)]
