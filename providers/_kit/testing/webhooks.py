"""What every provider with webhooks must hold: forged ones are told, odd ones break nothing.

A provider's folder keeps genuine deliveries in `golden/webhooks.json`, from which the forged ones
are made here:

    {"config": {"webhookSecret": "…"},
     "deliveries": [{"name": "…", "route": "newOrder", "topic": "", "headers": {…}, "body": "…",
                     "signs_body": true, "event_type": "order_created", "says": "told"}]}

`config` fills in the connection form; `says` is `told`, `hint`, `gone` or `ignored`; a delivery
with `"is_ping": true` is the store's unsigned test.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import httpx

from domain.deliveries import Delivery, Gone, Hint, Ignored, Told
from domain.errors import InvalidRecordError
from providers._kit.protocols import (
    ManagesWebhooks,
    Provider,
    StoreConfig,
    StoreFacts,
    Webhooks,
)
from providers._kit.testing.examples import URL, connected, example_config

ROUTES: Final = ("generic", "newOrder", "orderStatus", "event")
ODD_BODIES: Final = (
    *(b"", b"null", b"7", b'"text"', b"[]", b"{}", b"[1, 2]", b"not json", b"\xff\xfe", b"\x00"),
    *(b'{"id": null}', b'{"id": "../../x"}', b'{"id": {"a": 1}}', b'{"message": "not found"}'),
    b"[" * 100_000,
    b'{"id": 1, "status": "\\ud83d", "total": "NaN"}',
)
_NOW: Final = datetime(2026, 11, 21, tzinfo=UTC)
_MEANINGS: Final = {"told": Told, "hint": Hint, "gone": Gone, "ignored": Ignored}


@dataclass(frozen=True, slots=True)
class Sample:
    """A genuine delivery, and what it has to be understood as."""

    name: str
    delivery: Delivery
    event_type: str = ""
    says: str = "ignored"
    signs_body: bool = True
    is_ping: bool = False


@dataclass(frozen=True, slots=True)
class Samples:
    """A provider's genuine deliveries, and the form with the secrets they were made with."""

    config: Mapping[str, Any] = field(repr=False)
    deliveries: tuple[Sample, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Those of a provider's folder. Raises AssertionError: there are none."""
        path = folder / "golden" / "webhooks.json"
        assert path.is_file(), f"Put genuine deliveries into {path.name}: see the contract kit."
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(told["config"], tuple(_sample(one) for one in told["deliveries"]))

    def fill_in(self, provider: Provider) -> StoreConfig:
        """The connection form with the secrets of these deliveries."""
        return _filled_in(provider, self.config)


def check_webhooks(provider: Provider, samples: Samples) -> None:
    """Genuine deliveries pass and are understood; forged ones do not; odd ones break nothing."""
    webhooks = provider.webhooks
    assert webhooks is not None, "The provider has no webhooks to check."
    client, _ = connected(provider, lambda _: httpx.Response(500))
    assert bool(webhooks.topics) == isinstance(client, ManagesWebhooks), (
        "`topics` are what a client with `subscribe` (`ManagesWebhooks`) subscribes to."
    )
    assert any(not one.is_ping for one in samples.deliveries), "Give a sample that is no ping."
    with_secrets = _filled_in(provider, samples.config)
    without = _filled_in(provider, dict.fromkeys(samples.config))
    for sample in samples.deliveries:
        if sample.is_ping:
            _check_ping(webhooks, with_secrets, sample)
        else:
            _check_genuine(webhooks, with_secrets, sample)
            _check_forged(webhooks, with_secrets, without, sample)
    for route in ROUTES:
        _check_odd(webhooks, with_secrets, without, route)


def _check_ping(webhooks: Webhooks, config: StoreConfig, sample: Sample) -> None:
    assert webhooks.is_ping(sample.delivery), f"{sample.name}: this is a ping."
    assert not _is_genuine(webhooks, config, sample.delivery), f"{sample.name}: nothing signs it."


def _check_genuine(webhooks: Webhooks, config: StoreConfig, sample: Sample) -> None:
    name, delivery = sample.name, sample.delivery
    assert _is_genuine(webhooks, config, delivery), f"{name}: a genuine delivery is refused."
    assert not webhooks.is_ping(delivery), f"{name}: this is no ping."
    notice = webhooks.describe(delivery)
    assert notice.event_type == sample.event_type, f"{name}: is {notice.event_type!r}."
    secrets = _secret_headers(webhooks, config, delivery)
    kept = {name.lower() for name in notice.kept_headers}
    assert secrets, f"{name}: no header proves it, so anyone could send it."
    assert not kept & secrets, f"{name}: {sorted(kept & secrets)} proves it and must not be kept."
    facts = StoreFacts(store_url=URL, currency="EUR")
    later = replace(delivery, headers=dict(notice.kept_headers))
    meaning = webhooks.read(config, facts, later)
    assert isinstance(meaning, _MEANINGS[sample.says]), (
        f"{name}: says {type(meaning).__name__} with the kept headers alone, not {sample.says}."
    )
    if isinstance(meaning, (Told, Hint, Gone)):
        assert notice.entity is meaning.entity, f"{name}: `describe` and `read` differ in entity."
        told = meaning.pulled.external_id if isinstance(meaning, Told) else meaning.external_id
        assert notice.external_id == told, f"{name}: `describe` and `read` differ in the id."


def _check_forged(
    webhooks: Webhooks, config: StoreConfig, without: StoreConfig, sample: Sample
) -> None:
    name, delivery = sample.name, sample.delivery
    assert not _is_genuine(webhooks, without, delivery), (
        f"{name}: passes although the store has no secret yet: fail closed."
    )
    for header in _secret_headers(webhooks, config, delivery):
        value = delivery.headers[header]
        for forged in (value[:-1], f"{value}x", value.swapcase(), "", "é", "None"):
            came = replace(delivery, headers={**delivery.headers, header: forged})
            assert forged == value or not _is_genuine(webhooks, config, came), (
                f"{name}: passes with another {header}."
            )
    if sample.signs_body:
        came = replace(delivery, body=delivery.body + b" ")
        assert not _is_genuine(webhooks, config, came), f"{name}: passes with another body."


def _check_odd(webhooks: Webhooks, config: StoreConfig, without: StoreConfig, route: str) -> None:
    facts = StoreFacts(store_url=URL, currency="EUR")
    for body in ODD_BODIES:
        delivery = Delivery(route, {"content-type": "application/json"}, body)
        shown = body[:30]
        for one in (config, without):
            assert not _is_genuine(webhooks, one, delivery), f"{shown!r}: unsigned, yet genuine."
        webhooks.source(delivery)
        notice = webhooks.describe(delivery)
        assert len(notice.event_type) <= 50, f"{shown!r}: an event type has at most 50 characters."
        assert len(notice.topic) <= 100, f"{shown!r}: a topic has at most 100 characters."
        try:
            meaning = webhooks.read(config, facts, delivery)
        except InvalidRecordError:
            continue
        assert not isinstance(meaning, Told), f"{shown!r}: is no record."


def _secret_headers(webhooks: Webhooks, config: StoreConfig, delivery: Delivery) -> set[str]:
    """The headers without which the delivery would not pass."""
    return {
        name
        for name in delivery.headers
        if not _is_genuine(
            webhooks,
            config,
            replace(
                delivery,
                headers={one: text for one, text in delivery.headers.items() if one != name},
            ),
        )
    }


def _is_genuine(webhooks: Webhooks, config: StoreConfig, delivery: Delivery) -> bool:
    return webhooks.is_genuine(config, delivery, now=_NOW)


def _filled_in(provider: Provider, config: Mapping[str, Any]) -> StoreConfig:
    model = provider.config_model
    names = {one.alias or name: name for name, one in model.model_fields.items()}
    given = {names.get(name, name): value for name, value in config.items()}
    usual = {name: getattr(example_config(provider), name) for name in model.model_fields}
    return model.model_validate({**usual, **given})


def _sample(told: Mapping[str, Any]) -> Sample:
    headers = {name.lower(): text for name, text in told["headers"].items()}
    delivery = Delivery(told["route"], headers, told["body"].encode(), told.get("topic", ""))
    return Sample(
        told["name"],
        delivery,
        told.get("event_type", ""),
        told.get("says", "ignored"),
        told.get("signs_body", True),
        told.get("is_ping", False),
    )
