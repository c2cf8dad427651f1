"""What a delivery is about: its topic, and its body as far as it can be trusted.

Source: WooCommerce REST API docs (v3, webhooks), `class-wc-webhook.php`, and deliveries captured
from 11.0.1. Header names are in lower case here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.deliveries import Delivery
from domain.entities import Entity
from domain.errors import StoreError
from providers._kit.answers import Answer, read_json
from providers.woocommerce.wire import row_id

TOPIC_HEADER: Final = "x-wc-webhook-topic"

TOPICS: Final = (
    *("order.created", "order.updated", "order.deleted", "order.restored"),
    *("product.created", "product.updated", "product.deleted", "product.restored"),
    *("customer.created", "customer.updated", "customer.deleted"),
)
"""What to subscribe to. A customer cannot be restored: WooCommerce has no trash for them."""

_ENTITIES: Final[Mapping[str, Entity]] = {
    "order": Entity.ORDERS,
    "product": Entity.PRODUCTS,
    "customer": Entity.CUSTOMERS,
}
_BY_ROUTE: Final[Mapping[str, str]] = {
    "newOrder": "order.created",
    "orderStatus": "order.updated",
}
_TOPIC: Final = re.compile(r"[a-z0-9_]{1,40}(?:\.[a-z0-9_]{1,100})?")
_NOT_A_WORD: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Content:
    """A delivery's body, read.

    Attributes:
        topic: `order.updated`; empty if nothing names one.
        body: the record's JSON object; None if the body is no JSON object.
        fault: why there is none.
    """

    topic: str
    body: dict[str, Any] | None
    fault: str = ""

    @property
    def resource(self) -> str:
        """The topic's first word: `order`."""
        return self.topic.partition(".")[0]

    @property
    def verb(self) -> str:
        """The topic's second word: `updated`."""
        return self.topic.partition(".")[2]

    @property
    def entity(self) -> Entity | None:
        """The kind of record; None for what the hub does not keep (coupons, `action.…`)."""
        return _ENTITIES.get(self.resource) if self.verb else None

    @property
    def external_id(self) -> str | None:
        """The record's id; of a variation its product's. None if the body names none."""
        if self.body is None:
            return None
        if self.entity is Entity.PRODUCTS and self.body.get("type") == "variation":
            return row_id({"id": self.body.get("parent_id")})
        return row_id(self.body)

    @property
    def event_type(self) -> str:
        """The store document's word for it."""
        if self.topic == "order.updated":
            return "order_status_changed"
        return _NOT_A_WORD.sub("_", self.topic).strip("_")[:60] or "unknown"


def read_content(delivery: Delivery) -> Content:
    """The topic and the body of a delivery. Never raises.

    The topic is the header's, else the path's, else the body's own (a plug-in sends
    `{"topic": …, "data": …}`), else what our route stands for. None of these is signed: what a
    body holds decides what is done with it.
    """
    body, fault = _read_body(delivery.body)
    told = ""
    # The shop's error objects have `data` too, but no topic.
    if body is not None and "id" not in body and isinstance(body.get("topic"), str):
        told = body["topic"]
        body = body["data"] if isinstance(body.get("data"), dict) else {}
    for name in (delivery.headers.get(TOPIC_HEADER, ""), delivery.topic, told):
        topic = name.strip().lower()
        if _TOPIC.fullmatch(topic):
            return Content(topic, body, fault)
    return Content(_BY_ROUTE.get(delivery.route, ""), body, fault)


def _read_body(raw: bytes) -> tuple[dict[str, Any] | None, str]:
    try:
        value = read_json(Answer(200, {}, raw), asked="webhook")
    except StoreError:
        return None, "the body is not JSON"
    if not isinstance(value, dict):
        return None, "the body is not a JSON object"
    return value, ""
