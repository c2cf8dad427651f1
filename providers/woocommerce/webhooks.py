"""Webhooks of a WooCommerce shop: whether one is genuine, and what it says. Pure.

Source: WooCommerce REST API docs (v3, webhooks) and `class-wc-webhook.php`; what they leave open
was measured on 11.0.1. The delivery id is a hash of webhook and second and not unique, so nothing
here relies on it. A body is built at delivery, as the webhook's owner may see the record: a
genuine one can be an error object.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.deliveries import Delivery, Meaning, Notice
from providers._kit.parts import Part
from providers._kit.protocols import StoreConfig, StoreFacts
from providers._kit.store_url import normalise_store_url
from providers.woocommerce.meanings import read_meaning
from providers.woocommerce.parts import read_part
from providers.woocommerce.topics import TOPIC_HEADER, TOPICS, read_content

_SIGNATURE: Final = "x-wc-webhook-signature"
_SOURCE: Final = "x-wc-webhook-source"
_KEPT: Final = (
    TOPIC_HEADER,
    "x-wc-webhook-resource",
    "x-wc-webhook-event",
    "x-wc-webhook-id",
    "x-wc-webhook-delivery-id",
    _SOURCE,
    "user-agent",
    "content-type",
)
_LONGEST_HEADER: Final = 500
_PING: Final = re.compile(rb"webhook_id=[0-9]{1,20}")
# What `wp_specialchars_decode` resolves in a secret before it signs; `&amp;` comes last.
_ENTITIES: Final = (
    *(("&lt;", "<"), ("&#060;", "<"), ("&#x3c;", "<")),
    *(("&gt;", ">"), ("&#062;", ">"), ("&#x3e;", ">")),
    *(("&quot;", '"'), ("&#034;", '"'), ("&#x22;", '"')),
    *(("&#039;", "'"), ("&#x27;", "'")),
    *(("&amp;", "&"), ("&#038;", "&"), ("&#x26;", "&")),
)


class WooCommerceWebhooks:
    """Reads the deliveries of WooCommerce shops."""

    @property
    def topics(self) -> Sequence[str]:
        """The topics to subscribe to."""
        return TOPICS

    def is_ping(self, delivery: Delivery) -> bool:
        """The test a shop sends when a webhook is made active.

        Form-encoded `webhook_id=24`, without `X-WC-…` headers or signature (captured).
        """
        return (
            _PING.fullmatch(delivery.body.strip()) is not None
            and TOPIC_HEADER not in delivery.headers
            and _SIGNATURE not in delivery.headers
        )

    def is_genuine(
        self,
        config: StoreConfig,
        delivery: Delivery,
        *,
        now: datetime,  # noqa: ARG002
    ) -> bool:
        """Base64 of HMAC-SHA256 over the raw body, compared in constant time.

        WooCommerce resolves HTML's entities in its secret first, so a secret that has some is
        tried both ways. It signs no time: `now` plays no part.
        """
        given = delivery.headers.get(_SIGNATURE, "").strip().encode()
        known = config.webhook_secret
        secret = known.get_secret_value() if known is not None else ""
        as_typed = hmac.compare_digest(_sign(secret, delivery.body), given)
        as_decoded = hmac.compare_digest(_sign(_decoded(secret), delivery.body), given)
        # Without a secret the work is the same, and the answer is no.
        return bool(secret) and (as_typed or as_decoded)

    def source(self, delivery: Delivery) -> str | None:
        """The shop's home address, in the form a store's URL is kept in."""
        raw = delivery.headers.get(_SOURCE)
        if not raw:
            return None
        try:
            return normalise_store_url(raw)
        except ValueError:
            return None

    def describe(self, delivery: Delivery) -> Notice:
        """Topic and id, as headers, path and body tell them."""
        content = read_content(delivery)
        return Notice(
            event_type=content.event_type,
            topic=content.topic,
            entity=content.entity,
            external_id=content.external_id if content.entity is not None else None,
            kept_headers={
                name: delivery.headers[name][:_LONGEST_HEADER]
                for name in _KEPT
                if name in delivery.headers
            },
        )

    def read(
        self,
        config: StoreConfig,  # noqa: ARG002
        facts: StoreFacts,
        delivery: Delivery,
    ) -> Meaning:
        """What it says; see `meanings`.

        Raises:
            InvalidRecordError: it carries a record that cannot be understood.
        """
        return read_meaning(
            read_content(delivery), currency=facts.currency, mapping=facts.field_mapping
        )

    def read_part(
        self,
        config: StoreConfig,  # noqa: ARG002
        facts: StoreFacts,
        delivery: Delivery,
    ) -> Part:
        """What a body that is not the whole record says; see `parts`."""
        return read_part(read_content(delivery), facts)


def _sign(secret: str, body: bytes) -> bytes:
    return b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())


def _decoded(secret: str) -> str:
    for entity, character in _ENTITIES:
        secret = secret.replace(entity, character)
    return secret
