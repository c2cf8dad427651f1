"""A tenant with a WooCommerce shop and an EasyOrder store, a hub that works, and its API."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text
from temporalio.client import Client

from api.app import create_app
from db.keys import NewKey, create_key
from db.session import Database
from db.tenants import create_tenant
from providers.woocommerce.topics import TOPICS
from runtime.api_process import build_services
from runtime.settings import Settings
from sandbox.easyorder import serving as easyorder
from sandbox.easyorder.app import Sandbox as EasyBox
from sandbox.easyorder.seed import StoreSeed
from sandbox.easyorder.shop import Behaviour
from sandbox.journal import Journal
from sandbox.woocommerce import serving as woocommerce
from sandbox.woocommerce.app import Sandbox as WooBox
from sandbox.woocommerce.deliveries import Webhook
from sandbox.woocommerce.seed import ShopSeed
from tests.servers import TestDatabase

PATIENCE_S = 30
CURRENCY = "EUR"
ALL = dict.fromkeys(("products", "categories", "inventory", "orderStatus"), "both")

PairApi = tuple[httpx.AsyncClient, Database, int]
"""The API with a key of a tenant, its database, and the tenant's id."""
_SECRET = "whs_pair_5f2d7c91"
_UNDONE = """
select (select count(*) from webhook_events where status = 'pending')
     + (select count(*) from pushes where status = 'pending')
"""
_WHY = """
select kind || '/' || key, paused_reason from lanes where paused_reason is not null
union all select entity || ' ' || record_id, last_error from pushes
union all select 'event ' || id, error_message from webhook_events where status <> 'processed'
"""


@dataclass
class Pair:
    """Two stores of one tenant. Ids are the hub's, unless a name says otherwise."""

    http: httpx.AsyncClient
    database: Database
    tenant_id: int
    woo: WooBox
    easy: EasyBox
    woo_id: int
    easy_id: int
    forms: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    async def get(self, path: str, **params: Any) -> Any:
        """What a route answers."""
        return await self._ask("GET", path, params=params)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Post a body; what was answered."""
        return await self._ask("POST", path, json=body)

    async def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change something; what was answered."""
        return await self._ask("PATCH", path, json=body)

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        answer = await self.http.request(method, path, **more)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def rows(self, statement: str, **params: Any) -> list[tuple[Any, ...]]:
        """SQL as the application within the tenant."""
        async with self.database.tenant(self.tenant_id) as connection:
            result = await connection.execute(text(statement), params)
            return [tuple(row) for row in result] if result.returns_rows else []

    async def settled(self) -> None:
        """Wait until nothing is left to be done on any side."""
        quiet = 0
        try:
            async with asyncio.timeout(PATIENCE_S):
                while quiet < 2:
                    await self.woo.webhooks.courier.drained()
                    await self.easy.courier.drained()
                    [(undone,)] = await self.rows(_UNDONE)
                    quiet = 0 if undone else quiet + 1
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not settled: {await self.rows(_WHY)}") from None

    async def once(self, path: str, **wanted: Any) -> dict[str, Any]:
        """A record once it has these values."""
        found: dict[str, Any] = {}
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not found or {name: found.get(name) for name in wanted} != wanted:
                    found = await self.get(path)
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{path} is not {wanted}: {found}") from None
        return found

    async def told(self, store_id: int) -> None:
        """Wait until nothing waits for this store."""
        waiting = "select from pushes where store_id = :id and status = 'pending'"
        async with asyncio.timeout(PATIENCE_S):
            while True:
                if not await self.rows(waiting, id=store_id):
                    return
                await asyncio.sleep(0.02)

    async def paused(self, store_id: int, *kinds: str) -> dict[str, str]:
        """Wait until these lanes of a store are paused; why they are."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                lanes = await self.rows(
                    "select kind, paused_reason from lanes"
                    " where key = :id and kind = any(:kinds) and paused_reason is not null",
                    id=store_id,
                    kinds=list(kinds),
                )
                if len(lanes) == len(kinds):
                    return {kind: str(reason) for kind, reason in lanes}
                await asyncio.sleep(0.02)

    def woo_rows(self, table: str) -> list[dict[str, Any]]:
        """What the WooCommerce shop has, oldest first."""
        shop = self.woo.shop
        return [
            shop.document(table, row_id)
            for row_id in shop.tables[table].ids()
            if shop.tables[table].rows[row_id].status != "trash"
        ]

    def easy_rows(self, table: str) -> list[dict[str, Any]]:
        """What the EasyOrder store has, oldest first."""
        return list(self.easy.store.tables[table].values())

    def easy_writes(self) -> list[str]:
        """The writes that the EasyOrder store was asked for: method and path."""
        return _writes(self.easy.journal, "external-apps/")

    def woo_writes(self) -> list[str]:
        """The writes that the WooCommerce shop was asked for: method and path."""
        return _writes(self.woo.journal, "wc/v3/")

    async def orders(self) -> list[dict[str, Any]]:
        """The hub's orders."""
        found: list[dict[str, Any]] = (await self.get("/api/orders"))["data"]
        return found

    async def kept(self, product_id: int) -> dict[str, Any]:
        """What one of the hub's products says that EasyOrder has no place for."""
        shown = await self.get(f"/api/products/{product_id}")
        own = {name: shown[name] for name in ("tags", "shortDescription")}
        return own | {
            one["sku"]: (one["barcode"], one["weight"], one["inStock"]) for one in shown["variants"]
        }

    async def sync(self, store_id: int, *entities: str, force: bool = False) -> None:
        """Pull from a store and wait for the end."""
        body = {"entities": list(entities)} if entities else {}
        started = await self.post(f"/api/stores/{store_id}/sync", {**body, "force": force})
        path = f"/api/syncs/{started['workflowId']}"
        async with asyncio.timeout(PATIENCE_S):
            while True:
                run = (await self.get(path))["run"] or {}
                if (run.get("runId"), run.get("status")) == (started["runId"], "success"):
                    return
                await asyncio.sleep(0.02)

    def forget_requests(self) -> None:
        """From here on requests are counted anew."""
        self.woo.journal.clear()
        self.easy.journal.clear()


def _writes(journal: Journal, root: str) -> list[str]:
    log = (one for one in journal.log() if one["method"] != "GET")
    return [f"{one['method']} {one['path'].partition(root)[2]}" for one in log]


@asynccontextmanager
async def hub_api(
    settings: Settings, database: TestDatabase, client: Client
) -> AsyncIterator[PairApi]:
    """The API in this process with a key of a new tenant, its database, and the tenant's id."""
    services = build_services(settings, client)
    owner = Database(database.owner_url, pool_size=1)
    async with owner.lookup() as connection:
        tenant = await create_tenant(connection, f"Pair {uuid4().hex}")
    async with services.database.tenant(tenant.id) as connection:
        made = NewKey(name="test", permissions=("*",))
        key, secret = await create_key(connection, tenant.id, made)
    app = create_app(services)
    headers = {"X-API-Key": key, "X-API-Secret": secret.get_secret_value()}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://hub", headers=headers, timeout=30
    ) as http:
        yield http, services.database, tenant.id
    await app.state.ingress.close()
    await services.database.close()
    await owner.close()


@asynccontextmanager
async def two_stores(
    api: PairApi,
    *,
    woo: ShopSeed | None = None,
    behaviour: Behaviour | None = None,
    clock: Callable[[], float] | None = None,
    directions: Mapping[str, str] = ALL,
    **settings: Any,
) -> AsyncIterator[Pair]:
    """Both stores, connected and imported, with their webhooks. `settings` are of both stores;
    `clock` is the time at EasyOrder."""
    http, database, tenant_id = api
    empty = ShopSeed(products=0, orders=0, customers=0, categories=0)
    quick = behaviour or Behaviour(requests_per_minute=100_000)
    async with AsyncExitStack() as stack:
        shop, woo_box = await stack.enter_async_context(
            woocommerce.serving(
                woo or empty,
                woocommerce.Address(https_port=None),
                woocommerce.Options(prerender=False),
            )
        )
        store, easy_box = await stack.enter_async_context(
            easyorder.serving(StoreSeed(products=0, categories=0), quick)
        )
        easy_box.store.clock = clock or easy_box.store.clock
        woo_box.webhooks.courier.transport = easy_box.courier.transport = http._transport
        woo_box.webhooks.courier.latency_s = 0
        woo_config = {
            "storeUrl": shop.url,
            "consumerKey": shop.consumer_key,
            "consumerSecret": shop.consumer_secret,
            "webhookSecret": _SECRET,
        }
        easy_config = {
            "storeUrl": "https://store.example/mine",
            "apiKey": store.api_key,
            "apiUrl": store.api_url,
            "currency": CURRENCY,
        }
        about = {"settings": {"syncDirections": dict(directions), **settings}}
        first = await _connect(http, "woocommerce", woo_config, about)
        second = await _connect(http, "easyorder", easy_config, about)
        _subscribe(woo_box, first["webhookUrls"]["generic"])
        urls = second["webhookUrls"]
        orders = easy_box.courier.add("orders", urls["newOrder"])
        statuses = easy_box.courier.add("order_status", urls["orderStatus"])
        secrets = {"webhookSecret": orders.secret, "statusWebhookSecret": statuses.secret}
        pair = Pair(http, database, tenant_id, woo_box, easy_box, first["id"], second["id"])
        pair.forms = {"woocommerce": woo_config, "easyorder": easy_config}
        await pair.patch(f"/api/stores/{second['id']}", {"config": secrets})
        await pair.settled()
        pair.forget_requests()
        yield pair


async def _connect(
    http: httpx.AsyncClient, provider: str, config: Mapping[str, Any], about: Mapping[str, Any]
) -> dict[str, Any]:
    body = {"name": provider, "code": f"{provider}-{uuid4().hex[:8]}", "provider": provider}
    answer = await http.post("/api/stores", json={**body, **about, "config": config, "sync": True})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            shown = (await http.get(f"/api/stores/{made['id']}")).json()
            if shown["syncStatus"] == "success":
                return made
            assert shown["syncStatus"] != "failed", shown
            await asyncio.sleep(0.02)


def _subscribe(box: WooBox, url: str) -> None:
    courier = box.webhooks.courier
    for number, topic in enumerate(TOPICS, start=1):
        courier.webhooks[number] = Webhook(
            id=number,
            name=topic,
            topic=topic,
            delivery_url=url,
            created=box.shop.now(),
            status="active",
            secret=_SECRET,
            ping_due=False,
        )
