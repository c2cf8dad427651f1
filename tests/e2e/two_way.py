"""Two shops and a hub that keeps them in step, as processes; and storms over all of them."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from tests.e2e.kills import kill_service
from tests.e2e.running import RunningHub, running_hub
from tests.e2e.shop import Shop, open_shop

VICTIMS = ("api", "worker", "events", "postgres", "temporal")
SECRET = "whs-storm-5f2d7c91"

_BOTH = {"products": "both", "categories": "both", "customers": "pull", "inventory": "off"}
_LOOK_EVERY_S = 0.1
_UNDONE = """
select (select count(*) from webhook_events where status = 'pending')
     + (select count(*) from pushes where status = 'pending')
"""


@dataclass(frozen=True, slots=True)
class Connected:
    """A shop and the store it is in the hub."""

    store_id: int
    webhook_url: str
    shop: Shop


@dataclass
class World:
    """A hub between two shops, which have nothing of their own at first."""

    hub: RunningHub
    first: Connected
    second: Connected
    told: Counter[str] = field(default_factory=Counter)

    async def post_webhook(
        self, store: Connected, topic: str, body: Mapping[str, Any], *, secret: str = SECRET
    ) -> int | None:
        """Deliver as the shop would; the status of the answer, None where there was none."""
        raw = json.dumps(body).encode()
        signature = hmac.new(secret.encode(), raw, hashlib.sha256).digest()
        headers = {
            "content-type": "application/json",
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-source": f"{store.shop.url}/",
            "x-wc-webhook-signature": base64.b64encode(signature).decode(),
            "x-wc-webhook-id": "1",
            "x-wc-webhook-delivery-id": "same-for-all",
        }
        try:
            answer = await self.hub.api.post(store.webhook_url, content=raw, headers=headers)
        except httpx.HTTPError:
            return None
        self.told[str(answer.status_code)] += 1
        return answer.status_code

    async def patch(self, path: str, body: Mapping[str, Any]) -> bool | None:
        """Change something in the hub: accepted, refused for now, or (None) nobody knows."""
        try:
            answer = await self.hub.api.patch(path, json=body)
        except httpx.HTTPError:
            return None
        if answer.status_code >= 500:
            return None
        assert answer.status_code == 200, answer.text
        return True

    async def settled(self, *, within_s: float = 90) -> None:
        """Wait until nothing is left to be done, looked at twice."""
        deadline, quiet = time.monotonic() + within_s, 0
        while quiet < 3:
            rows = await self.hub.query(_UNDONE)
            quiet = quiet + 1 if rows and rows[0][0] == 0 else 0
            if time.monotonic() > deadline:
                left = await self.hub.query(
                    "select 'event', status, attempts, error_message from webhook_events"
                    " where status <> 'processed' union all"
                    " select 'push', status, attempts, last_error from pushes"
                )
                lanes = await self.hub.query("select * from lanes")
                raise AssertionError(f"not settled after {within_s} s: {left}, {lanes}")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def catch_up(self, store: Connected) -> None:
        """Bring a store up to date: what its lost webhooks would have told."""
        answer = await self.hub.api.post(f"/api/stores/{store.store_id}/sync", json={})
        assert answer.status_code == 202, answer.text
        assert await self.hub.end_of(store.store_id, within_s=60) == ("success", None)

    async def products(self, store: Connected) -> dict[str, dict[str, Any]]:
        """What is for sale in a shop, by SKU; two of one SKU are an error."""
        answer = await store.shop.control.get("truth", params={"entity": "products"})
        rows = [json.loads(line) for line in answer.raise_for_status().text.splitlines()]
        found = {row["sku"]: row for row in rows if row["sku"]}
        assert len(found) == len([row for row in rows if row["sku"]]), "an SKU is there twice"
        return found

    async def hub_products(self) -> dict[str, dict[str, Any]]:
        """What the hub has, by the SKU of the only variant."""
        found: dict[str, dict[str, Any]] = {}
        cursor: str | None = None
        while True:
            params: dict[str, str | int] = {"limit": 200}
            if cursor is not None:
                params["cursor"] = cursor
            page = (await self.hub.api.get("/api/products", params=params)).json()
            for one in page["data"]:
                assert one["variants"][0]["sku"] not in found, "an SKU is in the hub twice"
                found[one["variants"][0]["sku"]] = one
            cursor = page["nextCursor"]
            if cursor is None:
                return found


@asynccontextmanager
async def two_way_world(data_dir: Path, **settings: str) -> AsyncIterator[World]:
    """A hub with simple products, and two shops that were sent them all."""
    port = _free_port()
    public_url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        empty = ("--products", "0", "--orders", "0", "--categories", "1")
        first = await stack.enter_async_context(open_shop(*empty))
        second = await stack.enter_async_context(open_shop(*empty, "--seed", "2"))
        hub = await stack.enter_async_context(
            running_hub(data_dir, port=port, public_url=public_url, **settings)
        )
        stores = [await connect(hub, code, shop) for code, shop in (("a", first), ("b", second))]
        for store in stores:
            assert await hub.end_of(store.store_id, within_s=60) == ("success", None)
        world = World(hub, stores[0], stores[1])
        for number in range(24):
            await _add_product(hub, f"SKU-{number:02}")
        await world.settled()
        yield world


async def _add_product(hub: RunningHub, sku: str) -> None:
    variant = {"sku": sku, "price": "10.00"}
    body = {"title": sku, "status": "active", "currency": "EUR", "variants": [variant]}
    answer = await hub.api.post("/api/products", json=body)
    assert answer.status_code == 201, answer.text


async def connect(hub: RunningHub, code: str, shop: Shop) -> Connected:
    """Connect a shop that is kept in step both ways, and import it."""
    body = {
        "name": f"Shop {code}",
        "code": code,
        "provider": "woocommerce",
        "config": {**shop.form, "webhookSecret": SECRET},
        "settings": {"syncDirections": {**_BOTH, "orderStatus": "both"}},
        "sync": True,
    }
    answer = await hub.api.post("/api/stores", json=body)
    assert answer.status_code == 201, answer.text
    store = answer.json()
    return Connected(store["id"], store["webhookUrls"]["generic"], shop)


@dataclass
class Storm:
    """Edits on all sides at once, with deliveries duplicated and forged, and processes killed.

    The first third of the products is edited in the hub alone, the second in the first shop alone,
    the third in the second shop alone: so it is known what each has to be in the end.
    """

    world: World
    random: Random
    expected: dict[str, set[str]] = field(default_factory=dict)
    orders: int = 0
    killed: Counter[str] = field(default_factory=Counter)

    async def blow(self, steps: int, *, kills: int) -> None:
        """So many edits, with so many kills among them."""
        hub = await self.world.hub_products()
        shops = [await self.world.products(one) for one in (self.world.first, self.world.second)]
        skus = sorted(hub)
        at = set(self.random.sample(range(steps), kills))
        for step in range(steps):
            if step in at:
                victim = self.random.choice(VICTIMS)
                await kill_service(self.world.hub, victim)
                self.killed[victim] += 1
            sku = self.random.choice(skus)
            title = f"{sku} step {step}"
            match skus.index(sku) % 3:
                case 0:
                    await self._edit_in_hub(hub[sku]["id"], sku, title)
                case 1:
                    await self._edit_in_shop(self.world.first, shops[0][sku], sku, title)
                case _:
                    await self._edit_in_shop(self.world.second, shops[1][sku], sku, title)
            if step % 7 == 0:
                await self.world.first.shop.operate(
                    op="create", entity="orders", count=1, seed=step
                )
                self.orders += 1

    async def _edit_in_hub(self, record_id: int, sku: str, title: str) -> None:
        accepted = await self.world.patch(f"/api/products/{record_id}", {"title": title})
        # What nobody answered may have happened or not: then either is right.
        possible = {title} if accepted else {*self.expected.get(sku, ()), title}
        self.expected[sku] = possible

    async def _edit_in_shop(
        self, store: Connected, product: dict[str, Any], sku: str, title: str
    ) -> None:
        await store.shop.operate(
            op="edit", entity="products", ids=[product["id"]], data={"name": title}
        )
        self.expected[sku] = {title}
        if self.random.random() < 0.2:
            stale = {**product, "date_modified_gmt": "2020-01-01T00:00:00", "name": "long ago"}
            for _ in range(15):
                await self.world.post_webhook(store, "product.updated", stale)
            await self.world.post_webhook(store, "product.updated", stale, secret="forged-secret-1")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
