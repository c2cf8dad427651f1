"""Records of a shop, and the shop that has one of each."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.entities import Entity
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

PLACED = datetime(2026, 11, 20, 16, 2, 11, tzinfo=UTC)


def tea(external_id: str = "4711", currency: str = "LKR") -> Pulled[Record]:
    product = Product(
        title="شاي سيلاني 🍵",
        slug="tea",
        status=ProductStatus.ACTIVE,
        raw_status="publish",
        kind="variable",
        currency=currency,
        category_external_ids=("3",),
        tags=("tea",),
        images=(Image(src="https://shop.example/tea.jpg", external_id="9"),),
        options=(Option(name="Size", values=("100 g", "1 kg")),),
        variants=(
            Variant(
                external_id=f"{external_id}-1",
                sku="TEA-1",
                price=Decimal("1250.5"),
                compare_at_price=Decimal(1300),
                option_values={"Size": "100 g"},
                tracks_stock=True,
                weight=Decimal("0.1"),
            ),
            Variant(external_id=f"{external_id}-2", option_values={"Size": "1 kg"}),
        ),
        created_at=PLACED,
        extra={"brand": "Ceylon"},
    )
    levels = (InventoryLevel(variant_external_id=f"{external_id}-1", available=Decimal(14)),)
    return Pulled(external_id, product, levels=levels)


def sale(external_id: str = "1042", currency: str = "LKR") -> Pulled[Record]:
    order = Order(
        number=external_id,
        status=OrderStatus.PROCESSING,
        raw_status="processing",
        currency=currency,
        subtotal=Decimal(2501),
        shipping_total=Decimal(300),
        total=Decimal(2801),
        customer_external_id="8",
        billing=Address(first_name="Nimal", address_1="12 Galle Road", email="n@example.com"),
        placed_at=PLACED,
        lines=(
            OrderLine(
                external_id="77",
                product_external_id="4711",
                variant_external_id="4711-1",
                sku="TEA-1",
                title="Tea",
                quantity=Decimal(2),
                unit_price=Decimal("1250.5"),
                subtotal=Decimal(2501),
                total=Decimal(2501),
            ),
            OrderLine(external_id="76", title="By weight", quantity=Decimal("0.250")),
        ),
        charges=(Charge(kind="shipping", code="flat_rate", total=Decimal(300)),),
        refunds=(Refund(external_id="5", amount=Decimal("0.125"), reason="late"),),
    )
    return Pulled(external_id, order)


def same(count: int) -> list[Pulled[Record]]:
    return [Pulled(str(number), Category(name="Same")) for number in range(count)]


async def stock(hub: Hub, caller: Caller) -> int:
    """A store with a category, a product, a customer and an order; its id."""
    store_id = await connect(caller)
    tenant = caller.tenant
    await hub.take_in(
        tenant, store_id, Entity.CATEGORIES, Pulled("3", Category(name="Tea", slug="tea"))
    )
    await hub.take_in(tenant, store_id, Entity.PRODUCTS, tea())
    await hub.take_in(
        tenant,
        store_id,
        Entity.CUSTOMERS,
        Pulled("8", Customer(email="n@example.com", first_name="Nimal", is_paying=True)),
    )
    await hub.take_in(tenant, store_id, Entity.ORDERS, sale())
    return store_id


async def only(caller: Caller, entity: str) -> dict[str, Any]:
    """The one record of a list, which must be the same when asked for by id."""
    page = (await caller.get(f"/api/{entity}")).json()
    (record,) = page["data"]
    assert page["nextCursor"] is None
    assert (await caller.get(f"/api/{entity}/{record['id']}")).json() == record
    return dict(record)
