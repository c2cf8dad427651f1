from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from db.apply import Applied, apply
from db.staging import Origin
from domain.entities import Entity
from domain.guests import guest_key
from domain.pages import Page
from domain.records import Address, Refund
from domain.statuses import OrderStatus
from tests.db.factories import T0, at, customer, line, order, product
from tests.db.room import Room, new_store

PRODUCTS, CUSTOMERS, ORDERS = Entity.PRODUCTS, Entity.CUSTOMERS, Entity.ORDERS

LINES = (
    "select i.external_id, i.position, i.title, i.quantity, i.total from order_lines i order by 1"
)
GUESTS = (
    "select c.email, c.first_name, l.version, c.deleted_at is null from customers c"
    " join links l on l.record_id = c.id and l.entity = 'customers' where c.is_guest order by 1"
)


async def test_an_order_is_written_with_its_lines_and_knows_buyer_and_products(room: Room) -> None:
    await room.take(PRODUCTS, product("7"))
    await room.take(CUSTOMERS, customer("3"))
    refund = Refund(external_id="9", amount=Decimal("1.25"))
    one = order("100", line("1", "7", sku="X"), line("2"), customer="3", refunds=(refund, refund))
    assert await room.take(ORDERS, one) == Applied(created=1)
    buyer = await room.record_id("customers", "3")
    assert await room.rows(
        "select number, status, raw_status, currency, total, refunded_total, customer_id,"
        " customer_external_id, placed_at, store_id = :store from orders"
    ) == [
        (
            *("100", "processing", "processing", "EUR", Decimal("5.25"), Decimal("2.5")),
            *(buyer, "3", T0, True),
        )
    ]
    bought = [await room.record_id(entity, "7") for entity in ("products", "variants")]
    assert await room.rows(
        "select external_id, position, product_id, variant_id, product_external_id, sku, total"
        " from order_lines order by position"
    ) == [
        ("1", 1, *bought, "7", "X", Decimal("5.2500")),
        ("2", 2, None, None, None, "", Decimal("5.2500")),
    ]
    assert [change[1:] for change in await room.changes()][2:] == [("orders", "100", "created")]


async def test_lines_that_an_order_no_longer_has_are_dropped_and_the_others_brought_up_to_date(
    room: Room,
) -> None:
    await room.take(ORDERS, order("1", line("a"), line("b"), version=1))
    edited = order("1", line("c"), line("b", title="Two", quantity=Decimal(2)), version=2)
    assert await room.take(ORDERS, edited) == Applied(updated=1)
    assert await room.rows(LINES) == [
        ("b", 2, "Two", Decimal(2), Decimal("5.25")),
        ("c", 1, "Line c", Decimal(1), Decimal("5.25")),
    ]


async def test_a_deleted_order_keeps_its_lines_and_can_come_back(room: Room) -> None:
    one = order("1", line("a"), status=OrderStatus.COMPLETED)
    await room.take(ORDERS, one)
    assert await room.take(ORDERS, gone=["1"]) == Applied(deleted=1)
    assert await room.rows("select deleted_at is null from orders") == [(False,)]
    assert await room.take(ORDERS, one) == Applied(updated=1)
    assert await room.rows("select deleted_at is null, status from orders") == [(True, "completed")]
    assert await room.rows("select external_id from order_lines") == [("a",)]


async def test_two_orders_may_have_lines_of_the_same_id(room: Room) -> None:
    await room.take(ORDERS, order("1", line("a")), order("2", line("a")))
    assert await room.rows("select external_id from order_lines") == [("a",), ("a",)]


async def test_a_guest_is_made_of_an_order_and_counted_as_no_record_of_the_page(room: Room) -> None:
    one = order("5", email="Ann@example.test")
    assert await room.take(ORDERS, one) == Applied(created=1)
    # The digits of the order's id stand in for what is finer than the shop's seconds.
    version = T0 + timedelta(microseconds=5)
    assert await room.rows(GUESTS) == [("ann@example.test", "Ann", version, True)]
    guest = await room.record_id("customers", guest_key(one.record) or "")
    assert await room.rows("select customer_id from orders") == [(guest,)]
    assert [change[1] for change in await room.changes()] == ["customers", "orders"]


async def test_a_guests_profile_is_that_of_the_newest_order_in_whatever_order_they_come(
    room: Room,
) -> None:
    old = order("1", email="a@example.test", placed_at=at(0))
    new = order(
        "2",
        email="a@example.test",
        placed_at=at(60),
        billing=Address(first_name="Anna", email="a@example.test"),
    )
    await room.take(ORDERS, new)
    await room.take(ORDERS, old)
    assert [row[:2] for row in await room.rows(GUESTS)] == [("a@example.test", "Anna")]
    await room.take(ORDERS, old, new)
    assert [row[:2] for row in await room.rows(GUESTS)] == [("a@example.test", "Anna")]
    assert [change[1:] for change in await room.changes() if change[1] == "customers"] == [
        ("customers", guest_key(old.record), "created")
    ]


async def test_a_customer_is_created_updated_and_deleted(room: Room) -> None:
    outcomes = [
        await room.take(CUSTOMERS, customer("1", version=1), customer("2", version=1)),
        await room.take(CUSTOMERS, customer("1", "new@example.test", version=2), gone=["2"]),
    ]
    assert outcomes == [Applied(created=2), Applied(updated=1, deleted=1)]
    assert await room.rows("select email, deleted_at is null from customers order by 1") == [
        ("ann@example.test", False),
        ("new@example.test", True),
    ]


@pytest.mark.parametrize("bulk", [True, False])
async def test_changes_say_where_they_come_from_and_whether_in_bulk(room: Room, bulk: bool) -> None:
    async with room.database.tenant(room.tenant_id) as connection:
        origin = Origin(room.tenant_id, room.store_id, bulk=bulk)
        await apply(connection, origin, CUSTOMERS, Page(records=(customer("1"),)))
    assert await room.rows("select store_id = :store, bulk from changes") == [(True, bulk)]


async def test_two_stores_may_use_the_same_ids_for_different_records(room: Room) -> None:
    other = replace(room, store_id=await new_store(room.database, room.tenant_id))
    await room.take(CUSTOMERS, customer("1", "here@example.test"))
    await other.take(CUSTOMERS, customer("1", "there@example.test"))
    await other.take(CUSTOMERS, gone=["1"])
    assert await room.rows("select email, deleted_at is null from customers order by 1") == [
        ("here@example.test", True),
        ("there@example.test", False),
    ]
