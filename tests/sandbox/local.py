"""A shop without a socket and with a clock that stands still until told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.woocommerce.app import Sandbox, create_app
from sandbox.woocommerce.clock import epoch_of_gmt
from sandbox.woocommerce.seed import ShopSeed
from sandbox.woocommerce.shop import Shop
from tests.sandbox.client import API

HOME = "http://shop.test"
NOW = epoch_of_gmt("2026-11-21T00:50:32")


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Local:
    """A shop, its clock, and a client with the read and write key over https."""

    shop: Shop
    box: Sandbox
    clock: Clock
    client: httpx.AsyncClient

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.client.request(method, f"{API}/{path}", **options)

    async def get(self, path: str, **params: Any) -> Any:
        return (await self.ask("GET", path, params=params)).json()

    async def control(self, method: str, path: str, **options: Any) -> Any:
        headers = {"X-Sandbox-Token": "t"}
        answer = await self.client.request(method, f"/_sandbox/{path}", headers=headers, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def first(self, kind: str) -> int:
        """The id of the first published product of a kind."""
        rows = self.shop.tables["products"].rows.values()
        return next(r.id for r in rows if r.kind == kind and r.status == "publish")


@asynccontextmanager
async def local_shop(seed: ShopSeed | None = None, **options: Any) -> AsyncIterator[Local]:
    clock = Clock()
    seed = seed or ShopSeed(products=60, orders=60, seed=3)
    shop = Shop(seed, home_url=HOME, clock=clock, **options)
    box = Sandbox(shop, "t")
    transport = httpx.ASGITransport(create_app(shop, sandbox=box))
    key = (shop.key.consumer_key, shop.key.consumer_secret)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://shop.test", auth=key
    ) as client:
        yield Local(shop, box, clock, client)
