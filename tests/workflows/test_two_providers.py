"""WooCommerce and EasyOrder, two stores of one tenant, kept in step through the lanes."""

import pytest

from tests.workflows.teas import easy_variants, tea, woo_variants
from tests.workflows.two_stores import Pair

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_product_made_in_the_hub_reaches_both(pair: Pair) -> None:
    parent = await pair.post("/api/categories", {"name": "Drinks", "description": "All drinks"})
    child = await pair.post("/api/categories", {"name": "Teas", "parentId": parent["id"]})
    await pair.post("/api/products", tea(categoryIds=[child["id"]]))
    await pair.settled()

    [easy] = pair.easy_rows("products")
    [woo] = pair.woo_rows("products")
    drinks, teas = pair.easy_rows("categories")
    assert (drinks["name"], teas["name"], teas["parent_id"]) == ("Drinks", "Teas", drinks["id"])
    assert [one["id"] for one in easy["categories"]] == [teas["id"]]
    assert easy["name"] == woo["name"] == "Tea"
    sold = {sku: (one["price"], one["quantity"]) for sku, one in easy_variants(pair).items()}
    assert sold == {"TEA-S": (10, 10), "TEA-L": (18, 10)}
    there = {
        sku: (one["regular_price"], one["stock_quantity"])
        for sku, one in woo_variants(pair).items()
    }
    assert there == {"TEA-S": ("10", 10), "TEA-L": ("18", 10)}
    assert await pair.rows("select entity, status, last_error from pushes") == []


async def test_a_product_of_woocommerce_follows_in_easyorder(pair: Pair) -> None:
    shop = pair.woo.shop
    drinks = shop.create("categories", {"name": "Drinks", "slug": "drinks"})
    hot = shop.create("categories", {"name": "Hot", "slug": "hot", "parent": drinks.id})
    await pair.sync(pair.woo_id, "categories")
    size = {"name": "Size", "options": ["S", "L"], "variation": True, "visible": True}
    coffee = shop.create(
        "products",
        {
            "name": "Coffee",
            "slug": "coffee",
            "type": "variable",
            "status": "publish",
            "categories": [{"id": hot.id}],
            "attributes": [size],
            "tags": [{"name": "hot"}],
        },
    )
    for name in ("S", "L"):
        shop.create(
            "variations",
            {
                "sku": f"CUP-{name}",
                "regular_price": "3",
                "attributes": [{"name": "Size", "option": name}],
                "manage_stock": True,
                "stock_quantity": 5,
            },
            parent=coffee.id,
        )
    await pair.settled()
    [made] = pair.easy_rows("products")
    drinks_there, hot_there = pair.easy_rows("categories")
    assert (drinks_there["slug"], hot_there["slug"]) == ("drinks", "hot")
    assert hot_there["parent_id"] == drinks_there["id"]
    assert [one["id"] for one in made["categories"]] == [hot_there["id"]]
    there = {sku: (one["price"], one["quantity"]) for sku, one in easy_variants(pair).items()}
    assert there == {"CUP-S": (3, 5), "CUP-L": (3, 5)}

    small = woo_variants(pair)["CUP-S"]["id"]
    shop.edit("variations", small, {"regular_price": "4"})
    shop.create(
        "variations",
        {
            "sku": "CUP-XL",
            "regular_price": "6",
            "attributes": [{"name": "Size", "option": "XL"}],
            "manage_stock": True,
            "stock_quantity": 2,
        },
        parent=coffee.id,
    )
    options = ["S", "L", "XL"]
    changed = {"name": "Fine coffee", "attributes": [{**size, "options": options}]}
    shop.edit("products", coffee.id, changed)
    await pair.settled()
    [made] = pair.easy_rows("products")
    there = {sku: (one["price"], one["quantity"]) for sku, one in easy_variants(pair).items()}
    assert made["name"] == "Fine coffee"
    assert there == {"CUP-S": (4, 5), "CUP-L": (3, 5), "CUP-XL": (6, 2)}
    assert await pair.rows("select count(*) from products") == [(1,)]

    shop.trash("products", coffee.id)
    await pair.settled()
    [made] = pair.easy_rows("products")
    assert made["hidden"] is True
    assert await pair.rows("select entity, status, last_error from pushes") == []


async def test_stock_of_both_stores_is_one(pair: Pair) -> None:
    made = await pair.post("/api/products", tea())
    await pair.settled()
    [easy] = pair.easy_rows("products")
    small, large = (easy_variants(pair)[sku]["id"] for sku in ("TEA-S", "TEA-L"))
    lines = [{"product_id": easy["id"], "variant_id": small, "quantity": 2}]
    placed = pair.easy.store.order({"lines": lines})
    await pair.settled()
    ids = {one["sku"]: one["id"] for one in made["variants"]}
    levels = await pair.rows(
        "select on_hand, reserved from inventory_levels where variant_id = :id", id=ids["TEA-S"]
    )
    assert levels == [(10, 2)]
    assert (woo_stock(pair), easy_stock(pair)) == (
        {"TEA-S": 8, "TEA-L": 10},
        {"TEA-S": 8, "TEA-L": 10},
    )

    sold = [
        {"variantId": ids["TEA-S"], "quantity": "3"},
        {"variantId": ids["TEA-L"], "quantity": "1"},
    ]
    await pair.post("/api/invoices", {"number": "R-1", "lines": sold})
    await pair.settled()
    assert woo_stock(pair) == easy_stock(pair) == {"TEA-S": 5, "TEA-L": 9}

    # The store says nowhere that it puts anything back: then the hub does.
    settings = {"settings": {"restocksCancelled": False}}
    await pair.patch(f"/api/stores/{pair.easy_id}", settings)
    pair.easy.store.set_status(placed["id"], "canceled")
    await pair.settled()
    assert woo_stock(pair) == easy_stock(pair) == {"TEA-S": 7, "TEA-L": 9}
    assert large != small
    assert await pair.rows("select entity, status, last_error from pushes") == []


def woo_stock(pair: Pair) -> dict[str, int]:
    return {sku: int(one["stock_quantity"]) for sku, one in woo_variants(pair).items()}


def easy_stock(pair: Pair) -> dict[str, int]:
    return {sku: int(one["quantity"]) for sku, one in easy_variants(pair).items()}


async def test_a_status_goes_to_the_orders_own_store_alone(pair: Pair) -> None:
    await pair.post("/api/products", tea())
    await pair.settled()
    [easy] = pair.easy_rows("products")
    placed = pair.easy.store.order(
        {
            "lines": [
                {"product_id": easy["id"], "variant_id": easy["variants"][0]["id"], "quantity": 1}
            ]
        }
    )
    woo = pair.woo.shop.create(
        "orders",
        {
            "status": "processing",
            "line_items": [
                {
                    "product_id": pair.woo_rows("products")[0]["id"],
                    "variation_id": woo_variants(pair)["TEA-S"]["id"],
                    "quantity": 1,
                }
            ],
        },
    )
    await pair.settled()
    ours = {one["externalReferences"][0]["storeId"]: one for one in await pair.orders()}
    easy_path, woo_path = (f"/api/orders/{ours[one]['id']}" for one in (pair.easy_id, pair.woo_id))
    pair.forget_requests()

    await pair.patch(easy_path, {"status": "processing"})
    await pair.settled()
    assert pair.easy.store.tables["orders"][placed["id"]]["status"] == "processing"
    assert pair.easy_writes() == [f"PATCH orders/{placed['id']}/status"]
    assert pair.woo_writes() == []

    pair.forget_requests()
    await pair.patch(woo_path, {"status": "completed"})
    await pair.settled()
    assert pair.woo.shop.document("orders", woo.id)["status"] == "completed"
    assert not [one for one in pair.easy_writes() if "orders" in one]

    pair.easy.store.set_status(placed["id"], "in_delivery")
    pair.woo.shop.edit("orders", woo.id, {"status": "refunded"})
    await pair.once(easy_path, status="shipped", rawStatus="in_delivery")
    await pair.once(woo_path, status="refunded")
    await pair.settled()
    assert pair.easy.store.tables["orders"][placed["id"]]["status"] == "in_delivery"
    assert not [one for one in pair.easy_writes() if "orders" in one]
