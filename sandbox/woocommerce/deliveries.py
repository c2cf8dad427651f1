"""Delivering webhooks as WooCommerce 11.0.1 does (class-wc-webhook.php, and measured): one queue,
no retry, bodies built at delivery, a delivery id that repeats within a second."""

import asyncio
import hmac
from base64 import b64encode
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx

from sandbox.woocommerce import clock, php
from sandbox.woocommerce.errors import invalid_id
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.sales import WC_VERSION
from sandbox.woocommerce.shop import Shop

HOOKS: dict[str, list[str]] = {
    "coupon.created": ["woocommerce_process_shop_coupon_meta", "woocommerce_new_coupon"],
    "coupon.updated": ["woocommerce_process_shop_coupon_meta", "woocommerce_update_coupon"],
    "coupon.deleted": ["wp_trash_post"],
    "coupon.restored": ["untrashed_post"],
    "customer.created": [
        "user_register",
        "woocommerce_created_customer",
        "woocommerce_new_customer",
    ],
    "customer.updated": ["profile_update", "woocommerce_update_customer"],
    "customer.deleted": ["delete_user"],
    "order.created": ["woocommerce_new_order"],
    "order.updated": [
        "woocommerce_update_order",
        "woocommerce_order_refunded",
        "woocommerce_delete_order_refund",
    ],
    "order.deleted": ["wp_trash_post", "woocommerce_trash_order"],
    "order.restored": ["untrashed_post", "woocommerce_untrash_order"],
    "product.created": [
        "woocommerce_process_product_meta",
        "woocommerce_new_product",
        "woocommerce_new_product_variation",
    ],
    "product.updated": [
        "woocommerce_process_product_meta",
        "woocommerce_update_product",
        "woocommerce_update_product_variation",
    ],
    "product.deleted": ["wp_trash_post"],
    "product.restored": ["untrashed_post"],
}
USER_AGENT = f"WooCommerce/{WC_VERSION} Hookshot (WordPress/7.0.4)"
TIMEOUT_S = 60
# Time for equal events to gather before the queue runs, as they do until WP-Cron comes by.
LATENCY_S = 0.05
_MOST_FAILURES = 5
_KEPT = 5_000
_TABLES = {
    "product": ("products", "variations"),
    "order": ("orders",),
    "customer": ("customers",),
    "coupon": ("coupons",),
}
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#039;", "'"), ("&amp;", "&"))


@dataclass(slots=True)
class Webhook:
    """One subscription. `failures` counts those in a row."""

    id: int
    name: str
    topic: str
    delivery_url: str
    created: int
    status: str
    secret: str = field(repr=False)
    modified: int | None = None
    failures: int = 0
    ping_due: bool = True

    def document(self, collection_url: str) -> Document:
        """The REST document; the secret is write-only."""
        resource, _, event = self.topic.partition(".")
        changed = self.modified
        allow = {"allow": ["GET", "POST", "PUT", "PATCH", "DELETE"]}
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "topic": self.topic,
            "resource": resource,
            "event": event,
            "hooks": HOOKS.get(self.topic, [event]),
            "delivery_url": self.delivery_url,
            "date_created": clock.local(self.created),
            "date_created_gmt": clock.gmt(self.created),
            "date_modified": clock.local(changed) if changed else None,
            "date_modified_gmt": clock.gmt(changed) if changed else None,
            "_links": {
                "self": [{"href": f"{collection_url}/{self.id}", "targetHints": allow}],
                "collection": [{"href": collection_url}],
            },
        }


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery as it was built."""

    webhook_id: int
    topic: str
    record_id: int
    url: str
    headers: dict[str, str]
    body: bytes


class Courier:
    """Queues events and delivers them one after the other: a slow endpoint holds them all up."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        # Tests put their own in; None is the network.
        self.transport: httpx.AsyncBaseTransport | None = None
        self.latency_s = LATENCY_S
        self.webhooks: dict[int, Webhook] = {}
        self.sent: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        # (webhook id, resource id); resource 0 is a ping. A dict for its order and uniqueness:
        # an event that waits already is not queued again.
        self._waiting: dict[tuple[int, int], None] = {}
        # While this is a list, what is built is kept there and not sent: so it can come late, twice
        # or in another order.
        self.held: list[Parcel] | None = None
        self._task: asyncio.Task[None] | None = None
        shop.listeners.append(self.notice)

    def notice(self, resource: str, record_id: int, event: str) -> None:
        """Something happened in the shop."""
        topic = f"{resource}.{event}"
        for hook in self.webhooks.values():
            if hook.status == "active" and hook.topic == topic:
                self._waiting[(hook.id, record_id)] = None
        self.wake()

    def ping(self, hook: Webhook) -> None:
        """Send the unsigned test request."""
        self._waiting[(hook.id, 0)] = None
        self.wake()

    def wake(self) -> None:
        """Run the queue in the background, where there is a loop to run it in."""
        if not self._waiting or (self._task is not None and not self._task.done()):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(self._run())

    async def drained(self) -> None:
        """Wait until nothing is waiting."""
        self.wake()
        if self._task is not None:
            await self._task

    async def send(self, parcels: Sequence[Parcel]) -> list[int]:
        """Post these now, one after the other; the statuses they were answered with."""
        async with self._client() as client:
            return [await self._post(client, parcel) for parcel in parcels]

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=TIMEOUT_S, follow_redirects=False, trust_env=False, transport=self.transport
        )

    async def _run(self) -> None:
        await asyncio.sleep(self.latency_s)
        async with self._client() as client:
            while self._waiting:
                webhook_id, record_id = next(iter(self._waiting))
                del self._waiting[(webhook_id, record_id)]
                hook = self.webhooks.get(webhook_id)
                if hook is None or hook.status != "active":
                    continue
                if record_id:
                    await self._deliver(client, hook, record_id)
                else:
                    await self._send_ping(client, hook)

    async def _send_ping(self, client: httpx.AsyncClient, hook: Webhook) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = f"webhook_id={hook.id}".encode()
        parcel = Parcel(hook.id, hook.topic, 0, hook.delivery_url, headers, body)
        status = await self._post(client, parcel)
        # The ping repeats, at the next activation, until one succeeds (measured).
        hook.ping_due = status != httpx.codes.OK

    async def _deliver(self, client: httpx.AsyncClient, hook: Webhook, record_id: int) -> None:
        resource, _, event = hook.topic.partition(".")
        body = self._payload(resource, event, record_id)
        now = self._shop.now()
        headers = {
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": f"{self._shop.home_url}/",
            "X-WC-Webhook-Topic": hook.topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": signature(body, hook.secret),
            "X-WC-Webhook-ID": str(hook.id),
            "X-WC-Webhook-Delivery-ID": sha256(f"{hook.id}{now}".encode()).hexdigest()[:32],
        }
        parcel = Parcel(hook.id, hook.topic, record_id, hook.delivery_url, headers, body)
        if self.held is not None:
            self.held.append(parcel)
            return
        status = await self._post(client, parcel)
        if httpx.codes.OK <= status <= httpx.codes.FOUND:
            hook.failures = 0
        elif hook.failures > _MOST_FAILURES:
            hook.status = "disabled"
        else:
            hook.failures += 1

    def _payload(self, resource: str, event: str, record_id: int) -> bytes:
        if event == "deleted":
            return php.dump({"id": record_id})
        for name in _TABLES[resource]:
            row = self._shop.tables[name].find(record_id)
            if row is not None:
                return self._shop.tables[name].body(row)
        # Gone since: a signed error object (measured).
        kinds = {"order": "shop_order", "customer": "user", "coupon": "shop_coupon"}
        return php.dump(invalid_id(kinds.get(resource, resource), 404).body())

    async def _post(self, client: httpx.AsyncClient, parcel: Parcel) -> int:
        always = {"User-Agent": USER_AGENT, "Accept": "*/*", "Connection": "close"}
        status, problem = 0, ""
        try:
            answer = await client.post(
                parcel.url, content=parcel.body, headers=always | parcel.headers
            )
            status = answer.status_code
        except httpx.HTTPError as error:
            problem = type(error).__name__
        self.sent.append(
            {
                "webhook_id": parcel.webhook_id,
                "topic": parcel.topic,
                "record_id": parcel.record_id,
                "url": parcel.url,
                "headers": parcel.headers,
                "body": parcel.body.decode(),
                "status": status,
                "error": problem,
                "at": self._shop.clock(),
            }
        )
        return status


def signature(body: bytes, secret: str) -> str:
    """`base64(HMAC-SHA256(raw body, secret))`, the secret entity-decoded as the shop does."""
    for entity, char in _ENTITIES:
        secret = secret.replace(entity, char)
    return b64encode(hmac.new(secret.encode(), body, sha256).digest()).decode()
