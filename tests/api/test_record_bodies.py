"""What PostgreSQL writes is what the schemas say: the same values, in the same form."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import Entity
from domain.money import NO_PLACES, THREE_PLACES
from domain.pages import Pulled
from domain.records import (
    Address,
    Category,
    Charge,
    Customer,
    Image,
    InventoryLevel,
    Option,
    Order,
    OrderLine,
    Product,
    Record,
    Refund,
    Variant,
)
from domain.statuses import OrderStatus, ProductStatus
from tests.api.hub import Caller, Hub, connect
from tests.api.record_rows import Row, find_record
from tests.api.record_views import category_views, customer_views, order_views, product_views

View = Callable[[AsyncConnection, Sequence[Row]], Awaitable[Sequence[BaseModel]]]
VIEWS: dict[Entity, View] = {
    Entity.CATEGORIES: category_views,
    Entity.PRODUCTS: product_views,
    Entity.CUSTOMERS: customer_views,
    Entity.ORDERS: order_views,
}
AWKWARD = 'a "quote", a \\ and a / \n\t\u0001 <b> ش 🍵 {"limit": %s} %(after)s {limit}'
AMOUNTS = [
    Decimal(one)
    for one in ("0", "0.0001", "0.5", "0.125", "10", "10.5", "-3.1", "1250.0050", "100000000")
] + [Decimal("999999999999999.9999")]
EXTRA = {"z": 1, "a": {"deep": [1, 2.5, None, True, AWKWARD]}, "empty": {}}
WHOLE, EXACT = (
    datetime(2026, 1, 5, 10, tzinfo=UTC),
    datetime(2026, 1, 5, 10, 0, 0, 120, tzinfo=UTC),
)
ADDRESS = Address(first_name=AWKWARD, address_1="12 Galle Road", address_2="b", country="LK")


def catalogue(currency: str) -> list[tuple[Entity, Pulled[Record]]]:
    variants = tuple(
        Variant(
            external_id=f"v{number}",
            title=AWKWARD,
            price=amount,
            compare_at_price=None if number % 2 else amount,
            option_values={"Size": AWKWARD},
            tracks_stock=number < 4,
            weight=abs(amount) if amount < 1000 else None,
            extra=EXTRA,
        )
        for number, amount in enumerate(AMOUNTS)
    )
    product = Product(
        title=AWKWARD,
        status=ProductStatus.ACTIVE,
        currency=currency,
        tags=("a", AWKWARD),
        images=(Image(src="https://shop.example/a.jpg"), Image(src="b", external_id="9", alt="x")),
        options=(Option(name="Size", values=("1", AWKWARD)), Option(name="Empty")),
        variants=variants,
        created_at=EXACT,
        extra=EXTRA,
        category_external_ids=("1",),
    )
    levels = tuple(
        InventoryLevel(variant_external_id=f"v{number}", available=Decimal(count))
        for number, count in enumerate(("0", "14", "2.5"))
    )
    bare = Product(title="", status=ProductStatus.DRAFT, currency=currency)
    return [
        (Entity.CATEGORIES, Pulled("1", Category(name=AWKWARD, extra=EXTRA))),
        (Entity.CATEGORIES, Pulled("2", Category(name="b", parent_external_id="1", position=3))),
        (Entity.PRODUCTS, Pulled("10", product, levels=levels)),
        (Entity.PRODUCTS, Pulled("11", bare)),
    ]


def sales(currency: str) -> list[tuple[Entity, Pulled[Record]]]:
    lines = tuple(
        OrderLine(
            external_id=f"l{number}",
            product_external_id="10",
            variant_external_id="v1",
            title=AWKWARD,
            quantity=Decimal("0.250") * number,
            unit_price=amount,
            total=amount,
            tax=-amount,
            extra=EXTRA,
        )
        for number, amount in enumerate(AMOUNTS)
    )
    order = Order(
        number=AWKWARD,
        status=OrderStatus.PROCESSING,
        currency=currency,
        total=Decimal("2801.5"),
        tax_total=Decimal("0.1250"),
        customer_external_id="5",
        billing=ADDRESS,
        customer_note=AWKWARD,
        placed_at=WHOLE,
        paid_at=EXACT,
        lines=lines,
        charges=tuple(
            Charge(kind="fee", title=AWKWARD, total=one, tax=-one, code=str(one)) for one in AMOUNTS
        ),
        refunds=tuple(
            Refund(external_id=str(one), amount=one, reason=AWKWARD)
            for one in AMOUNTS
            if 0 < one < 10**12
        ),
        extra=EXTRA,
    )
    bare = Order(number="", status=OrderStatus.PENDING, currency=currency, total=Decimal(0))
    full = Customer(email="n@example.com", billing=ADDRESS, created_at=WHOLE, extra=EXTRA)
    return [
        (Entity.CUSTOMERS, Pulled("5", full)),
        (Entity.CUSTOMERS, Pulled("6", Customer(is_guest=True))),
        (Entity.ORDERS, Pulled("100", order)),
        (Entity.ORDERS, Pulled("101", bare)),
    ]


async def as_the_schema_says(hub: Hub, caller: Caller, entity: Entity, record_id: int) -> Any:
    async with hub.database.tenant(caller.tenant.id) as connection:
        row = await find_record(connection, entity, record_id)
        assert row is not None
        (view,) = await VIEWS[entity](connection, [row])
    return json.loads(view.model_dump_json(by_alias=True))


@pytest.mark.parametrize("currency", ["LKR", "JPY", "KWD"])
async def test_that_bodies_are_those_of_the_schemas(
    hub: Hub, caller: Caller, currency: str
) -> None:
    store_id = await connect(caller)
    for entity, pulled in (*catalogue(currency), *sales(currency)):
        await hub.take_in(caller.tenant, store_id, entity, pulled)
    for table in ("categories", "customers"):
        await hub.execute(caller.tenant, f"update {table} set created_at = '2026-01-05T10:00:00Z'")

    for entity in VIEWS:
        listed = (await caller.get(f"/api/{entity.value}")).json()["data"]
        assert len(listed) == 2
        for one in listed:
            assert one == await as_the_schema_says(hub, caller, entity, one["id"])
            assert (await caller.get(f"/api/{entity.value}/{one['id']}")).json() == one


@pytest.mark.parametrize("currency", sorted(NO_PLACES | THREE_PLACES))
def test_that_currencies_are_three_letters(currency: str) -> None:
    """They are written into a statement."""
    assert currency.isalpha()
    assert len(currency) == 3
