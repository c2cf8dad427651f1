"""What one of two stores does not spoil for the other: a closed store, and edits on all sides."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from temporalio.client import Client

from db.session import Database
from providers.easyorder.manifest import MANIFEST
from runtime.hub import Hub
from runtime.settings import Settings
from tests.servers import TestDatabase
from tests.workflows.scene import working
from tests.workflows.two_stores import CURRENCY, Pair, hub_api, two_stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

PULL, BOTH = {"products": "pull"}, {"products": "both"}


@pytest.fixture(scope="module", autouse=True)
def unhurried() -> Iterator[None]:
    """Without the pace of 36 requests a minute, which has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        hasty = replace(MANIFEST, requests_per_minute=None)
        patch.setattr("providers.easyorder.provider.MANIFEST", hasty)
        yield


@pytest_asyncio.fixture(loop_scope="module")
async def api(
    settings: Settings, database: TestDatabase, temporal_client: Client
) -> AsyncIterator[tuple[httpx.AsyncClient, Database, int]]:
    async with hub_api(settings, database, temporal_client) as held:
        yield held


async def make(pair: Pair, title: str) -> int:
    sold = {"sku": f"SKU-{title}", "price": "5", "quantity": "3"}
    body = {"title": title, "description": "fine", "currency": CURRENCY, "variants": [sold]}
    made = await pair.post("/api/products", body)
    return int(made["id"])


def easy_titles(pair: Pair) -> list[str]:
    return sorted(row["name"] for row in pair.easy_rows("products"))


def woo_titles(pair: Pair) -> list[str]:
    return sorted(row["name"] for row in pair.woo_rows("products"))


async def test_a_closed_store_waits_for_a_person_and_the_other_goes_on(
    api: tuple[httpx.AsyncClient, Database, int],
    temporal_client: Client,
    hub: Hub,
    settings: Settings,
) -> None:
    async with working(temporal_client, hub, settings), two_stores(api) as pair:
        await make(pair, "Tea")
        await pair.settled()
        [easy] = pair.easy_rows("products")
        placed = pair.easy.store.order({"lines": [{"product_id": easy["id"], "quantity": 1}]})
        await pair.settled()
        pair.easy.store.behaviour.is_active = False
        await make(pair, "Coffee")
        pair.easy.store.set_status(placed["id"], "delivered")
        await pair.easy.courier.drained()
        paused = await pair.paused(pair.easy_id, "inbox", "push")
        assert all("connection suspended" in reason for reason in paused.values())
        assert {one["status"] for one in pair.easy.courier.sent} == {200}
        await pair.told(pair.woo_id)
        assert (woo_titles(pair), easy_titles(pair)) == (["Coffee", "Tea"], ["Tea"])
        alerts = (await pair.get("/api/alerts", status="open"))["data"]
        assert {one["storeId"] for one in alerts} == {pair.easy_id}
        assert "its owner has to settle that with EasyOrders" in alerts[0]["message"]
        assert alerts[0]["command"] == f"POST /api/stores/{pair.easy_id}/retry-failed-sync"
        pair.forget_requests()
        await make(pair, "Cocoa")
        await pair.told(pair.woo_id)
        assert pair.easy.journal.log() == []

        pair.easy.store.behaviour.is_active = True
        await pair.post(f"/api/stores/{pair.easy_id}/retry-failed-sync", {})
        await pair.settled()
        [order] = await pair.orders()
        assert order["status"] == "completed"
        assert easy_titles(pair) == woo_titles(pair) == ["Cocoa", "Coffee", "Tea"]
        assert (await pair.get("/api/alerts", status="open"))["data"] == []


async def test_conflicts_are_held_on_all_sides_until_they_are_decided(
    api: tuple[httpx.AsyncClient, Database, int],
    temporal_client: Client,
    hub: Hub,
    settings: Settings,
) -> None:
    names = ("Local", "Remote", "Manual", "Merge", "Both")
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        await first.enter_async_context(working(temporal_client, hub, settings))
        pair = await stack.enter_async_context(two_stores(api, conflictPolicy="manual"))
        ids = {name: await make(pair, name) for name in names}
        await pair.settled()
        for store_id in (pair.woo_id, pair.easy_id):
            await pair.patch(f"/api/stores/{store_id}", {"syncDirections": PULL})
        for name in names:
            field = "description" if name == "Merge" else "title"
            text = "fine and hot" if name == "Merge" else f"{name} hub"
            await pair.patch(f"/api/products/{ids[name]}", {field: text})
        for row in pair.woo_rows("products"):
            if row["name"] != "Merge":
                pair.woo.shop.edit("products", row["id"], {"name": f"{row['name']} woo"})
        for row in pair.easy_rows("products"):
            if row["name"] == "Merge":
                pair.easy.store.update("products", row["id"], {"description": "fine. Fresh"})
            elif row["name"] == "Both":
                pair.easy.store.update("products", row["id"], {"name": "Both easy"})
        await pair.sync(pair.easy_id, "products")
        for store_id in (pair.woo_id, pair.easy_id):
            await pair.patch(f"/api/stores/{store_id}", {"syncDirections": BOTH})
        await pair.settled()
    # The workers are gone; others take over.
    listed = (await pair.get("/api/conflicts", status="open"))["data"]
    found = {(one["storeId"], one["recordId"]): one["id"] for one in listed}
    woo, easy = pair.woo_id, pair.easy_id
    assert set(found) == {
        *((woo, ids[name]) for name in ("Local", "Remote", "Manual", "Both")),
        *((easy, ids[name]) for name in ("Merge", "Both")),
    }
    shown = await pair.get(f"/api/conflicts/{found[woo, ids['Local']]}")
    [title] = shown["fields"]
    assert (title["path"], title["base"]) == ("title", "Local")
    assert (title["local"], title["remote"]) == ("Local hub", "Local woo")
    assert title["suggestion"]["reason"]
    shown = await pair.get(f"/api/conflicts/{found[easy, ids['Merge']]}")
    assert shown["suggestion"]["resolution"] == "merge"
    assert shown["fields"][0]["suggestion"]["value"] == "fine and hot. Fresh"

    async with working(temporal_client, hub, settings):
        await pair.settled()
        assert woo_titles(pair) == [
            *("Both woo", "Local woo", "Manual woo", "Merge", "Remote woo"),
        ]
        assert easy_titles(pair) == [
            *("Both easy", "Local hub", "Manual hub", "Merge", "Remote hub"),
        ]
        decisions: list[tuple[int, str, dict[str, Any]]] = [
            (found[woo, ids["Local"]], "local", {}),
            (found[woo, ids["Remote"]], "remote", {}),
            (found[woo, ids["Manual"]], "manual", {"title": "Decided"}),
            (found[easy, ids["Merge"]], "merge", {}),
            (found[woo, ids["Both"]], "remote", {}),
            (found[easy, ids["Both"]], "local", {}),
        ]
        for number, resolution, data in decisions:
            body = {"resolution": resolution, **({"data": data} if data else {})}
            decided = await pair.post(f"/api/conflicts/{number}/resolve", body)
            assert (decided["status"], decided["resolution"]) == ("resolved", resolution)
        await pair.settled()
        wanted = ["Both woo", "Decided", "Local hub", "Merge", "Remote woo"]
        products = (await pair.get("/api/products"))["data"]
        assert sorted(one["title"] for one in products) == wanted
        assert woo_titles(pair) == easy_titles(pair) == wanted
        merged = next(one for one in pair.easy_rows("products") if one["name"] == "Merge")
        assert merged["description"] == "fine and hot. Fresh"
        assert "fine and hot. Fresh" in next(
            one["description"] for one in pair.woo_rows("products") if one["name"] == "Merge"
        )
        # Said again by both stores, it is nothing new.
        pair.forget_requests()
        await pair.sync(pair.easy_id, "products")
        await pair.sync(pair.woo_id, "products")
        await pair.settled()
        assert (pair.easy_writes(), pair.woo_writes()) == ([], [])
        assert (await pair.get("/api/conflicts", status="open"))["data"] == []
        await held.__aexit__(None, None, None)
