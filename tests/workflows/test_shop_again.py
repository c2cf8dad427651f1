"""A shop that is connected twice, and one that is disconnected and comes back."""

import asyncio
from typing import Any

import pytest

from tests.workflows.two_stores import ALL, PATIENCE_S, Pair

pytestmark = pytest.mark.asyncio(loop_scope="module")

_COUNTS = """
select (select count(*) from products where deleted_at is null),
       (select count(*) from product_variants where deleted_at is null),
       (select count(*) from categories where deleted_at is null),
       (select count(*) from orders where deleted_at is null)
"""
_IMPORTS = """
select status, error from sync_runs where kind = 'import' and store_id = :store order by id
"""
_NAMES = ("Edited", "Deleted", "Sold", "Renamed", "Twin", "Twin")


async def fill(pair: Pair) -> dict[str, int]:
    """Products that nothing but their ids tells apart, with stock, and an order; taken in."""
    await pair.http.delete(f"/api/stores/{pair.easy_id}")
    shop = pair.woo.shop
    category = shop.create("categories", {"name": "All", "slug": "all"})
    for name in _NAMES:
        about = {"name": name, "status": "publish", "regular_price": "5", "manage_stock": True}
        place = {"stock_quantity": 10, "categories": [{"id": category.id}]}
        shop.create("products", {**about, **place})
    sell(pair)
    await pair.sync(pair.woo_id, "categories", "products", "customers", "orders")
    await pair.settled()
    return {one["title"]: one["id"] for one in (await pair.get("/api/products"))["data"]}


def sell(pair: Pair) -> None:
    pair.woo.shop.create("orders", {"status": "processing", "billing": {"email": "n@x.test"}})


async def counts(pair: Pair) -> tuple[int, ...]:
    [row] = await pair.rows(_COUNTS)
    return row


async def connect(pair: Pair, provider: str = "woocommerce", **config: str) -> dict[str, Any]:
    """Connect a shop anew; what was answered, with its status."""
    body = {
        "name": "Again",
        "code": "again",
        "provider": provider,
        "config": {**pair.forms[provider], **config},
        "settings": {"syncDirections": ALL},
        "sync": True,
    }
    answer = await pair.http.post("/api/stores", json=body)
    return {**answer.json(), "status": answer.status_code}


async def imported(pair: Pair) -> None:
    """Wait for the end of the second import, and of all that follows from it."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            runs = await pair.rows(_IMPORTS, store=pair.woo_id)
            if len(runs) == 2 and runs[1] != ("in_progress", None):
                break
            await asyncio.sleep(0.02)
    assert runs[1] == ("success", None)
    await pair.settled()


async def test_a_shop_that_comes_back_brings_nothing_twice_and_is_sent_what_changed(
    pair: Pair,
) -> None:
    ids = await fill(pair)
    before = await counts(pair)
    shop = pair.woo.shop
    pair.woo.webhooks.courier.webhooks.clear()
    assert (await pair.http.delete(f"/api/stores/{pair.woo_id}")).status_code == 204

    await pair.patch(f"/api/products/{ids['Edited']}", {"title": "Edited here"})
    await pair.http.delete(f"/api/products/{ids['Deleted']}")
    [sold] = (await pair.get(f"/api/products/{ids['Sold']}"))["variants"]
    movement = {"variantId": sold["id"], "quantity": "-3", "kind": "adjustment"}
    await pair.post("/api/inventory/movements", movement)
    [renamed] = [one["id"] for one in pair.woo_rows("products") if one["name"] == "Renamed"]
    shop.edit("products", renamed, {"name": "Renamed there"})
    sell(pair)
    pair.forget_requests()
    made = await connect(pair)
    await imported(pair)

    assert (made["status"], made["id"], made["returned"]) == (201, pair.woo_id, True)
    assert await counts(pair) == (*before[:3], before[3] + 1)
    there = {one["name"]: one["stock_quantity"] for one in pair.woo_rows("products")}
    assert len(pair.woo_rows("products")) == len(_NAMES)
    # What the hub deleted while it knew of no such shop is the shop's still, and comes in again.
    stock = {"Edited here": 10, "Deleted": 10, "Sold": 7, "Renamed there": 10, "Twin": 10}
    assert there == stock
    here = [one["title"] for one in (await pair.get("/api/products"))["data"]]
    assert sorted(here) == sorted(one["name"] for one in pair.woo_rows("products"))
    assert await pair.rows("select entity, status, last_error from pushes") == []
    assert await pair.rows("select entity from conflicts where status = 'open'") == []


async def test_a_shop_is_one_store(pair: Pair) -> None:
    for provider, store_id in (("woocommerce", pair.woo_id), ("easyorder", pair.easy_id)):
        # What buyers see of an EasyOrder store may have several addresses: its key has one store.
        other = {"storeUrl": "https://other.example"} if provider == "easyorder" else {}
        refused = await connect(pair, provider, **other)
        assert refused["status"] == 409, refused
        assert f"store {store_id} already" in refused["detail"]
    assert await pair.rows("select count(*) from stores") == [(2,)]
