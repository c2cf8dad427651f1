"""From a list's rows to a page of records, tombstones, skipped and rejected."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import ValidationError

from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.field_mapping import NO_MAPPING, FieldMapping
from domain.pages import Page, Pulled, Rejected
from domain.records import Record
from providers._kit.answers import Answer
from providers._kit.mapped import with_mapping
from providers.woocommerce.access import ShopAccess, header_number
from providers.woocommerce.mapper import to_category, to_product
from providers.woocommerce.order_mapper import to_order
from providers.woocommerce.people_mapper import to_customer
from providers.woocommerce.rows import OrderRow, ProductRow, VariationRow
from providers.woocommerce.variations import Variations, fetch_variations
from providers.woocommerce.wire import (
    CATEGORIES,
    CUSTOMERS,
    ORDERS,
    PRODUCTS,
    Row,
    RowT,
    describe,
    row_id,
)

TRASH = "trash"
# What is still being written in the shop: no record yet.
NOT_YET = frozenset(("auto-draft", "checkout-draft"))


@dataclass(slots=True)
class _Sorted:
    records: list[Pulled[Record]] = field(default_factory=list)
    tombstones: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RowReader:
    """Understands the rows of one shop."""

    access: ShopAccess
    currency: str
    flat_variations: bool
    mapping: FieldMapping = NO_MAPPING

    async def read(self, entity: Entity, rows: Sequence[Any], answer: Answer) -> Page[Record]:
        """A page of records from the rows of an answer; fetches variations for products.

        Raises:
            StoreError: the variations cannot be had.
        """
        out = _Sorted()
        if entity is Entity.CATEGORIES:
            categories, out.rejected = CATEGORIES.read(rows)
            for category in categories:
                _add(out, category, partial(self._to_mapped, entity, to_category))
        elif entity is Entity.CUSTOMERS:
            customers, out.rejected = CUSTOMERS.read(rows)
            for customer in customers:
                _add(out, customer, partial(self._to_mapped, entity, to_customer))
        elif entity is Entity.ORDERS:
            orders, out.rejected = ORDERS.read(rows)
            for order in orders:
                if not _set_aside(out, order.wire["id"], order.wire["status"]):
                    _add(out, order, partial(self._to_mapped, entity, self._to_order))
        else:
            await self._read_products(rows, out)
        return Page(
            records=tuple(out.records),
            tombstones=tuple(out.tombstones),
            rejected=tuple(sorted(out.rejected, key=lambda bad: bad.position)),
            skipped=tuple(out.skipped),
            total=header_number(answer, "x-wp-total"),
            total_pages=header_number(answer, "x-wp-totalpages"),
            store_clock=answer.clock,
            size=len(rows),
        )

    async def _read_products(self, rows: Sequence[Any], out: _Sorted) -> None:
        products, out.rejected = PRODUCTS.read(rows)
        products = [
            row
            for row in products
            if not _set_aside(out, row.wire["id"], row.wire.get("status", ""))
        ]
        variations = await fetch_variations(
            self.access, (row.wire for row in products), flat=self.flat_variations
        )
        for product in products:
            fault = variations.fault_of(product.wire)
            if fault is not None:
                number = str(product.wire["id"])
                out.rejected.append(Rejected(number, product.position, fault))
                continue
            _add(out, product, partial(self._to_product, variations))

    def _to_product(self, variations: Variations, row: Row[ProductRow]) -> Pulled[Record]:
        parts = variations.of(row.wire)
        pulled = to_product(row, parts, currency=self.currency)
        return with_mapping(self.mapping, Entity.PRODUCTS, pulled, row.raw, variant_rows(parts))

    def _to_order(self, row: Row[OrderRow]) -> Pulled[Record]:
        return to_order(row, currency=self.currency)

    def _to_mapped(
        self, entity: Entity, convert: Callable[[Row[RowT]], Pulled[Record]], row: Row[RowT]
    ) -> Pulled[Record]:
        return with_mapping(self.mapping, entity, convert(row), row.raw)


def variant_rows(parts: Sequence[Row[VariationRow]]) -> Mapping[str, Mapping[str, Any]] | None:
    """What the shop sent of a product's variations; None: it is sold as it is."""
    return {str(part.wire["id"]): part.raw for part in parts} or None


def _add(out: _Sorted, row: Row[RowT], convert: Callable[[Row[RowT]], Pulled[Record]]) -> None:
    try:
        out.records.append(convert(row))
    except InvalidRecordError as error:
        out.rejected.append(Rejected(row_id(row.raw), row.position, str(error)))
    except ValidationError as error:
        out.rejected.append(Rejected(row_id(row.raw), row.position, describe(error)))


def _set_aside(out: _Sorted, number: int, status: str) -> bool:
    if status == TRASH:
        out.tombstones.append(str(number))
    elif status in NOT_YET:
        out.skipped.append(str(number))
    else:
        return False
    return True
