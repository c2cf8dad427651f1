"""Buyers without an account.

A guest exists only as what orders say of them. One guest is one e-mail address, or where there is
none one telephone number; the profile is that of their newest order. The key is a digest, so that
no address stands in ids, logs or URLs.
"""

import hashlib
from datetime import UTC, datetime, timedelta

from domain.pages import Pulled
from domain.records import Customer, Order

GUEST_PREFIX = "guest:"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def guest_key(order: Order) -> str | None:
    """The external id of the guest who placed an order; None where nobody can be told apart."""
    if order.customer_external_id is not None:
        return None
    identity = order.billing.email.strip().lower() or _digits(order.billing.phone)
    if not identity:
        return None
    return GUEST_PREFIX + hashlib.sha256(identity.encode()).hexdigest()[:32]


def buyer_key(order: Order) -> str | None:
    """The external id of an order's customer, registered or guest."""
    return order.customer_external_id or guest_key(order)


def guest_of(pulled: Pulled[Order]) -> Pulled[Customer] | None:
    """The guest's profile as this order tells it, versioned by when the order was placed."""
    order = pulled.record
    key = guest_key(order)
    if key is None:
        return None
    profile = Customer(
        email=order.billing.email.strip().lower(),
        phone=order.billing.phone,
        first_name=order.billing.first_name,
        last_name=order.billing.last_name,
        is_guest=True,
        billing=order.billing,
        shipping=order.shipping,
    )
    return Pulled(key, profile, version=_placed(pulled))


def _placed(pulled: Pulled[Order]) -> datetime:
    """Stores tell seconds; orders of one second are told apart by their id."""
    moment = pulled.record.placed_at or _BEGINNING
    digits = _digits(pulled.external_id)
    return moment + timedelta(microseconds=int(digits[-6:]) if digits else 0)


def _digits(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")
