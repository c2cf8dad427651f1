"""From the rows of an answer to a page of records."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.field_mapping import NO_MAPPING, FieldMapping
from domain.pages import Page, Pulled, Rejected
from domain.records import Record
from providers._kit.answers import Answer
from providers._kit.mapped import with_mapping
from providers.easyorder.config import EasyOrderConfig
from providers.easyorder.mapper import to_category, to_product
from providers.easyorder.order_mapper import to_order
from providers.easyorder.wire import (
    CategoryWire,
    OrderWire,
    ProductWire,
    describe,
    row_id,
)

PRODUCT_FIELDS: Final = (
    *("id", "name", "price", "sale_price", "description", "slug", "sku", "thumb", "images"),
    *("categories", "quantity", "track_stock", "disable_orders_for_no_stock", "hidden"),
    *("taager_code", "drop_shipping_provider", "is_free_shipping", "created_at", "updated_at"),
)
"""What is asked of a list of products: by itself it answers a reduced set (seen in clients)."""

SEEN_FIELDS: Final = (
    *("id", "name", "sku", "price", "sale_price", "quantity", "track_stock", "slug", "thumb"),
    "updated_at",
)
"""What clients are known to ask for, where the store refuses to be asked for more."""

_OF_PRODUCTS: Final = frozenset((*PRODUCT_FIELDS, "variations", "variants"))
"""What field mappings see of a product: a single read tells more, which a list would not."""

_NEEDED: Final = frozenset(("description", "images", "categories", "variants"))


def is_whole(row: Any) -> bool:
    """Whether a product's row of a list has all that the list was asked for and we need."""
    return not isinstance(row, dict) or row.keys() >= _NEEDED


def read_record(
    config: EasyOrderConfig, entity: Entity, row: Any, mapping: FieldMapping = NO_MAPPING
) -> Pulled[Record]:
    """One row as a record, with the store's own rules for its fields.

    Raises:
        InvalidRecordError: it cannot be understood; the message names fields and no values.
    """
    readers: Mapping[Entity, Callable[[], Pulled[Record]]] = {
        Entity.CATEGORIES: lambda: to_category(CategoryWire.model_validate(row)),
        Entity.PRODUCTS: lambda: to_product(
            ProductWire.model_validate(row), currency=config.currency
        ),
        Entity.ORDERS: lambda: to_order(
            OrderWire.model_validate(row), currency=config.currency, country=config.country
        ),
    }
    try:
        pulled = readers[entity]()
    except ValidationError as error:
        raise InvalidRecordError(describe(error)) from None
    seen, parts = _seen(entity, row)
    return with_mapping(mapping, entity, pulled, seen, parts)


def _seen(entity: Entity, row: Any) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """What rules see of a row, wherever it was read; and the rows of a product's variants."""
    if entity is Entity.CATEGORIES:
        # Children are nested in some answers only, and have rows of their own.
        return {name: value for name, value in row.items() if name != "children"}, None
    if entity is not Entity.PRODUCTS:
        return row, None
    seen = {name: value for name, value in row.items() if name in _OF_PRODUCTS}
    variants = row.get("variants") or ()
    return seen, {str(one["id"]): one for one in variants if one.get("id")} or None


def read_rows(
    config: EasyOrderConfig,
    entity: Entity,
    rows: Sequence[Any],
    answer: Answer,
    *,
    gone: Sequence[str] = (),
    mapping: FieldMapping = NO_MAPPING,
) -> Page[Record]:
    """A page from rows; what cannot be understood is set aside with its reason."""
    records: list[Pulled[Record]] = []
    rejected: list[Rejected] = []
    for position, row in enumerate(rows):
        try:
            records.append(read_record(config, entity, row, mapping))
        except InvalidRecordError as error:
            rejected.append(Rejected(row_id(row), position, str(error)))
    return Page(
        records=tuple(records),
        tombstones=tuple(gone),
        rejected=tuple(rejected),
        store_clock=answer.clock,
        size=len(rows),
    )
