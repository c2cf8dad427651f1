"""A client that uses all of a hub, rightly and wrongly, and keeps every answer."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from runtime.embedded.connection import Connection
from tests.e2e.shop import Shop

T = TypeVar("T")

OVER = ("success", "failed")


async def polled(look: Callable[[], Awaitable[T | None]], *, within_s: float) -> T:
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + within_s
    while (found := await look()) is None:
        assert time.monotonic() < deadline, f"nothing was found within {within_s} s"
        await asyncio.sleep(0.05)
    return found


@dataclass(frozen=True, slots=True)
class Planted:
    """Secrets that are sent, and have to stay where they are needed."""

    consumer_secret: str
    webhook_secret: str
    wrong_consumer_secret: str
    wrong_api_secret: str
    url_password: str
    easy_key: str
    easy_secret: str
    easy_status_secret: str
    wrong_easy_secret: str
    mail_password: str
    channel_secret: str


@dataclass(slots=True)
class Visitor:
    """Uses a hub; `answers` holds the bodies and headers of what it said, by request."""

    shop: Shop
    planted: Planted
    api: httpx.AsyncClient
    answers: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)

    async def ask(self, name: str, method: str, path: str, **options: Any) -> Any:
        """One request; keeps its answer under `name` and returns the JSON of it."""
        answer = await self.api.request(method, path, **options)
        self.answers[name] = answer.content + repr(answer.headers.multi_items()).encode()
        self.statuses[name] = answer.status_code
        return answer.json()

    async def connect(
        self, name: str, code: str, form: Mapping[str, Any], *, sync: bool = False
    ) -> Any:
        """Connect a store; the answer is kept under the name and the code."""
        body = {"name": name, "code": code, "provider": "woocommerce", "config": form}
        kept = f"{name} {code}"
        return await self.ask(kept, "POST", "/api/stores", json=body | {"sync": sync})

    async def end_of(self, store_id: int, status: str) -> None:
        """Wait for a run to be over, and for it to have ended so."""

        async def look() -> str | None:
            told = await self.ask("status", "GET", f"/api/stores/{store_id}/sync-status")
            is_over = told["syncStatus"] in OVER and told["finishedAt"] is not None
            return str(told["syncStatus"]) if is_over else None

        assert await polled(look, within_s=60) == status, self.answers["status"]

    async def read_all(self, store_id: int, webhook_code: str) -> None:
        """Every kind of reading, once."""
        for path in (
            *("/api/stores", f"/api/stores/{store_id}", "/api/providers", "/api/health"),
            *(f"/api/stores/{store_id}/sync-logs", "/api/syncs", f"/api/syncs/import/{store_id}"),
            *("/api/products", "/api/orders", "/api/customers", "/api/stores/999999"),
        ):
            await self.ask(f"GET {path}", "GET", path)
        await self.ask("webhook", "POST", f"/api/stores/webhooks/{webhook_code}/newOrder", json={})

    async def make_mistakes(self, store_id: int) -> None:
        """Send secrets in all the wrong ways; the answers are kept under "mistake …"."""
        planted, store = self.planted, f"/api/stores/{store_id}"
        wrong = planted.wrong_consumer_secret
        await self.ask("query", "GET", f"/api/stores?consumer_secret={wrong}")
        mistaken = {"X-API-Secret": planted.wrong_api_secret}
        await self.ask("mistake key", "GET", "/api/stores", headers=mistaken)
        headers = {"Content-Type": "application/json"}
        text = f'{{"{wrong}'
        await self.ask("mistake text", "POST", "/api/stores", content=text, headers=headers)
        await self.ask("mistake body", "POST", "/api/stores", json={"config": wrong})
        moved = {"config": {"consumerSecret": wrong, "storeUrl": self.shop.url}}
        await self.ask("mistake moved", "PATCH", store, json=moved)
        changed = {"config": {"consumerSecret": wrong}}
        await self.ask("mistake change", "PATCH", store, json=changed)
        behind = f"https://me:{planted.url_password}@127.0.0.1:1/"
        changes: dict[str, dict[str, Any]] = {
            "secret": {"consumerSecret": wrong},
            "url": {"storeUrl": behind},
            "type": {"consumerSecret": {"is": wrong}},
            "space": {"consumerSecret": f"{wrong} {wrong}"},
            "swapped": {"consumerKey": wrong},
            "surprise": {"surprise": wrong},
            "no-shop": {"storeUrl": "http://127.0.0.1:1", "consumerSecret": wrong},
        }
        # By another name of the host: a shop that is connected is not asked again.
        form = {**self.shop.form, "storeUrl": self.shop.url.replace("127.0.0.1", "localhost")}
        for code, change in changes.items():
            await self.connect("mistake", code, {**form, **change})

    async def have_trouble(self, store_id: int) -> None:
        """Let the shop lose the header, so that the keys go into the query; then break it."""
        lost = {"kind": "strip_authorization"}
        await self.shop.set_faults(lost)
        keys = {name: self.shop.form[name] for name in ("consumerKey", "consumerSecret")}
        await self.ask("By query", "PATCH", f"/api/stores/{store_id}", json={"config": keys})
        assert self.statuses["By query"] == httpx.codes.OK
        await self.shop.set_faults(lost, {"kind": "error", "status": 404, "path": "/wc/v3/orders"})
        await self.ask("import", "POST", f"/api/stores/{store_id}/import")
        await self.end_of(store_id, "failed")
        await self.shop.set_faults({"kind": "drop"})
        await self.ask("dropped", "POST", f"/api/stores/{store_id}/test-connection")
        await self.shop.set_faults()
        await self.ask("trouble", "GET", f"/api/stores/{store_id}/sync-logs")

    async def connect_easy(self, api_url: str) -> str:
        """Connect an EasyOrder store and send it webhooks, rightly signed and wrongly; its code."""
        planted = self.planted
        config = {
            "storeUrl": "https://store.example/mine",
            "apiUrl": api_url,
            "apiKey": planted.easy_key,
            "webhookSecret": planted.easy_secret,
            "statusWebhookSecret": planted.easy_status_secret,
        }
        body = {"name": "Easy", "code": "easy", "provider": "easyorder", "config": config}
        store = await self.ask("easy", "POST", "/api/stores", json=body)
        path = f"/api/stores/webhooks/{store['webhookCode']}"
        for name, route, secret in (
            ("easy order", "newOrder", planted.easy_secret),
            ("easy status", "orderStatus", planted.easy_status_secret),
            ("easy forged", "newOrder", planted.wrong_easy_secret),
        ):
            sent = {"event_type": name}
            await self.ask(name, "POST", f"{path}/{route}", json=sent, headers={"secret": secret})
        statuses = [self.statuses[f"easy {name}"] for name in ("order", "status", "forged")]
        assert statuses == [200, 200, 401]
        await self.ask("easy read", "GET", f"/api/stores/{store['id']}")
        return str(store["webhookCode"])

    async def send_webhook(self, webhook_code: str) -> str:
        """One that is genuine; its signature."""
        body = b'{"id": 1}'
        secret = self.planted.webhook_secret.encode()
        signature = base64.b64encode(hmac.digest(secret, body, hashlib.sha256)).decode()
        headers = {"x-wc-webhook-topic": "order.updated", "x-wc-webhook-signature": signature}
        path = f"/api/stores/webhooks/{webhook_code}"
        await self.ask("signed", "POST", path, content=body, headers=headers)
        assert self.statuses["signed"] == 200
        return signature

    async def raise_alarm(self, store_id: int) -> None:
        """Let a push fail for good, with channels of alerts that nobody answers on."""
        mail = {
            "kind": "smtp",
            "host": "127.0.0.1",
            "port": 1,
            "security": "none",
            "username": "hub",
            "password": self.planted.mail_password,
            "sender": "hub@example.com",
            "recipients": ["ops@example.com"],
        }
        secret = self.planted.channel_secret
        call = {"kind": "webhook", "url": "http://127.0.0.1:1/", "secret": secret}
        configs = {"Mail": mail, "Call": call}
        channels = [{"name": name, "config": config} for name, config in configs.items()]
        body = {"channels": channels}
        await self.ask("channels", "PUT", "/api/alert-channels", json=body)
        assert self.statuses["channels"] == 200, self.answers["channels"]
        refused = {"kind": "error", "status": 401}
        await self.shop.set_faults(refused)
        await self.ask("product", "POST", "/api/products", json={"title": "Tea", "currency": "LKR"})
        assert self.statuses["product"] == 201, self.answers["product"]

        async def look() -> Any:
            told = await self.ask("GET /api/alerts", "GET", "/api/alerts?kind=sync_failed")
            return told["data"] or None

        await polled(look, within_s=30)
        await self.shop.set_faults()
        for path in (
            *("/api/alert-channels", f"/api/stores/{store_id}/pushes", f"/api/stores/{store_id}"),
            f"/api/stores/{store_id}/webhook-events?includePayload=true",
        ):
            await self.ask(f"GET {path}", "GET", path)


def client_of(hub: Connection) -> httpx.AsyncClient:
    """A client of a hub's API with its key."""
    headers = {"X-API-Key": hub.api_key, "X-API-Secret": hub.api_secret}
    return httpx.AsyncClient(base_url=hub.api_url, headers=headers, trust_env=False, timeout=60)
