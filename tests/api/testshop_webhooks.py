"""Webhooks of the provider that exists for tests: signed with hex HMAC-SHA256, dated if asked."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from domain.deliveries import Delivery, Hint, Meaning, Notice
from domain.entities import Entity
from providers._kit.protocols import StoreConfig, StoreFacts

SIGNATURE = "x-shop-signature"
TOPIC = "x-shop-topic"
SOURCE = "x-shop-source"
SENT_AT = "x-shop-sent-at"


class TestshopWebhooks:
    """Topics are `order.created` and the like; bodies are JSON objects with an `id`."""

    __test__ = False

    @property
    def topics(self) -> Sequence[str]:
        """None to subscribe to."""
        return ()

    def is_ping(self, delivery: Delivery) -> bool:
        """The word `ping`, unsigned."""
        return delivery.body == b"ping" and SIGNATURE not in delivery.headers

    def is_genuine(self, config: StoreConfig, delivery: Delivery, *, now: datetime) -> bool:
        """Signed over the raw body; where a time was sent, not older than five minutes."""
        secret = config.webhook_secret
        if secret is None:
            return False
        sent_at = delivery.headers.get(SENT_AT)
        if sent_at is not None:
            age = now - datetime.fromtimestamp(int(sent_at), UTC)
            if abs(age.total_seconds()) > 300:
                return False
        expected = sign(secret.get_secret_value(), delivery.body)
        given = delivery.headers.get(SIGNATURE, "")
        return hmac.compare_digest(expected.encode(), given.encode())

    def source(self, delivery: Delivery) -> str | None:
        """The shop's address."""
        return delivery.headers.get(SOURCE)

    def describe(self, delivery: Delivery) -> Notice:
        """Topic and id."""
        topic = delivery.headers.get(TOPIC) or delivery.topic or "order.created"
        try:
            external_id = str(json.loads(delivery.body)["id"])
        except (ValueError, KeyError, TypeError):
            external_id = None
        return Notice(
            event_type=topic.replace(".", "_"),
            topic=topic,
            entity=Entity.ORDERS,
            external_id=external_id,
            kept_headers={TOPIC: topic},
        )

    def read(self, config: StoreConfig, facts: StoreFacts, delivery: Delivery) -> Meaning:
        """Always a hint."""
        del config, facts
        return Hint(Entity.ORDERS, str(json.loads(delivery.body)["id"]))


def sign(secret: str, body: bytes) -> str:
    """The signature of a body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
