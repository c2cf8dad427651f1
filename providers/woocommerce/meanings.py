"""From a delivery's body to what it means for the hub. Pure.

A body is taken as the record only if it holds what the shop's own answer always holds; anything
less, and anything that needs more (a product's variations), is a hint to read the record again.
So neither a plug-in's shortened body nor one that came under another topic can damage a record.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from domain.deliveries import Gone, Hint, Ignored, Meaning, Told
from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.field_mapping import NO_MAPPING, FieldMapping
from domain.pages import Pulled
from domain.records import Record
from providers._kit.manifest import StoreFacts
from providers._kit.mapped import with_mapping
from providers._kit.wire_values import read_utc
from providers.woocommerce.mapper import sells_variations, to_product
from providers.woocommerce.order_mapper import to_order
from providers.woocommerce.people_mapper import to_customer
from providers.woocommerce.reading import NOT_YET, TRASH
from providers.woocommerce.topics import Content
from providers.woocommerce.wire import CUSTOMERS, ORDERS, PRODUCTS, Row, RowKind, describe

# What a REST answer of each kind always holds, and no other kind has all of.
_WHOLE: Final[Mapping[Entity, frozenset[str]]] = {
    Entity.PRODUCTS: frozenset(
        (
            *("name", "type", "status", "sku", "regular_price", "manage_stock"),
            *("stock_quantity", "categories", "variations", "date_modified_gmt"),
        )
    ),
    Entity.ORDERS: frozenset(
        ("status", "total", "currency", "billing", "line_items", "refunds", "date_modified_gmt")
    ),
    Entity.CUSTOMERS: frozenset(("email", "role", "billing", "shipping", "date_created_gmt")),
}
_TRASHED_SLUG: Final = re.compile(r"__trashed(?:-[0-9]+)?$")
_NOT_ALLOWED: Final = re.compile(r"cannot_(?:view|edit|read)|_forbidden$|not_logged_in")
_CODE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,80}")

RowT = TypeVar("RowT")


def read_meaning(content: Content, *, currency: str, mapping: FieldMapping = NO_MAPPING) -> Meaning:
    """What a delivery says. `currency` and `mapping` are the shop's.

    Raises:
        InvalidRecordError: it carries a whole record that cannot be understood.
    """
    entity, body = content.entity, content.body
    if not content.topic:
        return Ignored("Neither headers, path nor body name a topic.", is_warning=True)
    if entity is None:
        return Ignored(f"The hub keeps nothing of the topic {content.topic}.")
    if body is None:
        return Ignored(f"{content.topic}: {content.fault}.", is_warning=True)
    external_id = content.external_id
    if external_id is None:
        return Ignored(f"{content.topic}: {_why_no_record(body)}", is_warning=True)
    if content.verb == "deleted" or not _WHOLE[entity] <= body.keys():
        return Hint(entity, external_id)
    return _whole(entity, external_id, body, _Reading(currency, mapping))


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a shop's records are read: its currency, and its own rules."""

    currency: str
    mapping: FieldMapping

    def mapped(
        self, entity: Entity, pulled: Pulled[Record], raw: Mapping[str, Any]
    ) -> Pulled[Record]:
        return with_mapping(self.mapping, entity, pulled, raw)


def _whole(entity: Entity, external_id: str, body: dict[str, Any], reading: _Reading) -> Meaning:
    status = str(body.get("status", ""))
    if status in NOT_YET:
        return Ignored(f"It is still being written in the shop ({status}).")
    if status == TRASH or _is_trashed(body):
        return Gone(entity, external_id, _version(body))
    is_product = entity is Entity.PRODUCTS
    if is_product and (
        body.get("type") == "variation" or sells_variations(_row(PRODUCTS, body).wire)
    ):
        return Hint(entity, external_id)
    return Told(entity, _read(entity, body, reading))


def read_whole(entity: Entity, body: dict[str, Any], facts: StoreFacts) -> Pulled[Record]:
    """A body read as a whole record; a product without its variations.

    Raises:
        InvalidRecordError: it cannot be understood.
    """
    return _read(entity, body, _Reading(facts.currency, facts.field_mapping))


def _read(entity: Entity, body: dict[str, Any], reading: _Reading) -> Pulled[Record]:
    if entity is Entity.ORDERS:
        order = _row(ORDERS, body)
        return reading.mapped(entity, to_order(order, currency=reading.currency), order.raw)
    if entity is Entity.CUSTOMERS:
        customer = _row(CUSTOMERS, body)
        return reading.mapped(entity, to_customer(customer), customer.raw)
    row = _row(PRODUCTS, body)
    return reading.mapped(entity, to_product(row, (), currency=reading.currency), row.raw)


def _row(kind: RowKind[RowT], body: dict[str, Any]) -> Row[RowT]:
    rows: Sequence[Row[RowT]]
    try:
        rows, bad = kind.read([body])
    except ValidationError as error:
        raise InvalidRecordError(describe(error)) from None
    if bad:
        raise InvalidRecordError(bad[0].reason)
    return rows[0]


def _is_trashed(body: Mapping[str, Any]) -> bool:
    """A product that was trashed before its event was delivered says so in its slug (measured)."""
    return _TRASHED_SLUG.search(str(body.get("slug", ""))) is not None


def _version(body: Mapping[str, Any]) -> datetime | None:
    raw = body.get("date_modified_gmt")
    return read_utc(raw, "date_modified_gmt") if isinstance(raw, str) else None


def _why_no_record(body: Mapping[str, Any]) -> str:
    """Names the cause of a body that is no record, in the shop's own code but not its words."""
    raw = body.get("code")
    code = raw if isinstance(raw, str) and _CODE.fullmatch(raw) else ""
    if not code:
        return "the body names no record."
    if _NOT_ALLOWED.search(code):
        return (
            f"the shop could not show the record ({code}). The user who owns the webhook lacks the"
            " right to see it: make them an administrator or shop manager."
        )
    if "invalid_id" in code or code.endswith("term_invalid"):
        return f"the record was gone before the shop told of it ({code})."
    return f"the shop sent an error in place of the record ({code})."
