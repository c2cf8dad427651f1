"""What is asked for through the API: pushes, sent by the lane and seen in the shop, and waits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from runtime.settings import Settings
from tests.workflows.asking import Asker, asking
from tests.workflows.conftest import OpenStore
from tests.workflows.scene import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

OpenAsker = Callable[..., Awaitable[Asker]]


@pytest_asyncio.fixture(loop_scope="module")
async def open_asker(open_store: OpenStore, settings: Settings) -> AsyncIterator[OpenAsker]:
    """A new store whose directions are its provider's usual ones, and a tool that asks things."""
    async with AsyncExitStack() as stack:

        async def open_one(**seed: Any) -> Asker:
            scene = await open_store(**{"products": 0, "orders": 0, "categories": 1} | seed)
            await scene.rows(
                """update stores set settings = '{"syncDirections": {"products": "both","""
                """ "customers": "pull", "inventory": "pull"}}' where id = :store"""
            )
            return await stack.enter_async_context(asking(scene, settings))

        yield open_one


async def new_customers(asker: Asker, count: int) -> list[int]:
    """Customers that only the hub has."""
    made = [
        await asker.http.post("/api/customers", json={"email": f"hub{one}@example.com"})
        for one in range(count)
    ]
    assert {one.status_code for one in made} == {201}
    return [one.json()["id"] for one in made]


def in_shop(asker: Asker) -> list[str]:
    """Who of them has an account in the shop."""
    table = asker.scene.shop.shop.tables["customers"]
    emails = [str(table.document(row)["email"]) for row in table.rows.values()]
    return sorted(one for one in emails if one.startswith("hub"))


def writes(asker: Asker) -> list[tuple[str, str]]:
    return [(method, path) for method, path, _ in asker.asked() if method != "GET"]


async def test_customers_are_sent_to_a_shop_that_is_pulled_from(open_asker: OpenAsker) -> None:
    asker = await open_asker(customers=2)
    first, second, third = await new_customers(asker, 3)
    asker.asked()
    shown = await asker.demand("customers/push", {"customerIds": [first, third]})
    assert (shown["status"], shown["run"]["error"]) == ("success", None)
    assert shown["pushed"]["customers"] == {
        "queued": 2,
        "sent": 2,
        "held": 0,
        "waiting": 0,
        "failed": 0,
        "passedOn": 0,
        "skipped": 0,
    }
    assert in_shop(asker) == ["hub0@example.com", "hub2@example.com"]
    history = await asker.http.get("/api/woocommerce-sync/history?event_type=completed")
    [line] = [one for one in history.json()["data"] if one["direction"] == "push"]
    assert (line["statusUrl"], line["counts"]) == (
        f"/api/syncs/{shown['workflowId']}",
        {"sent": 2, "created": 2},
    )
    assert writes(asker) == [("POST", "customers/batch")]
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    later = await asker.demand("customers/push", {"syncModifiedSince": since})
    assert (later["status"], in_shop(asker)[1]) == ("success", "hub1@example.com")
    assert second


async def test_the_stock_of_one_product_is_answered_as_the_shop_shows_it(
    open_asker: OpenAsker,
) -> None:
    asker = await open_asker(products=20)
    await asker.demand("products/pull", {"limit": 20})
    [(product_id, variant_id, key, shown)] = await asker.scene.rows(
        "select v.product_id, v.id, l.external_id, b.agreed from product_variants v"
        " join store_levels b on b.variant_id = v.id"
        " join links l on l.record_id = v.id and l.entity = 'variants'"
        " where (select count(*) from product_variants w where w.product_id = v.product_id) = 1"
        " order by v.id limit 1"
    )
    moved = await asker.http.post(
        "/api/inventory/movements",
        json={"variantId": variant_id, "kind": "receipt", "quantity": "3"},
    )
    assert moved.status_code == 201, moved.text
    asker.asked()
    answer = await asker.post(f"inventory/push/{product_id}")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()["variants"][0]
    assert (told["externalId"], told["outcome"]) == (key, "done")
    assert (int(told["before"]), int(told["after"])) == (int(shown), int(shown) + 3)
    assert [method for method, _ in writes(asker)] == ["POST"]
    table = asker.scene.shop.shop.tables["products"]
    assert table.document(table.rows[int(key)])["stock_quantity"] == int(shown) + 3


@pytest.mark.parametrize(
    ("path", "body"),
    [("customers/pull", {"limit": 5}), ("full", {"direction": "pull"})],
    ids=["a part", "by a pull of the whole"],
)
async def test_who_asks_again_ends_the_wait_for_the_shop(
    open_asker: OpenAsker, path: str, body: dict[str, Any]
) -> None:
    asker = await open_asker(customers=6)
    asker.scene.fail("error", status=503, path="/wc/v3/customers")
    first = (await asker.post(path, body)).json()
    await asker.scene.store_row_once(lambda row: row["sync_retry_count"] == 1)
    asker.scene.shop.faults.rules.clear()
    again = (await asker.post(path, body)).json()
    assert (again["alreadyRunning"], again["workflowId"]) == (True, first["workflowId"])
    shown = await asker.finished(again["statusUrl"])
    assert (shown["status"], shown["entities"]["customers"]["created"] >= 5) == ("success", True)
    row = await asker.scene.store_row()
    assert (row["sync_status"], row["sync_retry_count"]) == ("success", 0)


async def test_who_asks_again_ends_the_wait_of_pushes(open_asker: OpenAsker) -> None:
    asker = await open_asker(customers=2)
    await asker.demand("customers/pull", {"limit": 1})
    customer = (await asker.http.get("/api/customers?limit=1")).json()["data"][0]["id"]
    edited = await asker.http.patch(f"/api/customers/{customer}", json={"firstName": "Edited"})
    assert edited.status_code == 200, edited.text
    asker.scene.fail("error", status=503, path="/wc/v3/customers/batch")
    body = {"customerIds": [customer]}
    await asker.post("customers/push", body)
    waits = (
        "update lanes set next_attempt_at = now() + interval '1 hour'"
        " where kind = 'push' and next_attempt_at is not null returning failures"
    )
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await asyncio.sleep(0.05)
            if await asker.scene.rows(waits):
                break
    asker.scene.shop.faults.rules.clear()
    again = (await asker.post("customers/push", body)).json()
    assert again["alreadyRunning"] is True
    shown = await asker.finished(again["statusUrl"])
    assert (shown["status"], shown["pushed"]["customers"]["sent"]) == ("success", 1)


async def test_products_that_are_forced_are_written_whole_and_not_doubled(
    open_asker: OpenAsker,
) -> None:
    asker = await open_asker(products=6)
    await asker.demand("products/pull", {"limit": 10})
    before = len(asker.scene.shop.shop.tables["products"].ids())
    variations = len(asker.scene.shop.shop.tables["variations"].ids())
    asker.asked()
    shown = await asker.demand("full", {"direction": "push", "force": True})
    assert (shown["status"], shown["run"]["error"]) == ("success", None)
    assert shown["pushed"]["products"]["sent"] == before
    assert ("POST", "products/batch") in writes(asker)
    assert len(asker.scene.shop.shop.tables["products"].ids()) == before
    assert len(asker.scene.shop.shop.tables["variations"].ids()) == variations
    asker.asked()
    again = await asker.demand("full", {"direction": "push"})
    assert again["pushed"]["products"]["sent"] == before
    assert writes(asker) == []
