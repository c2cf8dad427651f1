"""Two shops and a hub that keeps them in step, as processes."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from psycopg.rows import TupleRow

from tests.e2e.running import RunningHub, running_hub
from tests.e2e.shop import Shop, open_shop

SECRET = "whs-storm-5f2d7c91"
PRODUCTS = 24
OPENING, SCARCE = 1_000, 6

_DIRECTIONS = {
    "products": "both",
    "categories": "both",
    "customers": "pull",
    "inventory": "both",
    "orderStatus": "both",
}
_LOOK_EVERY_S = 0.1
_UNDONE = """
select (select count(*) from webhook_events where status = 'pending')
     + (select count(*) from pushes where status = 'pending')
"""
_NEWEST_RUN = "select max(id) from sync_runs where store_id = %(store)s"
_LEFT = """
select 'event', store_id, topic, attempts, error_message from webhook_events
where status = 'pending'
union all
select 'push', store_id, entity, attempts, last_error from pushes where status = 'pending'
union all
select 'lane', key, kind, 0, concat(awake, ' ', next_attempt_at, ' ', paused_reason) from lanes
"""


@dataclass(frozen=True, slots=True)
class Connected:
    """A shop and the store it is in the hub."""

    store_id: int
    webhook_url: str
    shop: Shop

    async def for_sale(self) -> dict[str, dict[str, Any]]:
        """The shop's products by SKU; two of one SKU are an error."""
        rows = [row for row in await self.truth("products") if row["sku"]]
        found = {row["sku"]: row for row in rows}
        assert len(found) == len(rows), f"an SKU is in {self.shop.url} twice"
        return found

    async def truth(self, entity: str) -> list[dict[str, Any]]:
        """What is live in the shop."""
        answer = await self.shop.control.get("truth", params={"entity": entity})
        return [json.loads(line) for line in answer.raise_for_status().text.splitlines()]

    async def disturb(self, **what: Any) -> list[int]:
        """Let the shop deliver its webhooks in another way; the statuses of what it sent now."""
        answer = await self.shop.control.post("webhooks", json=what)
        statuses: list[int] = answer.raise_for_status().json()["statuses"]
        return statuses


@dataclass(frozen=True, slots=True)
class Posted:
    """A delivery; `status` None: it was not answered. Equal ones have the same name."""

    store_id: int
    name: str
    status: int | None


def delivery_name(topic: str, body: bytes) -> str:
    """What two deliveries share that say the same."""
    return f"{topic} {hashlib.sha256(body).hexdigest()}"


@dataclass
class World:
    """A hub between two shops, which have nothing of their own at first."""

    hub: RunningHub
    first: Connected
    second: Connected
    posted: list[Posted] = field(default_factory=list)

    @property
    def stores(self) -> tuple[Connected, Connected]:
        """Both."""
        return self.first, self.second

    async def post_webhook(
        self, store: Connected, topic: str, body: Mapping[str, Any], *, secret: str = SECRET
    ) -> int | None:
        """Deliver what the shop itself would not; the status, None where there was no answer."""
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
        status: int | None = None
        try:
            answer = await self.hub.api.post(store.webhook_url, content=raw, headers=headers)
            status = answer.status_code
        except httpx.HTTPError:
            pass  # nobody knows whether it was taken
        self.posted.append(Posted(store.store_id, delivery_name(topic, raw), status))
        return status

    async def collect_deliveries(self, store: Connected) -> None:
        """Take over what the shop itself has delivered since the last time, pings left out."""
        await store.shop.control.post("drain")
        sent = (await store.shop.control.get("deliveries")).raise_for_status().json()
        (await store.shop.control.delete("deliveries")).raise_for_status()
        self.posted += [
            Posted(
                store.store_id,
                delivery_name(one["topic"], one["body"].encode()),
                one["status"] or None,
            )
            for one in sent
            if one["record_id"]
        ]

    async def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, key: str = ""
    ) -> httpx.Response | None:
        """Ask the hub once; None: nobody knows whether it was done."""
        headers = {"Idempotency-Key": key} if key else None
        try:
            answer = await self.hub.api.request(method, path, json=body, headers=headers)
        except httpx.HTTPError:
            return None
        return answer if answer.status_code < 500 else None

    async def make(self, path: str, body: Mapping[str, Any], *, key: str) -> dict[str, Any] | None:
        """Make something under a key, asked again until there is an answer.

        None: who died at it may have been done with it; nobody else is let at it for two minutes.
        """
        answer = await self.insist("POST", path, body, key=key)
        if answer.status_code == httpx.codes.CONFLICT and "Idempotency-Key" in answer.text:
            return None
        assert answer.status_code == httpx.codes.CREATED, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def insist(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, key: str = ""
    ) -> httpx.Response:
        """Ask until there is an answer, for what may be done twice."""
        deadline = time.monotonic() + 90
        while (answer := await self.ask(method, path, body, key=key)) is None:
            assert time.monotonic() < deadline, f"no answer to {method} {path}"
            await asyncio.sleep(_LOOK_EVERY_S)
        return answer

    async def rows(self, statement: str, **params: Any) -> list[TupleRow]:
        """The rows of a statement, once the database answers."""
        while True:
            rows = await self.hub.query(statement, **params)
            if rows is not None:
                return rows
            await asyncio.sleep(_LOOK_EVERY_S)

    async def undone(self) -> int:
        """How many events and pushes wait."""
        return int((await self.rows(_UNDONE))[0][0])

    async def settled(self, *, within_s: float = 90) -> None:
        """Wait until nothing is left to be done, looked at thrice."""
        deadline, quiet = time.monotonic() + within_s, 0
        while quiet < 3:
            quiet = quiet + 1 if await self.undone() == 0 else 0
            if time.monotonic() > deadline:
                raise AssertionError(f"not settled: {await self.rows(_LEFT)}")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def catch_up(self, store: Connected, kind: str = "pull") -> None:
        """Bring a store up to date: what its lost webhooks would have told."""
        before = await self.rows(_NEWEST_RUN, store=store.store_id)
        path, deadline = f"/api/stores/{store.store_id}/sync", time.monotonic() + 60
        answer = await self.insist("POST", path, {"kind": kind})
        assert answer.status_code == 202, answer.text
        while await self.rows(_NEWEST_RUN, store=store.store_id) == before:
            assert time.monotonic() < deadline, f"no {kind} began"
            await asyncio.sleep(_LOOK_EVERY_S)
        assert await self.hub.end_of(store.store_id, within_s=60) == ("success", None)

    async def hub_products(self) -> dict[str, dict[str, Any]]:
        """What the hub has, by the SKU of the only variant."""
        found: dict[str, dict[str, Any]] = {}
        cursor: str | None = None
        while True:
            after = "" if cursor is None else f"&cursor={cursor}"
            page = (await self.insist("GET", f"/api/products?limit=200{after}")).json()
            for one in page["data"]:
                assert one["variants"][0]["sku"] not in found, "an SKU is in the hub twice"
                found[one["variants"][0]["sku"]] = one
            cursor = page["nextCursor"]
            if cursor is None:
                return found


@asynccontextmanager
async def two_way_world(data_dir: Path, **settings: str) -> AsyncIterator[World]:
    """A hub with simple products, and two shops that were sent them all."""
    # The shops answer at once: what they were asked to make is there or will not be.
    settings = {"create_doubt_s": "3", **settings}
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
        for number in range(PRODUCTS):
            scarce = number == PRODUCTS - 1
            await _add_product(hub, f"SKU-{number:02}", SCARCE if scarce else OPENING)
        await world.settled()
        yield world


async def _add_product(hub: RunningHub, sku: str, opening: int) -> None:
    variant = {"sku": sku, "price": "10.00", "quantity": str(opening)}
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
        "settings": {"syncDirections": _DIRECTIONS},
        "sync": True,
    }
    answer = await hub.api.post("/api/stores", json=body)
    assert answer.status_code == 201, answer.text
    store = answer.json()
    return Connected(store["id"], store["webhookUrls"]["generic"], shop)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
