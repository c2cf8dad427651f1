"""WooCommerce and EasyOrder, two stores of one tenant, kept in step through the lanes."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from temporalio.client import Client

from db.session import Database
from providers.easyorder.manifest import MANIFEST
from runtime.settings import Settings
from tests.servers import TestDatabase
from tests.workflows.two_stores import CURRENCY, Pair, hub_api, two_stores

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", autouse=True)
def unhurried() -> Iterator[None]:
    """Without the pace of 36 requests a minute, which has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        hasty = replace(MANIFEST, requests_per_minute=None)
        patch.setattr("providers.easyorder.provider.MANIFEST", hasty)
        yield


@pytest_asyncio.fixture(loop_scope="module")
async def api(
    settings: Settings, database: TestDatabase, temporal_client: Client, workers: None
) -> AsyncIterator[tuple[httpx.AsyncClient, Database, int]]:
    async with hub_api(settings, database, temporal_client) as held:
        yield held


@pytest_asyncio.fixture(loop_scope="module")
async def pair(api: tuple[httpx.AsyncClient, Database, int]) -> AsyncIterator[Pair]:
    async with two_stores(api) as held:
        yield held


def tea(**changes: Any) -> dict[str, Any]:
    """A product of the hub with two variants and stock."""
    return {
        "title": "Tea",
        "slug": "tea",
        "currency": CURRENCY,
        "tags": ["black"],
        "shortDescription": "In short",
        "variants": [
            {
                "sku": f"TEA-{size}",
                "price": price,
                "barcode": f"40000000000{place}",
                "weight": "0.25",
                "optionValues": {"Size": size},
                "quantity": "10",
            }
            for place, (size, price) in enumerate((("S", "10.00"), ("L", "18.00")))
        ],
        **changes,
    }


def woo_variants(pair: Pair) -> dict[str, dict[str, Any]]:
    return {row["sku"]: row for row in pair.woo_rows("variations")}


def easy_variants(pair: Pair) -> dict[str, dict[str, Any]]:
    return {
        one["taager_code"]: one for row in pair.easy_rows("products") for one in row["variants"]
    }


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
        sku: (one["regular_price"], one["stock_quantity"]) for sku, one in woo_variants(pair).items()
    }
    assert there == {"TEA-S": ("10.00", 10), "TEA-L": ("18.00", 10)}
    assert await pair.rows("select entity, status, last_error from pushes") == []
