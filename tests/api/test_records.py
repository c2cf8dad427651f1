from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from db.apply import apply
from db.staging import Origin
from domain.entities import Entity
from domain.pages import Page, Pulled
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
ADDRESS = {
    **dict.fromkeys(
        ("firstName", "lastName", "company", "address1", "address2", "city", "state"), ""
    ),
    **dict.fromkeys(("postcode", "country", "email", "phone"), ""),
}


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


def references(store_id: int, external_id: str) -> list[dict[str, Any]]:
    return [{"storeId": store_id, "externalId": external_id}]


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


async def test_a_category(hub: Hub, caller: Caller) -> None:
    store_id = await stock(hub, caller)
    category = await only(caller, "categories")
    assert category == {
        "id": category["id"],
        "name": "Tea",
        "slug": "tea",
        "parentId": None,
        "description": "",
        "position": 0,
        "extra": {},
        "externalReferences": references(store_id, "3"),
        "createdAt": category["createdAt"],
        "updatedAt": category["updatedAt"],
    }


async def test_a_product_with_variants_and_stock(hub: Hub, caller: Caller) -> None:
    store_id = await stock(hub, caller)
    category = await only(caller, "categories")
    await hub.execute(caller.tenant, "update inventory_levels set reserved = 2.5")
    product = await only(caller, "products")
    tracked, untracked = product["variants"]
    shared = {
        "title": "",
        "barcode": "",
        "currency": "LKR",
        "inStock": True,
        "allowsBackorder": False,
        "isActive": True,
        "extra": {},
    }
    assert tracked == {
        **shared,
        "id": tracked["id"],
        "position": 1,
        "sku": "TEA-1",
        "price": "1250.50",
        "compareAtPrice": "1300.00",
        "optionValues": {"Size": "100 g"},
        "tracksStock": True,
        "onHand": "14",
        "available": "11.5",
        "weight": "0.1",
        "externalReferences": references(store_id, "4711-1"),
        "createdAt": tracked["createdAt"],
        "updatedAt": tracked["updatedAt"],
    }
    assert untracked == {
        **shared,
        "id": untracked["id"],
        "position": 2,
        "sku": "",
        "price": None,
        "compareAtPrice": None,
        "optionValues": {"Size": "1 kg"},
        "tracksStock": False,
        "onHand": None,
        "available": None,
        "weight": None,
        "externalReferences": references(store_id, "4711-2"),
        "createdAt": untracked["createdAt"],
        "updatedAt": untracked["updatedAt"],
    }
    assert {name: value for name, value in product.items() if name != "variants"} == {
        "id": product["id"],
        "title": "شاي سيلاني 🍵",
        "slug": "tea",
        "status": "active",
        "rawStatus": "publish",
        "kind": "variable",
        "description": "",
        "shortDescription": "",
        "currency": "LKR",
        "categoryIds": [category["id"]],
        "tags": ["tea"],
        "images": [
            {"src": "https://shop.example/tea.jpg", "externalId": "9", "name": "", "alt": ""}
        ],
        "options": [{"name": "Size", "values": ["100 g", "1 kg"]}],
        "listedAt": "2026-11-20T16:02:11Z",
        "extra": {"brand": "Ceylon"},
        "externalReferences": references(store_id, "4711"),
        "createdAt": product["createdAt"],
        "updatedAt": product["updatedAt"],
    }


async def test_a_customer(hub: Hub, caller: Caller) -> None:
    store_id = await stock(hub, caller)
    customer = await only(caller, "customers")
    assert customer == {
        "id": customer["id"],
        "email": "n@example.com",
        "phone": "",
        "firstName": "Nimal",
        "lastName": "",
        "isGuest": False,
        "isPaying": True,
        "billing": ADDRESS,
        "shipping": ADDRESS,
        "registeredAt": None,
        "extra": {},
        "externalReferences": references(store_id, "8"),
        "createdAt": customer["createdAt"],
        "updatedAt": customer["updatedAt"],
    }


async def test_an_order_with_lines_charges_and_refunds(hub: Hub, caller: Caller) -> None:
    store_id = await stock(hub, caller)
    product, customer = await only(caller, "products"), await only(caller, "customers")
    order = await only(caller, "orders")
    first, second = order["lines"]
    zero = "0.00"
    assert order == {
        "id": order["id"],
        "storeId": store_id,
        "number": "1042",
        "status": "processing",
        "rawStatus": "processing",
        "currency": "LKR",
        "subtotal": "2501.00",
        "discountTotal": zero,
        "shippingTotal": "300.00",
        "taxTotal": zero,
        "total": "2801.00",
        "refundedTotal": "0.125",
        "customerId": customer["id"],
        "customerExternalId": "8",
        "billing": {
            **ADDRESS,
            "firstName": "Nimal",
            "address1": "12 Galle Road",
            "email": "n@example.com",
        },
        "shipping": ADDRESS,
        **dict.fromkeys(("paymentMethod", "paymentTitle", "transactionId", "customerNote"), ""),
        "placedAt": "2026-11-20T16:02:11Z",
        "paidAt": None,
        "completedAt": None,
        "lines": [
            {
                "id": first["id"],
                "externalId": "77",
                "productId": product["id"],
                "variantId": product["variants"][0]["id"],
                "productExternalId": "4711",
                "variantExternalId": "4711-1",
                "sku": "TEA-1",
                "title": "Tea",
                "quantity": "2",
                "unitPrice": "1250.50",
                "subtotal": "2501.00",
                "discount": zero,
                "tax": zero,
                "total": "2501.00",
                "extra": {},
            },
            {
                "id": second["id"],
                "externalId": "76",
                **dict.fromkeys(
                    ("productId", "variantId", "productExternalId", "variantExternalId")
                ),
                "sku": "",
                "title": "By weight",
                "quantity": "0.25",
                **dict.fromkeys(("unitPrice", "subtotal", "discount", "tax", "total"), zero),
                "extra": {},
            },
        ],
        "charges": [
            {
                "kind": "shipping",
                "externalId": "",
                "code": "flat_rate",
                "title": "",
                "total": "300.00",
                "tax": zero,
            }
        ],
        "refunds": [{"externalId": "5", "amount": "0.125", "reason": "late"}],
        "extra": {},
        "externalReferences": references(store_id, "1042"),
        "createdAt": order["createdAt"],
        "updatedAt": order["updatedAt"],
    }


@pytest.mark.parametrize(
    ("currency", "total"), [("JPY", "2801"), ("KWD", "2801.000"), ("USD", "2801.00")]
)
async def test_amounts_have_the_places_of_their_currency(
    hub: Hub, caller: Caller, currency: str, total: str
) -> None:
    store_id = await connect(caller)
    await hub.take_in(caller.tenant, store_id, Entity.ORDERS, sale(currency=currency))
    assert (await only(caller, "orders"))["total"] == total


async def test_a_record_at_two_stores_has_two_references(hub: Hub, caller: Caller) -> None:
    store_id = await stock(hub, caller)
    second = await connect(caller, "second")
    record = await only(caller, "customers")
    await hub.execute(
        caller.tenant,
        "insert into links (tenant_id, store_id, entity, external_id, record_id) "
        "values (:tenant_id, :store, 'customers', '800', :record)",
        tenant_id=caller.tenant.id,
        store=second,
        record=record["id"],
    )
    assert (await only(caller, "customers"))["externalReferences"] == [
        {"storeId": store_id, "externalId": "8"},
        {"storeId": second, "externalId": "800"},
    ]


async def test_a_link_that_is_gone_is_no_reference(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    await hub.execute(
        caller.tenant, "update links set deleted_at = now() where entity = 'customers'"
    )
    assert (await only(caller, "customers"))["externalReferences"] == []


@pytest.mark.parametrize("entity", ["categories", "products", "customers", "orders"])
async def test_a_deleted_record_is_gone(hub: Hub, caller: Caller, entity: str) -> None:
    store_id = await stock(hub, caller)
    record = await only(caller, entity)
    tombstone: Page[Record] = Page(tombstones=(record["externalReferences"][0]["externalId"],))
    async with hub.database.tenant(caller.tenant.id) as connection:
        await apply(connection, Origin(caller.tenant.id, store_id), Entity(entity), tombstone)
    assert (await caller.get(f"/api/{entity}")).json() == {"data": [], "nextCursor": None}
    assert (await caller.get(f"/api/{entity}/{record['id']}")).status_code == 404


async def test_equal_records_are_paged_without_loss(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    equal = same(25)
    await hub.take_in(caller.tenant, store_id, Entity.CATEGORIES, *equal)
    seen: list[str] = []
    sizes: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await caller.get("/api/categories", params={"limit": 10, **cursor})).json()
        seen += [one["externalReferences"][0]["externalId"] for one in page["data"]]
        sizes.append(len(page["data"]))
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert sizes == [10, 10, 5]
    assert sorted(seen, key=int) == [str(number) for number in range(25)]


async def test_a_page_that_ends_the_list_has_no_cursor(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    ten = same(10)
    await hub.take_in(caller.tenant, store_id, Entity.CATEGORIES, *ten)
    page = (await caller.get("/api/categories", params={"limit": 10})).json()
    assert (len(page["data"]), page["nextCursor"]) == (10, None)


async def test_a_cursor_of_another_list_is_refused(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    two = same(2)
    await hub.take_in(caller.tenant, store_id, Entity.CATEGORIES, *two)
    cursor = (await caller.get("/api/categories", params={"limit": 1})).json()["nextCursor"]
    answer = await caller.get("/api/products", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (
        400,
        "urn:entrepot:problem:bad-cursor",
    )
