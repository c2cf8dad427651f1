"""The store document, lived through once: a store's life with everything the document names.

Each step keeps what it saw; `test_store_document` has a row for each name and looks it up here.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.running import RunningHub
from tests.e2e.shop import Shop
from tests.e2e.two_way import SECRET, Connected, World

_PATIENCE_S = 40.0
_LOOK_EVERY_S = 0.1
_SKU = "DOC-1"

Answer = Mapping[str, Any]


@dataclass
class Seen:
    """Evidence: answers of the API by the step that asked, and rows of the database."""

    answers: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    shop: dict[str, Any] = field(default_factory=dict)


@dataclass
class Story:
    """One store, from its connection to its end."""

    hub: RunningHub
    shop: Shop
    seen: Seen = field(default_factory=Seen)
    store: Answer = field(default_factory=dict)

    async def live(self) -> Seen:
        """All of it, in order."""
        await self._connect()
        await self._tell_of_the_store()
        await self._sell()
        await self._change_in_the_hub()
        await self._go_wrong_and_retry()
        await self._pause_and_go_on()
        await self._keep_rows()
        await self._end()
        return self.seen

    async def _connect(self) -> None:
        body = {
            "name": "Main shop",
            "code": "main",
            "provider": "woocommerce",
            "config": {**self.shop.form, "webhookSecret": SECRET},
            "sync": True,
        }
        self.store = await self._ask("create", "POST", "/api/stores", json=body)
        assert await self.hub.end_of(self.store["id"], within_s=60) == ("success", None)
        self.seen.answers["synced"] = (await self.hub.api.get(self._path)).json()

    async def _tell_of_the_store(self) -> None:
        await self._ask("list", "GET", "/api/stores")
        await self._ask("update", "PATCH", self._path, json={"name": "Flagship"})
        await self._ask("show", "GET", self._path)
        await self._ask("test-connection", "POST", f"{self._path}/test-connection")
        await self._ask("sync-logs", "GET", f"{self._path}/sync-logs", params={"limit": 100})

    async def _sell(self) -> None:
        """An order is placed in the shop and paid there; others come by the named addresses."""
        [order_id] = await self.shop.operate(op="create", entity="orders", count=1, seed=5)
        await self._until("order", lambda: self._order(order_id))
        await self.shop.operate(
            op="edit", entity="orders", ids=[order_id], data={"status": "completed"}
        )
        await self._until(
            "order-completed",
            lambda: self._order(order_id),
            lambda one: one["status"] == "completed",
        )
        self.seen.shop["order"] = order_id
        orders = await self._truth("orders")
        world = World(self.hub, self._connected, self._connected)
        template = next(one for one in orders if one["id"] == order_id)
        posted = {**template, "id": 90_001, "number": "90001", "status": "processing"}
        for name in ("newOrder", "orderStatus", "generic"):
            url = self.store["webhookUrls"][name]
            store = Connected(self.store["id"], url, self.shop)
            topic = "order.created" if name == "newOrder" else "order.updated"
            body = {**posted, "id": 90_001 + len(self.seen.codes), "number": f"N-{name}"}
            self.seen.codes[name] = await world.post_webhook(store, topic, body) or 0
            forged = await world.post_webhook(store, topic, body, secret="not-the-secret-1")
            self.seen.codes[f"{name} forged"] = forged or 0
        broken = {**posted, "id": 91_000, "total": "not a price"}
        self.seen.codes["broken"] = (
            await world.post_webhook(self._connected, "order.created", broken) or 0
        )
        await self._until(
            "webhook-events failed", lambda: self._events(status="failed"), lambda one: one["data"]
        )
        await self._until(
            "webhook-events", lambda: self._events(limit=200), lambda one: _is_quiet(one["data"])
        )

    async def _change_in_the_hub(self) -> None:
        """Products, categories, stock and the status of an order change in the hub."""
        category = {"name": "From the hub", "slug": "from-the-hub"}
        made = await self._ask("category", "POST", "/api/categories", json=category)
        variant = {"sku": _SKU, "price": "12.50", "tracksStock": True, "quantity": "9"}
        product = {
            "title": "Hub tea",
            "status": "active",
            "currency": "EUR",
            "categoryIds": [made["id"]],
            "variants": [variant],
        }
        created = await self._ask("product", "POST", "/api/products", json=product)
        await self._until("shop product", self._product)
        path = f"/api/products/{created['id']}"
        await self._ask("product update", "PATCH", path, json={"title": "Hub tea, better"})
        await self._until(
            "shop product updated", self._product, lambda one: one["name"] == "Hub tea, better"
        )
        own = created["variants"][0]["id"]
        change = {"variants": [{"id": own, "price": "13.00"}]}
        await self._ask("variant update", "PATCH", path, json=change)
        await self._until(
            "shop variant", self._product, lambda one: float(one["regular_price"]) == 13.0
        )
        rename = {"name": "Renamed in the hub"}
        await self._ask("category update", "PATCH", f"/api/categories/{made['id']}", json=rename)
        await self._until("shop category", lambda: self._category("Renamed in the hub"))
        invoice = {"number": "INV-1", "lines": [{"variantId": own, "quantity": "4"}]}
        await self._ask("invoice", "POST", "/api/invoices", json=invoice)
        await self._until("shop stock", self._product, lambda one: one["stock_quantity"] == 5)
        order = self.seen.answers["order-completed"]
        status = {"status": "on_hold"}
        await self._ask("order status", "PATCH", f"/api/orders/{order['id']}", json=status)
        await self._until("shop order", self._shop_order, lambda one: one["status"] == "on-hold")
        self.seen.answers["product id"] = created["id"]

    async def _go_wrong_and_retry(self) -> None:
        """The shop is down until nobody asks it any more; a person mends it and says: again."""
        await self.shop.set_faults({"kind": "error", "status": 503})
        path = f"/api/products/{self.seen.answers['product id']}"
        await self._ask("change while down", "PATCH", path, json={"title": "Hub tea, at last"})
        await self._until("failing", self._store, lambda one: one["syncRetryCount"] > 0)
        await self._until(
            "alert", self._alert, lambda one: one is not None and one["event"] == "sync.failed"
        )
        self.seen.answers["given up"] = await self._store()
        await self.shop.set_faults()
        await self._ask("retry-failed-sync", "POST", f"{self._path}/retry-failed-sync")
        await self._until(
            "shop after retry", self._product, lambda one: one["name"] == "Hub tea, at last"
        )
        await self._until("mended", self._store, lambda one: one["syncRetryCount"] == 0)

    async def _pause_and_go_on(self) -> None:
        await self._ask("deactivate", "PATCH", f"{self._path}/deactivate")
        path = f"/api/products/{self.seen.answers['product id']}"
        await self._ask("change while inactive", "PATCH", path, json={"title": "Hub tea, awake"})
        world = World(self.hub, self._connected, self._connected)
        body = {**(await self._truth("orders"))[0], "id": 95_000, "number": "asleep"}
        status = await world.post_webhook(self._connected, "order.created", body)
        self.seen.codes["while inactive"] = status or 0
        self.seen.shop["while inactive"] = await self._product()
        self.seen.answers["events while inactive"] = await self._events(status="pending")
        await self._ask("activate", "PATCH", f"{self._path}/activate")
        await self._until(
            "shop after activation", self._product, lambda one: one["name"] == "Hub tea, awake"
        )
        await self._until(
            "events after activation",
            lambda: self._events(status="pending"),
            lambda one: not one["data"],
        )
        await self._ask(
            "sync-logs at last", "GET", f"{self._path}/sync-logs", params={"limit": 200}
        )

    async def _keep_rows(self) -> None:
        for table in ("stores", "store_sync_logs", "webhook_events"):
            found = await self.hub.query(f"select to_jsonb(t) from {table} t")
            assert found is not None
            self.seen.rows[table] = [row[0] for row in found]

    async def _end(self) -> None:
        await self._ask("delete", "DELETE", self._path)
        self.seen.codes["show deleted"] = (await self.hub.api.get(self._path)).status_code

    @property
    def _path(self) -> str:
        return f"/api/stores/{self.store['id']}"

    @property
    def _connected(self) -> Connected:
        return Connected(self.store["id"], self.store["webhookUrls"]["generic"], self.shop)

    async def _ask(self, step: str, method: str, path: str, **options: Any) -> Any:
        answer: httpx.Response = await self.hub.api.request(method, path, **options)
        assert answer.is_success, (step, answer.status_code, answer.text)
        self.seen.codes[step] = answer.status_code
        self.seen.answers[step] = answer.json() if answer.content else None
        return self.seen.answers[step]

    async def _until(
        self,
        step: str,
        look: Callable[[], Any],
        is_so: Callable[[Any], object] = lambda found: found is not None,
    ) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            found = await look()
            if found is not None and is_so(found):
                self.seen.answers[step] = found
                return
            assert time.monotonic() < deadline, (step, found)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _store(self) -> Any:
        return (await self.hub.api.get(self._path)).json()

    async def _events(self, **params: Any) -> Any:
        return (await self.hub.api.get(f"{self._path}/webhook-events", params=params)).json()

    async def _alert(self) -> Any:
        alerts = (await self.hub.api.get("/api/alerts", params={"status": "open"})).json()["data"]
        return next((one for one in alerts if one["kind"] == "sync_failed"), None)

    async def _order(self, external_id: int) -> Any:
        page = (await self.hub.api.get("/api/orders", params={"limit": 500})).json()
        for one in page["data"]:
            if any(ref["externalId"] == str(external_id) for ref in one["externalReferences"]):
                return one
        return None

    async def _truth(self, entity: str) -> list[Any]:
        answer = await self.shop.control.get("truth", params={"entity": entity})
        lines = answer.raise_for_status().text.splitlines()
        return [httpx.Response(200, text=line).json() for line in lines]

    async def _product(self) -> Any:
        found = [one for one in await self._truth("products") if one["sku"] == _SKU]
        assert len(found) < 2, "created twice"
        return found[0] if found else None

    async def _category(self, name: str) -> Any:
        found = [one for one in await self._truth("categories") if one["name"] == name]
        return found[0] if found else None

    async def _shop_order(self) -> Any:
        wanted = self.seen.shop["order"]
        return next(one for one in await self._truth("orders") if one["id"] == wanted)


def _is_quiet(events: list[Any]) -> bool:
    return bool(events) and all(one["status"] != "pending" for one in events)
