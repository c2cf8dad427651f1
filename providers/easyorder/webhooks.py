"""EasyOrders' webhooks.

Source: EasyOrders API docs, "webhooks": a POST of JSON with the webhook's own secret in the header
`secret`, a static text and no signature. A new order is the order as it is read by id; a status
change names only the order's id and both statuses, without time, store or delivery id.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import SecretStr

from domain.deliveries import Delivery, Hint, Ignored, Meaning, Notice, Told
from domain.entities import Entity
from providers._kit.protocols import StoreConfig, StoreFacts
from providers.easyorder.config import EasyOrderConfig
from providers.easyorder.reading import read_record
from providers.easyorder.wire import ID, with_plain_keys

STATUS_EVENT: Final = "order-status-update"
_NEW_ORDER: Final = "order-created"
_SECRET_HEADER: Final = "secret"  # noqa: S105 - the name of a header
_KEPT: Final = ("content-type", "user-agent")


class EasyOrderWebhooks:
    """Tells genuine deliveries, and reads them."""

    @property
    def topics(self) -> Sequence[str]:
        """None: webhooks are made by hand in the dashboard, or by the install link."""
        return ()

    def is_ping(self, delivery: Delivery) -> bool:
        """No test delivery is known."""
        del delivery
        return False

    def is_genuine(self, config: StoreConfig, delivery: Delivery, *, now: datetime) -> bool:
        """Whether the header carries the secret of the webhook that the route belongs to.

        The generic route takes either: a dashboard webhook has one URL for all it sends.
        """
        del now
        if not isinstance(config, EasyOrderConfig):
            return False
        given = delivery.headers.get(_SECRET_HEADER, "").encode("utf-8", "replace")
        routes: Mapping[str, tuple[SecretStr | None, ...]] = {
            "newOrder": (config.webhook_secret,),
            "orderStatus": (config.status_webhook_secret,),
        }
        both = (config.webhook_secret, config.status_webhook_secret)
        secrets = routes.get(delivery.route, both)
        # Every secret is compared, so that the time tells nothing.
        return sum(_is_equal(given, secret) for secret in secrets) > 0

    def source(self, delivery: Delivery) -> str | None:
        """Deliveries name no address."""
        del delivery
        return None

    def describe(self, delivery: Delivery) -> Notice:
        """What it is about. Never raises."""
        kept = {name: delivery.headers[name] for name in _KEPT if name in delivery.headers}
        body = _read(delivery.body)
        if _is_status_change(body, delivery.route):
            order_id = _id_of(body, "order_id") or _id_of(body, "id")
            return Notice("order_status_changed", STATUS_EVENT, Entity.ORDERS, order_id, kept)
        if _is_order(body):
            return Notice("order_created", _NEW_ORDER, Entity.ORDERS, _id_of(body, "id"), kept)
        told = body.get("event_type") if isinstance(body, dict) else None
        return Notice("unknown", str(told)[:100] if told else "unknown", kept_headers=kept)

    def read(self, config: StoreConfig, facts: StoreFacts, delivery: Delivery) -> Meaning:
        """What it says. Raises InvalidRecordError: an order that cannot be understood."""
        if not isinstance(config, EasyOrderConfig):
            raise TypeError("an EasyOrder store needs an EasyOrderConfig")
        body = _read(delivery.body)
        if _is_status_change(body, delivery.route):
            order_id = _id_of(body, "order_id") or _id_of(body, "id")
            if order_id is None:
                return Ignored("A status change that names no order.", is_warning=True)
            return Hint(Entity.ORDERS, order_id)
        if _is_order(body):
            return Told(
                Entity.ORDERS, read_record(config, Entity.ORDERS, body, facts.field_mapping)
            )
        if isinstance(body, dict) and isinstance(body.get("event_type"), str):
            return Ignored(f"An event the hub does not know: {body['event_type'][:60]}.")
        return Ignored("The body is neither an order nor a status change.", is_warning=True)


def _is_equal(given: bytes, secret: SecretStr | None) -> bool:
    if secret is None:
        hmac.compare_digest(given, b"no secret is known yet")
        return False
    return hmac.compare_digest(given, secret.get_secret_value().encode())


def _read(body: bytes) -> Any:
    try:
        value = with_plain_keys(json.loads(body, parse_float=Decimal))
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and "id" not in value and isinstance(value.get("data"), dict):
        return value["data"]
    return value


def _is_status_change(body: Any, route: str) -> bool:
    if not isinstance(body, dict):
        return False
    if body.get("event_type") == STATUS_EVENT:
        return True
    return route == "orderStatus" and "order_id" in body


def _is_order(body: Any) -> bool:
    is_told = isinstance(body, dict) and not body.get("event_type")
    return is_told and "status" in body and ("cart_items" in body or "total_cost" in body)


def _id_of(body: Any, name: str) -> str | None:
    found = body.get(name)
    return found if isinstance(found, str) and ID.fullmatch(found) else None
