"""Webhooks as they arrive."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from domain.deliveries import Delivery, Meaning
from providers.woocommerce.config import WooCommerceConfig
from providers.woocommerce.webhooks import WooCommerceWebhooks
from tests.providers.woocommerce.shops import config, facts

SAMPLES = Path(__file__).parents[2] / "sandbox" / "samples"
CAPTURED = sorted(
    path.stem.removeprefix("webhook_")
    for path in SAMPLES.glob("webhook_*.json")
    if path.stem != "webhook_object"
)
PINGS = [name for name in CAPTURED if name.startswith("ping_")]
SIGNED = [name for name in CAPTURED if name not in PINGS]
SECRET = "s3cr3t-ü"
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
WEBHOOKS = WooCommerceWebhooks()
GONE_ERROR = {
    "code": "woocommerce_rest_shop_order_invalid_id",
    "message": "Invalid ID.",
    "data": {"status": 404},
}
RIGHTS_ERROR = {
    "code": "woocommerce_rest_cannot_view",
    "message": "Sorry, you cannot view this resource.",
    "data": {"status": 401},
}


@cache
def _sample(name: str) -> dict[str, Any]:
    exchange: dict[str, Any] = json.loads((SAMPLES / f"webhook_{name}.json").read_text())
    return exchange


def captured(name: str, *, route: str = "generic") -> Delivery:
    headers = {key.lower(): value for key, value in _sample(name)["headers"]}
    return Delivery(route, headers, _sample(name)["body_raw"].encode())


def delivery(
    body: object, *, header: str = "", route: str = "generic", topic: str = ""
) -> Delivery:
    headers = {"x-wc-webhook-topic": header} if header else {}
    return Delivery(route, headers, json.dumps(body).encode(), topic)


def secured(secret: str | None) -> WooCommerceConfig:
    return config().model_copy(update={"webhook_secret": SecretStr(secret) if secret else None})


def read(one: Delivery) -> Meaning:
    return WEBHOOKS.read(config(), facts(), one)
