from typing import Any

import pytest

from domain.entities import Entity
from tests.api.hub import Caller, Hub, connect
from tests.api.samples import only, sale, stock

ADDRESS = {
    **dict.fromkeys(
        ("firstName", "lastName", "company", "address1", "address2", "city", "state"), ""
    ),
    **dict.fromkeys(("postcode", "country", "email", "phone"), ""),
}


def references(store_id: int, external_id: str) -> list[dict[str, Any]]:
    return [{"storeId": store_id, "externalId": external_id}]


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
        "supplier": {"storeId": store_id, "provider": "testshop"},
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
        "oversold": False,
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
