"""The shop tells the hub by webhooks, as the document has them set up; others try to."""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx
from pydantic import SecretStr

from providers.woocommerce.auth import Keys, oauth_auth
from tests.e2e.merchant import curls
from tests.e2e.merchant.witness import SECRET, SYNC, Witness

TOPICS: Final = (
    *("customer.created", "customer.updated", "product.created", "product.updated"),
    *("order.created", "order.updated"),
)
_BUYER: Final = {"first_name": "Nimal", "last_name": "Perera", "city": "Colombo", "country": "LK"}


async def tell(one: Witness) -> None:
    """All of it."""
    await _set_webhooks_up(one)
    await _change_things_in_the_shop(one)
    await _pay(one)
    await _try_to_cheat(one)
    await _limit_addresses(one)
    await _try_webhooks(one)


async def _set_webhooks_up(one: Witness) -> None:
    """As WP Admin > WooCommerce > Settings > Advanced > Webhooks does, topic by topic."""
    url = f"{one.shop.url}/wp-json/wc/v3/webhooks"
    keys = Keys(SecretStr(one.shop.consumer_key), SecretStr(one.shop.consumer_secret))
    sign = oauth_auth(keys, store_url=one.shop.url, home_url=one.shop.url)
    async with httpx.AsyncClient(trust_env=False) as admin:
        for topic in TOPICS:
            webhook = {
                "topic": topic,
                "delivery_url": f"{one.hub.connection.api_url}{SYNC}/webhook/{topic}",
                "secret": SECRET,
                "api_version": "wp_api_v3",
                "status": "active",
            }
            params, headers = sign("POST", url, ())
            made = await admin.post(url, params=list(params), headers=headers, json=webhook)
            assert made.status_code == 201, made.text


async def _change_things_in_the_shop(one: Witness) -> None:
    [customer] = await one.shop.operate(
        op="create",
        entity="customers",
        data={"email": "nimal@example.test", "first_name": "Nimal", "billing": _BUYER},
    )
    await _arrived(one, "customer.created", "customers", customer)
    await one.shop.operate(
        op="edit", entity="customers", ids=[customer], data={"last_name": "Perera"}
    )
    await _arrived(
        one, "customer.updated", "customers", customer, lambda r: r["lastName"] == "Perera"
    )
    stock = {"manage_stock": True, "stock_quantity": 7}
    [product] = await one.shop.operate(
        op="create",
        entity="products",
        data={"name": "Told tea", "sku": "TOLD-1", "regular_price": "12.50", **stock},
    )
    await _arrived(one, "product.created", "products", product)
    await one.shop.operate(
        op="edit", entity="products", ids=[product], data={"name": "Told tea, better"}
    )
    await _arrived(
        one, "product.updated", "products", product, lambda r: r["title"] == "Told tea, better"
    )
    line = {"product_id": product, "quantity": 2, "name": "Told tea", "total": "25.00"}
    data = {
        "status": "processing",
        "customer_id": customer,
        "billing": {**_BUYER, "email": "nimal@example.test"},
        "line_items": [{**line, "subtotal": "25.00"}],
    }
    [order] = await one.shop.operate(op="create", entity="orders", data=data)
    await _arrived(one, "order.created", "orders", order)
    await one.shop.operate(op="edit", entity="orders", ids=[order], data={"status": "completed"})
    await _arrived(one, "order.updated", "orders", order, lambda r: r["status"] == "completed")
    await one.shop.control.post("drain")
    sent = (await one.shop.control.get("deliveries")).raise_for_status().json()
    one.seen.answers["deliveries"] = sent
    one.seen.answers["told"] = {"customer": customer, "product": product, "order": order}
    one.seen.answers["events told"] = await one.events()


async def _arrived(
    one: Witness, topic: str, entity: str, record_id: int, is_so: Any = lambda _: True
) -> None:
    await one.until(topic, lambda: one.hub_record(entity, record_id), is_so)


async def _try_to_cheat(one: Witness) -> None:
    """Deliveries that are forged, sent again, or older than what the hub has."""
    product = await one.truth("products", one.seen.answers["told"]["product"])
    newer = {**product, "name": "Newer", "date_modified_gmt": "2031-01-01T00:00:00"}
    older = {**product, "name": "Older", "date_modified_gmt": "2020-01-01T00:00:00"}
    await one.deliver("forged", "product.updated", newer, x_wc_webhook_signature="bm90IGl0")
    await one.deliver("unsigned", "product.updated", newer, x_wc_webhook_signature=None)
    await one.deliver("new version", "product.updated", newer)
    await one.until("newer", lambda: _product(one), lambda found: found["title"] == "Newer")
    await one.deliver("old version", "product.updated", older)
    await _outcome(one, "old version")
    await one.deliver("replayed", "product.updated", newer)
    await _outcome(one, "replayed")
    one.seen.answers["after cheating"] = await _product(one)


async def _pay(one: Witness) -> None:
    """A buyer pays: the shop itself sets the flag, which nobody can set through its API."""
    customer = one.seen.answers["told"]["customer"]
    shown = await one.truth("customers", customer)
    paid = {**shown, "is_paying_customer": True, "date_modified_gmt": "2031-01-01T00:00:00"}
    one.seen.answers["before paying"] = await one.hub_record("customers", customer)
    await one.deliver("paid", "customer.updated", paid)
    await _arrived(one, "after paying", "customers", customer, lambda r: r["isPaying"])


async def _outcome(one: Witness, step: str) -> None:
    """What became of the newest event."""

    async def look() -> Any:
        return (await one.events())[0]

    await one.until(f"{step} event", look, lambda event: event["status"] != "pending")


async def _product(one: Witness) -> Any:
    return await one.hub_record("products", one.seen.answers["told"]["product"])


async def _limit_addresses(one: Witness) -> None:
    order = await one.truth("orders", one.seen.answers["told"]["order"])
    await _allow(one, ["203.0.113.0/24"])

    async def look() -> int:
        return await one.deliver("from elsewhere", "order.updated", order)

    await one.until("blocked", look, lambda code: code == 403)
    await _allow(one, ["127.0.0.0/8"])
    await one.until("let in", look, lambda code: code == 200)
    await _allow(one, [])
    counters = f"{one.store_path}/webhook-events/counters"
    await one.until(
        "webhook counters",
        lambda: one.get(counters),
        lambda found: found["counters"].get("forged", 0) >= 2,
    )


async def _allow(one: Witness, addresses: list[str]) -> None:
    body = {"settings": {"ipAllowList": addresses}}
    await one.ask("ip allow list", "PATCH", one.store_path, json=body)


async def _try_webhooks(one: Witness) -> None:
    await one.run_curl("webhook test", curls.WEBHOOK)
    product = await one.truth("products", one.seen.answers["told"]["product"])
    changed = {**product, "name": "Tried", "date_modified_gmt": "2032-01-01T00:00:00"}
    await _try(one, "webhook tried", {"event": "product.updated", "data": changed})
    one.seen.answers["after trying"] = await _product(one)
    await _try(one, "webhook applied", {"event": "product.updated", "data": changed, "apply": True})
    one.seen.answers["after applying"] = await _product(one)
    unknown = {"event": "nonsense.updated", "data": {"id": 1}}
    await one.call("webhook unknown", "POST", f"{SYNC}/webhook/test", json=unknown)


async def _try(one: Witness, step: str, body: Mapping[str, Any]) -> None:
    await one.ask(step, "POST", f"{SYNC}/webhook/test", json=json.loads(json.dumps(body)))
