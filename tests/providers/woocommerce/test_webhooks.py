import base64
import hashlib
import hmac

import pytest

from domain.deliveries import Delivery, Ignored
from domain.entities import Entity
from providers.woocommerce import PROVIDER
from providers.woocommerce.webhooks import WooCommerceWebhooks
from tests.providers.woocommerce.received import (
    NOW,
    PINGS,
    SECRET,
    SIGNED,
    WEBHOOKS,
    captured,
    delivery,
    read,
    secured,
)


def test_the_provider_hands_out_its_webhooks() -> None:
    assert isinstance(PROVIDER.webhooks, WooCommerceWebhooks)
    assert len(PROVIDER.webhooks.topics) == 11


@pytest.mark.parametrize("name", SIGNED)
def test_a_captured_delivery_is_genuine_with_its_secret_alone(name: str) -> None:
    one = captured(name)

    assert WEBHOOKS.is_genuine(secured(SECRET), one, now=NOW)
    assert not WEBHOOKS.is_genuine(secured("s3cr3t-u"), one, now=NOW)
    assert not WEBHOOKS.is_genuine(secured(None), one, now=NOW)
    assert not WEBHOOKS.is_ping(one)
    changed = Delivery(one.route, one.headers, one.body + b" ")
    assert not WEBHOOKS.is_genuine(secured(SECRET), changed, now=NOW)


@pytest.mark.parametrize("name", PINGS)
def test_a_captured_ping_is_known_and_not_genuine(name: str) -> None:
    assert WEBHOOKS.is_ping(captured(name))
    assert not WEBHOOKS.is_genuine(secured(SECRET), captured(name), now=NOW)


@pytest.mark.parametrize("given", ["", "é", "=", "0" * 44])
def test_a_wrong_signature_is_refused_without_an_error(given: str) -> None:
    one = Delivery("generic", {"x-wc-webhook-signature": given}, b"{}")

    assert not WEBHOOKS.is_genuine(secured(SECRET), one, now=NOW)


def test_no_secret_is_no_key_of_its_own() -> None:
    empty = base64.b64encode(hmac.new(b"", b"{}", hashlib.sha256).digest()).decode()
    one = Delivery("generic", {"x-wc-webhook-signature": empty}, b"{}")

    assert not WEBHOOKS.is_genuine(secured(None), one, now=NOW)


def test_a_secret_with_entities_is_resolved_as_the_shop_does() -> None:
    signed = base64.b64encode(hmac.new(b"a&<'b", b"{}", hashlib.sha256).digest()).decode()
    one = Delivery("generic", {"x-wc-webhook-signature": signed}, b"{}")

    assert WEBHOOKS.is_genuine(secured("a&amp;&lt;&#039;b"), one, now=NOW)
    assert WEBHOOKS.is_genuine(secured("a&<'b"), one, now=NOW)


@pytest.mark.parametrize(
    "body", [b"webhook_id=", b"webhook_id=24&x=1", b'{"id":1}', b"webhook_id=x", b""]
)
def test_only_a_ping_is_a_ping(body: bytes) -> None:
    assert not WEBHOOKS.is_ping(Delivery("generic", {}, body))


def test_a_ping_with_the_headers_of_a_delivery_is_none() -> None:
    one = Delivery("generic", {"x-wc-webhook-topic": "order.created"}, b"webhook_id=24")

    assert not WEBHOOKS.is_ping(one)


def test_the_source_is_the_shops_home_in_the_form_of_a_store_url() -> None:
    assert WEBHOOKS.source(captured("order.created")) == "http://127.0.0.1:8090"
    assert WEBHOOKS.source(captured("ping_order.created")) is None
    assert WEBHOOKS.source(Delivery("event", {"x-wc-webhook-source": "nonsense"}, b"")) is None
    assert (
        WEBHOOKS.source(Delivery("event", {"x-wc-webhook-source": "https://Shop.Example/a/"}, b""))
        == "https://shop.example/a"
    )


@pytest.mark.parametrize(
    ("name", "event_type", "entity", "external_id"),
    [
        ("order.created", "order_created", Entity.ORDERS, "620"),
        ("order.updated", "order_status_changed", Entity.ORDERS, "620"),
        ("order.deleted", "order_deleted", Entity.ORDERS, "620"),
        ("product.updated", "product_updated", Entity.PRODUCTS, "36"),
        ("product.deleted", "product_deleted", Entity.PRODUCTS, "201"),
        ("customer.created", "customer_created", Entity.CUSTOMERS, "53"),
        ("coupon.created", "coupon_created", None, None),
        ("same_delivery_id_77", "order_created", Entity.ORDERS, "622"),
        ("same_delivery_id_80", "order_created", Entity.ORDERS, "623"),
        ("same_delivery_id_83", "order_created", Entity.ORDERS, "624"),
    ],
)
def test_a_captured_delivery_is_described(
    name: str, event_type: str, entity: Entity | None, external_id: str | None
) -> None:
    notice = WEBHOOKS.describe(captured(name))

    assert (notice.event_type, notice.entity, notice.external_id) == (
        event_type,
        entity,
        external_id,
    )
    assert set(notice.kept_headers) == {
        *("x-wc-webhook-topic", "x-wc-webhook-resource", "x-wc-webhook-event"),
        *("x-wc-webhook-id", "x-wc-webhook-delivery-id", "x-wc-webhook-source"),
        *("user-agent", "content-type"),
    }
    # What is kept says the same again, without signature and path.
    again = Delivery("generic", notice.kept_headers, captured(name).body, notice.topic)
    assert WEBHOOKS.describe(again) == notice
    assert read(again) == read(captured(name))


def test_every_signed_sample_is_described_above() -> None:
    assert len(SIGNED) == 10


@pytest.mark.parametrize("raw", [b"", b"not json", b"\xff\xfe", b'{"id": 1', b"null"])
def test_what_is_no_json_is_described_and_ignored(raw: bytes) -> None:
    one = Delivery("generic", {"x-wc-webhook-topic": "product.updated"}, raw)

    assert WEBHOOKS.describe(one).event_type == "product_updated"
    assert WEBHOOKS.describe(one).external_id is None
    meaning = read(one)
    assert isinstance(meaning, Ignored)
    assert meaning.is_warning


@pytest.mark.parametrize(
    ("given", "topic"),
    [
        (delivery({"id": 7}, header="product.deleted", topic="order.created"), "product.deleted"),
        (delivery({"id": 7}, route="event", topic="customer.updated"), "customer.updated"),
        (delivery({"topic": "product.updated", "data": {"id": 7}}), "product.updated"),
        (delivery({"id": 7}, route="newOrder"), "order.created"),
        (delivery({"id": 7}, route="orderStatus"), "order.updated"),
        (delivery({"id": 7}), ""),
        (delivery({"id": 7}, header="../../etc", route="event", topic="x y"), ""),
        (delivery({"id": 7}, header="action.woocommerce_x"), "action.woocommerce_x"),
    ],
)
def test_the_topic_is_the_headers_then_the_paths_then_the_bodys(
    given: Delivery, topic: str
) -> None:
    assert WEBHOOKS.describe(given).topic == topic


def test_an_unknown_topic_is_said_so() -> None:
    notice = WEBHOOKS.describe(delivery({"id": 7}))
    assert (notice.event_type, notice.entity, notice.external_id) == ("unknown", None, None)
    meaning = read(delivery({"id": 7}))
    assert isinstance(meaning, Ignored)
    assert meaning.is_warning
