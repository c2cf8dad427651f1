import hmac
import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.local import HOME, Local, local_shop
from tests.sandbox.shapes import differences, learn

SAMPLES = Path(__file__).with_name("samples")
SECRET = "s3cr3t-ü"
# Headers that the connection, not the shop, decides.
OF_THE_CONNECTION = {"host", "connection", "accept-encoding"}


class Receiver:
    """Takes deliveries and answers with `status`."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.taken: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.taken.append(request)
        return httpx.Response(self.status)

    def topics(self) -> list[str]:
        return [request.headers.get("x-wc-webhook-topic", "ping") for request in self.taken]


def attach(local: Local, *, status: int = 200, latency_s: float = 0) -> Receiver:
    receiver = Receiver(status)
    local.box.webhooks.courier.latency_s = latency_s
    local.box.webhooks.courier.transport = httpx.MockTransport(receiver)
    return receiver


async def subscribe(local: Local, topic: str, **more: Any) -> dict[str, Any]:
    data = {"topic": topic, "delivery_url": "http://hub.test/in", "secret": SECRET, **more}
    made = await local.ask("POST", "webhooks", json=data)
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer


def captured(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


async def trigger(local: Local, topic: str) -> None:
    product = local.first("simple")
    line = {"product_id": product, "quantity": 1}
    match topic:
        case "order.created":
            data = {"line_items": [line], "set_paid": True, "customer_id": 2}
            await local.ask("POST", "orders", json=data)
        case "order.updated":
            order = local.shop.tables["orders"].ids()[0]
            await local.ask("PUT", f"orders/{order}", json={"customer_note": "x"})
        case "order.deleted":
            await local.ask("DELETE", f"orders/{local.shop.tables['orders'].ids()[0]}")
        case "product.updated":
            await local.ask("PUT", f"products/{product}", json={"regular_price": "3"})
        case "product.deleted":
            await local.ask("DELETE", f"products/{product}")
        case "customer.created":
            await local.ask("POST", "customers", json={"email": "zoe@example.test"})
        case "coupon.created":
            await local.ask("POST", "coupons", json={"code": "c1", "amount": "5.00"})


TOPICS = [
    *("order.created", "order.updated", "order.deleted", "product.updated", "product.deleted"),
    *("customer.created", "coupon.created"),
]


@pytest.mark.parametrize("topic", TOPICS)
async def test_delivery_is_as_captured_and_signed(topic: str) -> None:
    model = captured(f"webhook_{topic}.json")
    async with local_shop() as local:
        receiver = attach(local)
        hook = await subscribe(local, topic)
        await local.control("POST", "drain")
        await trigger(local, topic)
        await local.control("POST", "drain")
    ping, delivery = receiver.taken
    names = {name.lower() for name, _ in model["headers"]} - OF_THE_CONNECTION
    assert set(delivery.headers) - OF_THE_CONNECTION == names
    sent = dict(model["headers"])
    for name in ("User-Agent", "Content-Type", "X-WC-Webhook-Topic", "X-WC-Webhook-Resource"):
        assert delivery.headers[name] == sent[name]
    assert delivery.headers["x-wc-webhook-event"] == sent["X-WC-Webhook-Event"]
    assert delivery.headers["x-wc-webhook-source"] == f"{HOME}/"
    assert delivery.headers["x-wc-webhook-id"] == str(hook["id"])
    assert len(delivery.headers["x-wc-webhook-delivery-id"]) == 32
    digest = hmac.new(SECRET.encode(), delivery.content, sha256).digest()
    assert delivery.headers["x-wc-webhook-signature"] == b64encode(digest).decode()
    assert differences(json.loads(delivery.content), learn(json.loads(model["body_raw"]))) == []
    assert ping.content == f"webhook_id={hook['id']}".encode()


@pytest.mark.parametrize("topic", TOPICS)
def test_captured_signature_is_what_we_compute(topic: str) -> None:
    model = captured(f"webhook_{topic}.json")
    digest = hmac.new(SECRET.encode(), model["body_raw"].encode(), sha256).digest()
    assert b64encode(digest).decode() == dict(model["headers"])["X-WC-Webhook-Signature"]


@pytest.mark.parametrize("name", sorted(p.name for p in SAMPLES.glob("webhook_ping_*.json")))
async def test_ping_is_as_captured(name: str) -> None:
    model = captured(name)
    topic = name.removeprefix("webhook_ping_").removesuffix(".json")
    async with local_shop() as local:
        receiver = attach(local)
        await subscribe(local, topic)
        await local.control("POST", "drain")
    [ping] = receiver.taken
    names = {header.lower() for header, _ in model["headers"]}
    assert set(ping.headers) - OF_THE_CONNECTION == names - OF_THE_CONNECTION
    assert ping.headers["content-type"] == dict(model["headers"])["Content-Type"]


async def test_subscription_is_as_captured_and_keeps_its_secret() -> None:
    model = captured("webhook_object.json")
    async with local_shop() as local:
        attach(local)
        hook = await subscribe(local, "coupon.created", name="coupon.created")
        again = await local.get(f"webhooks/{hook['id']}")
        listed = await local.get("webhooks")
    assert differences(hook, learn(model)) == []
    assert list(hook) == list(model)
    assert hook["hooks"] == model["hooks"]
    assert [hook] == [again] == listed
    assert SECRET not in json.dumps(hook)


async def test_orders_of_one_second_share_a_delivery_id() -> None:
    names = [f"webhook_same_delivery_id_{n}.json" for n in (77, 80, 83)]
    ids = {dict(captured(name)["headers"])["X-WC-Webhook-Delivery-ID"] for name in names}
    assert len(ids) == 1
    async with local_shop() as local:
        receiver = attach(local, latency_s=0.05)
        await subscribe(local, "order.created")
        await local.control(
            "POST", "operations", json={"op": "create", "entity": "orders", "count": 3}
        )
        await local.control("POST", "drain")
        local.clock.now += 1
        await local.control("POST", "operations", json={"op": "create", "entity": "orders"})
        await local.control("POST", "drain")
    orders = [r for r in receiver.taken if "x-wc-webhook-topic" in r.headers]
    found = [request.headers["x-wc-webhook-delivery-id"] for request in orders]
    assert len({json.loads(request.content)["id"] for request in orders}) == 4
    assert found[0] == found[1] == found[2] != found[3]


async def test_quick_updates_are_delivered_once_with_the_latest_state() -> None:
    async with local_shop() as local:
        receiver = attach(local, latency_s=0.05)
        await subscribe(local, "product.updated")
        await local.control("POST", "drain")
        product = local.first("simple")
        for price in range(1, 9):
            await local.ask("PUT", f"products/{product}", json={"regular_price": str(price)})
        await local.control("POST", "drain")
    assert [json.loads(r.content)["price"] for r in receiver.taken[1:]] == ["8"]


async def test_body_of_something_gone_is_a_signed_error() -> None:
    async with local_shop() as local:
        receiver = attach(local, latency_s=0.05)
        await subscribe(local, "product.created")
        await local.control("POST", "drain")
        made = (await local.ask("POST", "products", json={"name": "short-lived"})).json()
        await local.ask("DELETE", f"products/{made['id']}", params={"force": "true"})
        await local.control("POST", "drain")
    body = receiver.taken[1].content
    assert json.loads(body)["code"] == "woocommerce_rest_product_invalid_id"
    digest = hmac.new(SECRET.encode(), body, sha256).digest()
    assert receiver.taken[1].headers["x-wc-webhook-signature"] == b64encode(digest).decode()


async def test_trashed_product_is_named_so_and_variations_fire_product_topics() -> None:
    async with local_shop() as local:
        receiver = attach(local, latency_s=0.05)
        await subscribe(local, "product.updated")
        await local.control("POST", "drain")
        product, parent = local.first("simple"), local.first("variable")
        await local.ask("PUT", f"products/{product}", json={"name": "x"})
        await local.ask("DELETE", f"products/{product}")
        variation = local.shop.tables["variations"].children(parent)[0]
        path = f"products/{parent}/variations/{variation}"
        await local.ask("PUT", path, json={"regular_price": "1"})
        await local.control("POST", "drain")
    bodies = {json.loads(r.content)["id"]: json.loads(r.content) for r in receiver.taken[1:]}
    assert bodies[product]["slug"].endswith("__trashed")
    assert (bodies[variation]["type"], bodies[variation]["parent_id"]) == ("variation", parent)


async def test_only_trashing_tells_of_products_and_orders_but_customers_tell_always() -> None:
    async with local_shop() as local:
        receiver = attach(local)
        for topic in ("product.deleted", "order.deleted", "customer.deleted"):
            await subscribe(local, topic)
        await local.control("POST", "drain")
        order, customer = local.shop.tables["orders"].ids()[0], 5
        await local.ask("DELETE", f"orders/{order}?force=true")
        await local.ask("DELETE", f"products/{local.first('simple')}?force=true")
        await local.ask("DELETE", f"customers/{customer}?force=true")
        trashed = local.first("simple")
        await local.ask("DELETE", f"products/{trashed}")
        await local.control("POST", "drain")
    told = [(r.headers["x-wc-webhook-topic"], r.content.decode()) for r in receiver.taken[3:]]
    assert told == [
        ("customer.deleted", f'{{"id":{customer}}}'),
        ("product.deleted", f'{{"id":{trashed}}}'),
    ]


async def test_seven_failures_in_a_row_disable_and_activation_pings_again() -> None:
    async with local_shop() as local:
        receiver = attach(local, status=500)
        hook = await subscribe(local, "order.updated")
        await local.control("POST", "drain")
        states = []
        for _ in range(7):
            await trigger(local, "order.updated")
            await local.control("POST", "drain")
            states.append((await local.get(f"webhooks/{hook['id']}"))["status"])
        await trigger(local, "order.updated")
        await local.control("POST", "drain")
        assert states == ["active"] * 6 + ["disabled"]
        assert receiver.topics() == ["ping"] + ["order.updated"] * 7
        receiver.status = 200
        await local.ask("PUT", f"webhooks/{hook['id']}", json={"status": "active"})
        await local.control("POST", "drain")
        assert receiver.topics()[-1] == "ping"
        kept = await local.control("GET", "deliveries")
        assert [entry["status"] for entry in kept] == [500] * 8 + [200]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"topic": "order.created"}, "rest_missing_callback_param"),
        ({"topic": "x.y", "delivery_url": "http://h"}, "woocommerce_rest_webhook_invalid_topic"),
        (
            {"topic": "order.created", "delivery_url": "ftp://h"},
            "woocommerce_rest_webhook_invalid_delivery_url",
        ),
    ],
)
async def test_wrong_subscription_is_refused(data: dict[str, str], code: str) -> None:
    async with local_shop() as local:
        answer = await local.ask("POST", "webhooks", json=data)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert await local.get("webhooks") == []


async def test_subscriptions_come_and_go_in_batches() -> None:
    async with local_shop() as local:
        attach(local)
        one = {"topic": "order.created", "delivery_url": "http://hub.test/in"}
        made = await local.ask("POST", "webhooks/batch", json={"create": [one, {}]})
        first, refused = made.json()["create"]
        assert (first["id"], refused["error"]["code"]) == (1, "rest_missing_callback_param")
        kept = await local.ask("DELETE", "webhooks/1")
        assert (kept.status_code, kept.json()["code"]) == (
            501,
            "woocommerce_rest_trash_not_supported",
        )
        gone = await local.ask("POST", "webhooks/batch", json={"delete": [1, 2]})
        assert [item["id"] for item in gone.json()["delete"]] == [1, 2]
        assert await local.get("webhooks") == []
