"""What one of two stores does not spoil for the other: a closed store, and edits on all sides."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest
from temporalio.client import Client

from runtime.hub import Hub
from runtime.settings import Settings
from tests.workflows.scene import working
from tests.workflows.two_stores import CURRENCY, Pair, PairApi, two_stores

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("unhurried"),
]

NAMES = ("Local", "Remote", "Manual", "Merge", "Both")
MERGED = "fine and hot. Fresh"
PULL, BOTH = {"products": "pull"}, {"products": "both"}


async def make(pair: Pair, title: str) -> int:
    sold = {"sku": f"SKU-{title}", "price": "5", "quantity": "3"}
    body = {"title": title, "description": "fine", "currency": CURRENCY, "variants": [sold]}
    made = await pair.post("/api/products", body)
    return int(made["id"])


async def turn(pair: Pair, way: dict[str, str]) -> None:
    """Which way products go between the hub and both stores."""
    for store_id in (pair.woo_id, pair.easy_id):
        await pair.patch(f"/api/stores/{store_id}", {"syncDirections": way})


async def disagree(pair: Pair, names: Sequence[str]) -> dict[str, int]:
    """Products of these names that differ on the sides; all meet once nobody edits any more."""
    ids = {name: await make(pair, name) for name in names}
    await pair.settled()
    await turn(pair, PULL)
    for name in names:
        field = "description" if name == "Merge" else "title"
        value = "fine and hot" if name == "Merge" else f"{name} hub"
        await pair.patch(f"/api/products/{ids[name]}", {field: value})
    for row in pair.woo_rows("products"):
        if row["name"] != "Merge":
            pair.woo.shop.edit("products", row["id"], {"name": f"{row['name']} woo"})
    theirs = {"Merge": {"description": "fine. Fresh"}, "Both": {"name": "Both easy"}}
    for row in pair.easy_rows("products"):
        if row["name"] in theirs:
            pair.easy.store.update("products", row["id"], theirs[row["name"]])
    await pair.sync(pair.easy_id, "products")
    await turn(pair, BOTH)
    await pair.settled()
    return ids


async def open_conflicts(pair: Pair) -> dict[tuple[int, int], int]:
    """Ids of conflicts by store and record."""
    listed = (await pair.get("/api/conflicts", status="open"))["data"]
    return {(one["storeId"], one["recordId"]): one["id"] for one in listed}


async def check_shown(pair: Pair, of_title: int, of_text: int) -> None:
    """Both sides, what was before, and a suggestion with its reason."""
    [title] = (await pair.get(f"/api/conflicts/{of_title}"))["fields"]
    assert (title["path"], title["base"]) == ("title", "Local")
    assert (title["local"], title["remote"]) == ("Local hub", "Local woo")
    assert title["suggestion"]["reason"]
    shown = await pair.get(f"/api/conflicts/{of_text}")
    assert shown["suggestion"]["resolution"] == "merge"
    assert shown["fields"][0]["suggestion"]["value"] == MERGED


def easy_titles(pair: Pair) -> list[str]:
    return sorted(row["name"] for row in pair.easy_rows("products"))


def woo_titles(pair: Pair) -> list[str]:
    return sorted(row["name"] for row in pair.woo_rows("products"))


async def test_a_closed_store_waits_for_a_person_and_the_other_goes_on(
    pair_api: PairApi,
    temporal_client: Client,
    hub: Hub,
    settings: Settings,
) -> None:
    async with working(temporal_client, hub, settings), two_stores(pair_api) as pair:
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
    pair_api: PairApi,
    temporal_client: Client,
    hub: Hub,
    settings: Settings,
) -> None:
    async with AsyncExitStack() as stores:
        async with working(temporal_client, hub, settings):
            pair = await stores.enter_async_context(two_stores(pair_api, conflictPolicy="manual"))
            ids = await disagree(pair, NAMES)
        # The workers are gone; others take over.
        found = await open_conflicts(pair)
        woo = {name: found[pair.woo_id, ids[name]] for name in NAMES if name != "Merge"}
        easy = {name: found[pair.easy_id, ids[name]] for name in ("Merge", "Both")}
        assert len(found) == len(woo) + len(easy)
        await check_shown(pair, woo["Local"], easy["Merge"])
        async with working(temporal_client, hub, settings):
            await pair.settled()
            assert woo_titles(pair) == [
                *("Both woo", "Local woo", "Manual woo", "Merge", "Remote woo"),
            ]
            assert easy_titles(pair) == [
                *("Both easy", "Local hub", "Manual hub", "Merge", "Remote hub"),
            ]
            for number, resolution in (
                (woo["Local"], "local"),
                (woo["Remote"], "remote"),
                (woo["Manual"], "manual"),
                (easy["Merge"], "merge"),
                (woo["Both"], "remote"),
                (easy["Both"], "local"),
            ):
                data = {"data": {"title": "Decided"}} if resolution == "manual" else {}
                path = f"/api/conflicts/{number}/resolve"
                decided = await pair.post(path, {"resolution": resolution, **data})
                assert (decided["status"], decided["resolution"]) == ("resolved", resolution)
            await pair.settled()
            await check_alike(pair, ["Both woo", "Decided", "Local hub", "Merge", "Remote woo"])


async def check_alike(pair: Pair, titles: list[str]) -> None:
    """The hub and both stores say the same; said again by both stores, it is nothing new."""
    products = (await pair.get("/api/products"))["data"]
    assert sorted(one["title"] for one in products) == titles
    assert woo_titles(pair) == easy_titles(pair) == titles
    for rows in (pair.easy_rows("products"), pair.woo_rows("products")):
        [text] = [one["description"] for one in rows if one["name"] == "Merge"]
        assert MERGED in text
    pair.forget_requests()
    await pair.sync(pair.easy_id, "products")
    await pair.sync(pair.woo_id, "products")
    await pair.settled()
    assert (pair.easy_writes(), pair.woo_writes()) == ([], [])
    assert await open_conflicts(pair) == {}
