"""The demo's round trip: a price changed in the hub reaches the shop, and one changed there comes
back by webhook. In the end everything is as it was."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final

import httpx

from runtime.cli.api_client import ApiClient
from runtime.cli.errors import CliError
from runtime.cli.sandbox_shop import SandboxShop

_PATIENCE_S: Final = 45.0
_LOOK_EVERY_S: Final = 0.05
_RAISE: Final = Decimal(1)
_ROWS: Final = 100


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Seconds until a change was seen on the other side."""

    sku: str
    to_shop_s: float
    to_hub_s: float


async def make_round_trip(api: ApiClient, shop: SandboxShop, store_id: int) -> RoundTrip:
    """Change a price here, then there.

    Raises:
        CliError: a change did not arrive.
    """
    async with shop.control() as control:
        await _until(partial(_has_webhooks, control), "the shop has no webhooks of the hub")
        rows = await _shop_rows(control)
        product, external_id = await _pick(api, store_id, rows)
        variant = product["variants"][0]
        before = Decimal(variant["price"])
        path = f"/api/products/{product['id']}"

        began = time.monotonic()
        raised = {"variants": [{"id": variant["id"], "price": str(before + _RAISE)}]}
        await api.patch(path, raised)
        await _until(
            partial(_shop_price_is, control, external_id, before + _RAISE),
            "a price changed in the hub did not reach the shop",
        )
        to_shop_s = time.monotonic() - began

        began = time.monotonic()
        edit = {
            "op": "edit",
            "entity": "products",
            "ids": [int(external_id)],
            "data": {"regular_price": str(before)},
        }
        (await control.post("operations", json=edit)).raise_for_status()
        await _until(
            partial(_hub_price_is, api, path, before),
            "a price changed in the shop did not come back by webhook",
        )
        return RoundTrip(variant["sku"], to_shop_s, time.monotonic() - began)


async def _pick(api: ApiClient, store_id: int, rows: Mapping[str, Any]) -> tuple[Any, str]:
    """A simple product with a price and without a sale."""
    async for product in api.list_all("/api/products"):
        found = [
            one["externalId"]
            for one in product["externalReferences"]
            if one["storeId"] == store_id and one["externalId"] in rows
        ]
        if found and product["kind"] == "simple" and product["status"] == "active":
            [variant] = product["variants"]
            if variant["price"] is not None and variant["compareAtPrice"] is None:
                return product, found[0]
    raise CliError("the shop has no simple product to change", exit_code=1)


async def _has_webhooks(control: httpx.AsyncClient) -> bool:
    hooks = (await control.get("webhooks")).raise_for_status().json()
    return {one["topic"] for one in hooks if one["status"] == "active"} >= {"product.updated"}


async def _shop_rows(control: httpx.AsyncClient) -> dict[str, Any]:
    params: dict[str, str | int] = {"entity": "products", "page": 1, "per_page": _ROWS}
    answer = await control.get("truth", params=params)
    rows = [json.loads(line) for line in answer.raise_for_status().text.splitlines()]
    return {str(row["id"]): row for row in rows}


async def _shop_price_is(control: httpx.AsyncClient, external_id: str, price: Decimal) -> bool:
    told = (await _shop_rows(control))[external_id]["regular_price"]
    return bool(told) and Decimal(told) == price


async def _hub_price_is(api: ApiClient, path: str, price: Decimal) -> bool:
    return Decimal((await api.get(path))["variants"][0]["price"]) == price


async def _until(look: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not await look():
        if time.monotonic() > deadline:
            raise CliError(f"{otherwise} within {_PATIENCE_S:.0f} s", exit_code=1)
        await asyncio.sleep(_LOOK_EVERY_S)
