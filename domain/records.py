"""The canonical records: what every store's data becomes, whatever the store.

All are frozen. References to other records are the store's own ids (`…_external_id`); the hub's
ids exist only in the database. `fingerprint` gives the snapshot that links keep as their base.
Times are aware UTC. Quantities are decimals, because some shops sell by weight.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from domain.money import ZERO, Amount
from domain.statuses import OrderStatus, ProductStatus


class Record(BaseModel):
    """Base of the canonical records: frozen, closed."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64")


def snapshot(record: Record) -> bytes:
    """The record as canonical JSON (UTF-8): same content, same bytes."""
    return record.model_dump_json(exclude_defaults=True).encode()


def fingerprint(snapshot_json: bytes) -> bytes:
    """16-byte digest of a snapshot; equal digests mean equal records."""
    return hashlib.blake2b(snapshot_json, digest_size=16).digest()


class Category(Record):
    """A node of the catalogue's tree."""

    name: str
    slug: str = ""
    parent_external_id: str | None = None
    description: str = ""
    position: int = 0
    extra: Mapping[str, Any] = Field(default_factory=dict)


class Image(Record):
    """A picture of a product."""

    src: str
    external_id: str = ""
    name: str = ""
    alt: str = ""


class Option(Record):
    """One axis along which a product's variants differ, with the values in use."""

    name: str
    values: tuple[str, ...] = ()


class Variant(Record):
    """What is really sold: one price, one SKU, one stock. A simple product has exactly one.

    `price` is what a buyer pays now (None: not for sale yet), `compare_at_price` the regular price
    while it is higher. An option missing from `option_values` means "any value".
    """

    external_id: str
    title: str = ""
    sku: str = ""
    barcode: str = ""
    price: Amount | None = None
    compare_at_price: Amount | None = None
    option_values: Mapping[str, str] = Field(default_factory=dict)
    tracks_stock: bool = False
    in_stock: bool = True
    allows_backorder: bool = False
    weight: Amount | None = None
    is_active: bool = True
    extra: Mapping[str, Any] = Field(default_factory=dict)


class Product(Record):
    """An item of the catalogue. `currency` is the one its variants' prices are in."""

    title: str
    slug: str = ""
    status: ProductStatus
    raw_status: str = ""
    kind: str = "simple"
    description: str = ""
    short_description: str = ""
    currency: str
    category_external_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    options: tuple[Option, ...] = ()
    variants: tuple[Variant, ...] = ()
    created_at: datetime | None = None
    extra: Mapping[str, Any] = Field(default_factory=dict)


class Address(Record):
    """A postal address with its person, as the store keeps it."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


class Customer(Record):
    """A buyer: registered at the store, or a guest known from orders alone."""

    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    is_guest: bool = False
    is_paying: bool = False
    billing: Address = Address()
    shipping: Address = Address()
    created_at: datetime | None = None
    extra: Mapping[str, Any] = Field(default_factory=dict)


class OrderLine(Record):
    """One position of an order. `unit_price` is before discount, `total` after it, both ex tax."""

    external_id: str
    product_external_id: str | None = None
    variant_external_id: str | None = None
    sku: str = ""
    title: str = ""
    quantity: Amount
    unit_price: Amount = ZERO
    subtotal: Amount = ZERO
    discount: Amount = ZERO
    tax: Amount = ZERO
    total: Amount = ZERO
    extra: Mapping[str, Any] = Field(default_factory=dict)


class Charge(Record):
    """A shipping, fee, tax or coupon position of an order; `code` is the store's name for it."""

    kind: str
    external_id: str = ""
    code: str = ""
    title: str = ""
    total: Amount = ZERO
    tax: Amount = ZERO


class Refund(Record):
    """Money given back; `amount` is positive."""

    external_id: str
    amount: Amount
    reason: str = ""


class Order(Record):
    """A sale. A buyer without an account has no `customer_external_id`; see `domain.guests`."""

    number: str
    status: OrderStatus
    raw_status: str = ""
    currency: str
    subtotal: Amount = ZERO
    discount_total: Amount = ZERO
    shipping_total: Amount = ZERO
    tax_total: Amount = ZERO
    total: Amount
    customer_external_id: str | None = None
    billing: Address = Address()
    shipping: Address = Address()
    payment_method: str = ""
    payment_title: str = ""
    transaction_id: str = ""
    customer_note: str = ""
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    lines: tuple[OrderLine, ...] = ()
    charges: tuple[Charge, ...] = ()
    refunds: tuple[Refund, ...] = ()
    extra: Mapping[str, Any] = Field(default_factory=dict)

    @property
    def refunded_total(self) -> Decimal:
        """Sum of the refunds, in the order's currency."""
        return sum((refund.amount for refund in self.refunds), ZERO)


class InventoryLevel(Record):
    """What a store says it has of a variant at a location. Untracked variants have no level.

    `version` is the store's modification time of the record that carries the number, if it is
    known to have one that a change of the number never sets back.
    """

    variant_external_id: str
    location_external_id: str = "default"
    available: Amount
    version: datetime | None = None
