"""An EasyOrder store end to end: connected, imported, and its orders taken from webhooks."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from sandbox.easyorder.app import Sandbox
from sandbox.easyorder.seed import StoreSeed
from sandbox.easyorder.serving import Ready, serving
from sandbox.easyorder.shop import Behaviour
from tests.workflows.two_stores import PairApi

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("unhurried")]


@pytest_asyncio.fixture(loop_scope="module")
async def http(pair_api: PairApi, workers: None) -> httpx.AsyncClient:
    return pair_api[0]


@pytest_asyncio.fixture(loop_scope="module")
async def store(http: httpx.AsyncClient) -> AsyncIterator[tuple[Ready, Sandbox]]:
    seed = StoreSeed(products=9, categories=3)
    async with serving(seed, Behaviour(requests_per_minute=100_000)) as (ready, box):
        box.courier.transport = http._transport
        yield ready, box


async def once(http: httpx.AsyncClient, path: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """The first thing of a list or a record, once it has these values."""
    async with asyncio.timeout(30):
        while True:
            body = (await http.get(path)).json()
            found: dict[str, Any] = (body["data"] or [{}])[0] if "data" in body else body
            if {name: found.get(name) for name in wanted} == wanted:
                return found
            await asyncio.sleep(0.05)


async def listed(http: httpx.AsyncClient, number: str) -> None:
    """Wait until there is an order of this number."""
    async with asyncio.timeout(30):
        while True:
            orders = (await http.get("/api/orders")).json()["data"]
            if number in {one["number"] for one in orders}:
                return
            await asyncio.sleep(0.05)


async def test_store_is_imported_and_its_orders_arrive_by_webhook(
    http: httpx.AsyncClient, store: tuple[Ready, Sandbox]
) -> None:
    ready, box = store
    config = {
        "storeUrl": "https://store.example/mine",
        "apiKey": ready.api_key,
        "apiUrl": ready.api_url,
    }
    both = {"products": "both", "categories": "both"}
    body = {"name": "Easy", "code": "easy", "provider": "easyorder", "sync": True}
    answer = await http.post("/api/stores", json={**body, "config": config, "syncDirections": both})
    assert answer.status_code == 201, answer.text
    connected = answer.json()
    path = f"/api/stores/{connected['id']}"
    await once(http, path, {"syncStatus": "success"})
    products = (await http.get("/api/products", params={"limit": 50})).json()["data"]
    categories = (await http.get("/api/categories")).json()["data"]

    urls = connected["webhookUrls"]
    orders = box.courier.add("orders", urls["newOrder"])
    statuses = box.courier.add("order_status", urls["orderStatus"])
    refused = box.store.order({})
    await box.courier.drained()
    secrets = {"webhookSecret": orders.secret, "statusWebhookSecret": statuses.secret}
    entered = await http.patch(path, json={"config": {**secrets, "orderScan": True}})
    placed = box.store.order({"phone": "01034567890"})
    await box.courier.drained()
    order = await once(http, "/api/orders", {"status": "pending"})
    box.store.set_status(placed["id"], "in_delivery")
    await box.courier.drained()
    shipped = await once(http, f"/api/orders/{order['id']}", {"status": "shipped"})

    box.courier.webhooks.clear()
    missed = box.store.order({})
    synced = await http.post(f"{path}/sync", json={})
    await listed(http, str(missed["short_id"]))

    assert synced.status_code == 202, synced.text
    assert connected["webhookSecret"] is None
    assert len(products) == len(box.store.tables["products"])
    assert len(categories) == len(box.store.tables["categories"])
    assert entered.status_code == 200, entered.text
    assert [one["status"] for one in box.courier.sent] == [401, 200, 200]
    assert (order["number"], shipped["rawStatus"]) == (str(placed["short_id"]), "in_delivery")
    assert refused["short_id"] != placed["short_id"]
    assert order["currency"] == "EGP"
