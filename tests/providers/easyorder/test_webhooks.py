import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.deliveries import Delivery, Hint, Ignored, Told
from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.records import Order
from domain.statuses import OrderStatus
from providers.easyorder.config import EasyOrderConfig
from providers.easyorder.webhooks import EasyOrderWebhooks
from tests.providers.easyorder.stores import config, facts, visiting

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ORDERS, STATUS = "orders-secret-16", "status-secret-16"
HOOKS = EasyOrderWebhooks()
ORDER_ID = "6a1f4bd6-0f5c-4a7e-9f1c-2f0f6f1b2c3d"
CHANGE = {
    "event_type": "order-status-update",
    "order_id": ORDER_ID,
    "old_status": "pending",
    "new_status": "confirmed",
    "payment_ref_id": None,
}


def delivery(body: Any, *, route: str = "newOrder", secret: str | None = ORDERS) -> Delivery:
    headers = {"content-type": "application/json", "x-other": "1"}
    if secret is not None:
        headers["secret"] = secret
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(route, headers, raw)


def connected(**fields: Any) -> EasyOrderConfig:
    return config(webhookSecret=ORDERS, statusWebhookSecret=STATUS, **fields)


@pytest.mark.parametrize(
    ("route", "secret", "genuine"),
    [
        ("newOrder", ORDERS, True),
        ("newOrder", STATUS, False),
        ("newOrder", ORDERS[:-1], False),
        ("newOrder", "", False),
        ("newOrder", None, False),
        ("newOrder", "سر", False),
        ("orderStatus", STATUS, True),
        ("orderStatus", ORDERS, False),
        ("generic", ORDERS, True),
        ("generic", STATUS, True),
        ("generic", "neither", False),
    ],
)
def test_each_route_has_its_own_secret(route: str, secret: str | None, genuine: bool) -> None:
    came = delivery(CHANGE, route=route, secret=secret)

    assert HOOKS.is_genuine(connected(), came, now=NOW) is genuine


@pytest.mark.parametrize("route", ["newOrder", "orderStatus", "generic"])
@pytest.mark.parametrize("secret", [None, "", "no secret is known yet", "None"])
def test_without_a_secret_nothing_is_genuine(route: str, secret: str | None) -> None:
    came = delivery(CHANGE, route=route, secret=secret)

    assert not HOOKS.is_genuine(config(), came, now=NOW)


async def test_new_order_is_taken_from_the_delivery() -> None:
    async with visiting() as visit:
        order = visit.store.order({"phone": "01034567890", "full_name": "Sara Ali Omar"})
    came = delivery(order)

    meaning = HOOKS.read(connected(), facts(), came)
    notice = HOOKS.describe(came)

    assert isinstance(meaning, Told)
    record = meaning.pulled.record
    assert isinstance(record, Order)
    assert meaning.pulled.external_id == order["id"]
    assert meaning.pulled.version is not None
    assert (record.number, record.currency, record.status) == ("1", "EGP", OrderStatus.PENDING)
    assert record.total == Decimal(str(order["total_cost"]))
    assert (record.billing.phone, record.billing.country) == ("+201034567890", "EG")
    assert (record.billing.first_name, record.billing.last_name) == ("Sara", "Ali Omar")
    assert record.extra["phone"] == "01034567890"
    assert len(record.lines) == len(order["cart_items"])
    assert (notice.event_type, notice.entity, notice.external_id) == (
        *("order_created", Entity.ORDERS),
        order["id"],
    )
    assert notice.kept_headers == {"content-type": "application/json"}


@pytest.mark.parametrize("route", ["orderStatus", "generic", "newOrder"])
def test_status_change_is_a_hint_to_read_the_order(route: str) -> None:
    came = delivery(CHANGE, route=route)

    assert HOOKS.read(connected(), facts(), came) == Hint(Entity.ORDERS, ORDER_ID)
    assert HOOKS.describe(came).event_type == "order_status_changed"
    assert HOOKS.describe(came).external_id == ORDER_ID


def test_capital_keys_and_an_envelope_are_understood() -> None:
    came = delivery({"data": {"EventType": "order-status-update", "OrderId": ORDER_ID}})

    assert HOOKS.read(connected(), facts(), came) == Hint(Entity.ORDERS, ORDER_ID)


@pytest.mark.parametrize(
    ("body", "warns"),
    [
        (b"", True),
        (b"not json", True),
        (b"[" * 100_000, True),
        ([1, 2], True),
        ({"message": "record not found"}, True),
        ({"event_type": "order-status-update"}, True),
        ({"event_type": "order-status-update", "order_id": "../x"}, True),
        ({"event_type": "product-sold"}, False),
        ({"event_type": 7}, True),
    ],
)
def test_what_is_no_order_is_ignored_with_a_reason(body: Any, warns: bool) -> None:
    came = delivery(body)

    meaning = HOOKS.read(connected(), facts(), came)

    assert isinstance(meaning, Ignored)
    assert meaning.is_warning is warns
    assert HOOKS.describe(came).external_id is None


def test_order_without_what_it_needs_is_named_and_no_value_told() -> None:
    body = {"id": ORDER_ID, "status": "pending", "total_cost": "secret text", "cart_items": []}

    with pytest.raises(InvalidRecordError, match="amount"):
        HOOKS.read(connected(), facts(), delivery(body))
    assert "secret text" not in str(HOOKS.describe(delivery(body)))


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("confirmed", OrderStatus.PROCESSING),
        ("paid_failed", OrderStatus.FAILED),
        ("request_refund", OrderStatus.ON_HOLD),
        ("high_risk", OrderStatus.UNKNOWN),
    ],
)
def test_statuses_keep_the_stores_word(told: str, status: OrderStatus) -> None:
    body = {"id": ORDER_ID, "status": told, "total_cost": 10, "cart_items": None}

    meaning = HOOKS.read(connected(), facts(), delivery(body))

    assert isinstance(meaning, Told)
    record = meaning.pulled.record
    assert isinstance(record, Order)
    assert (record.status, record.raw_status, record.number) == (status, told, "6a1f4bd6")
