"""The contract kit's webhook checks catch providers that break one rule each."""

# The doubles keep the signatures of what they stand for.
# ruff: noqa: ARG002

import hmac
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field, SecretStr

from domain.deliveries import Delivery, Hint, Ignored, Meaning, Notice
from domain.entities import Entity
from providers._kit.protocols import (
    HttpSession,
    Manifest,
    StoreClient,
    StoreConfig,
    StoreFacts,
)
from providers._kit.testing.webhooks import Sample, Samples, check_webhooks
from tests.providers.test_contract_writes import _Writer

SECRET = "a-secret-of-the-store"
BODY = b'{"order":"7"}'


def _sign(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, sha256).hexdigest()


class _Hooks:
    """Reads deliveries signed over their body, and does everything right."""

    topics: Sequence[str] = ()

    def is_ping(self, delivery: Delivery) -> bool:
        return delivery.body == b"ping"

    def is_genuine(self, config: StoreConfig, delivery: Delivery, *, now: datetime) -> bool:
        if config.webhook_secret is None:
            return False
        wanted = _sign(config.webhook_secret.get_secret_value(), delivery.body)
        return hmac.compare_digest(wanted.encode(), delivery.headers.get("sign", "").encode())

    def source(self, delivery: Delivery) -> str | None:
        return None

    def describe(self, delivery: Delivery) -> Notice:
        order = self.order(delivery)
        kept = {name: delivery.headers[name] for name in self.kept() if name in delivery.headers}
        kind = "order_updated" if order else "unknown"
        return Notice(kind, "order", Entity.ORDERS if order else None, order, kept)

    def read(self, config: StoreConfig, facts: StoreFacts, delivery: Delivery) -> Meaning:
        order = self.order(delivery)
        return Hint(Entity.ORDERS, order) if order else Ignored("no order")

    def order(self, delivery: Delivery) -> str | None:
        try:
            told: Any = json.loads(delivery.body)
        except (ValueError, RecursionError):
            return None
        found = told.get("order") if isinstance(told, dict) else None
        return found if isinstance(found, str) else None

    def kept(self) -> Sequence[str]:
        return ("content-type",)


class _Config(StoreConfig):
    webhook_secret: SecretStr | None = Field(default=None)


class _Example:
    config_model: ClassVar[type[StoreConfig]] = _Config
    manifest: ClassVar[Manifest] = Manifest("example", "E", (), frozenset(), 1, "")

    def __init__(self, webhooks: _Hooks | None = None) -> None:
        self.webhooks = webhooks or _Hooks()

    def connect(
        self, config: StoreConfig, facts: StoreFacts | None, session: HttpSession
    ) -> StoreClient:
        return _Writer(session, "")


GENUINE = Sample(
    "order",
    Delivery("generic", {"sign": _sign(SECRET, BODY), "content-type": "application/json"}, BODY),
    event_type="order_updated",
    says="hint",
)
PING = Sample("ping", Delivery("generic", {}, b"ping"), is_ping=True)
SAMPLES = Samples({"webhookSecret": SECRET}, (GENUINE, PING))


class _TakesAll(_Hooks):
    def is_genuine(self, config: StoreConfig, delivery: Delivery, *, now: datetime) -> bool:
        return True


class _Open(_Hooks):
    """Without a secret, everything passes."""

    def is_genuine(self, config: StoreConfig, delivery: Delivery, *, now: datetime) -> bool:
        return config.webhook_secret is None or super().is_genuine(config, delivery, now=now)


class _EmptySecret(_Hooks):
    """Without a secret, what is signed with none passes."""

    def is_genuine(self, config: StoreConfig, delivery: Delivery, *, now: datetime) -> bool:
        if config.webhook_secret is None:
            return "sign" in delivery.headers
        return super().is_genuine(config, delivery, now=now)


class _Prefix(_Hooks):
    def is_genuine(self, config: StoreConfig, delivery: Delivery, *, now: datetime) -> bool:
        given = delivery.headers.get("sign", "")
        return bool(given) and _sign(SECRET, delivery.body).startswith(given[:10])


class _NoBody(_Hooks):
    """Compares a fixed text, though the store signs the body."""

    def is_genuine(self, config: StoreConfig, delivery: Delivery, *, now: datetime) -> bool:
        return config.webhook_secret is not None and delivery.headers.get("sign") == _sign(
            SECRET, BODY
        )


class _Strict(_Hooks):
    def is_genuine(self, config: StoreConfig, delivery: Delivery, *, now: datetime) -> bool:
        return False


class _KeepsSecret(_Hooks):
    def kept(self) -> Sequence[str]:
        return ("content-type", "sign")


class _PingsAll(_Hooks):
    def is_ping(self, delivery: Delivery) -> bool:
        return True


class _NoPing(_Hooks):
    def is_ping(self, delivery: Delivery) -> bool:
        return False


class _Breaks(_Hooks):
    def order(self, delivery: Delivery) -> str | None:
        return str(json.loads(delivery.body)["order"])


class _Differs(_Hooks):
    def read(self, config: StoreConfig, facts: StoreFacts, delivery: Delivery) -> Meaning:
        return Hint(Entity.ORDERS, "8") if self.order(delivery) else Ignored("no order")


class _Deaf(_Hooks):
    def read(self, config: StoreConfig, facts: StoreFacts, delivery: Delivery) -> Meaning:
        return Ignored("whatever")


class _NeedsMore(_Hooks):
    """Reads a header that it does not keep."""

    def read(self, config: StoreConfig, facts: StoreFacts, delivery: Delivery) -> Meaning:
        if "sign" not in delivery.headers:
            return Ignored("no signature")
        return super().read(config, facts, delivery)


class _Subscribes(_Hooks):
    topics = ("order.created",)


class _Chatty(_Hooks):
    def describe(self, delivery: Delivery) -> Notice:
        notice = super().describe(delivery)
        return notice if notice.entity else replace(notice, event_type="x" * 51)


def test_sound_webhooks_pass() -> None:
    check_webhooks(_Example(), SAMPLES)


@pytest.mark.parametrize(
    ("hooks", "told"),
    [
        (_TakesAll, "nothing signs it|no header proves it"),
        (_Open, "fail closed"),
        (_EmptySecret, "fail closed"),
        (_Prefix, "another sign|fail closed"),
        (_NoBody, "another body"),
        (_Strict, "is refused"),
        (_KeepsSecret, "must not be kept"),
        (_PingsAll, "is no ping"),
        (_NoPing, "this is a ping"),
        (_Differs, "differ in the id"),
        (_Deaf, "says Ignored"),
        (_NeedsMore, "says Ignored"),
        (_Subscribes, "ManagesWebhooks"),
        (_Chatty, "at most 50 characters"),
    ],
)
def test_broken_webhooks_are_caught(hooks: type[_Hooks], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check_webhooks(_Example(hooks()), SAMPLES)


def test_webhooks_that_break_on_odd_bodies_are_caught() -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        check_webhooks(_Example(_Breaks()), SAMPLES)


def test_provider_without_samples_is_told_to_give_some(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"webhooks\.json"):
        Samples.load(tmp_path)


def test_samples_without_a_delivery_prove_nothing() -> None:
    with pytest.raises(AssertionError, match="no ping"):
        check_webhooks(_Example(), replace(SAMPLES, deliveries=(PING,)))
