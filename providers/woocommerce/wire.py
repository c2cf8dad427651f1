"""The rows of WooCommerce's REST API v3, as far as we read them by name.

Source: WooCommerce REST API docs (v3) and answers of WooCommerce 11.0.1. A whole page is
validated in one call. If that fails, each row is tried by itself: an empty value of the wrong type
(`null`, `""`, `false`, and `[]` for an object are the same to PHP) counts as absent, an object in
place of a list as its values; a row that is still wrong is set aside with the reason.
"""

import copy
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, Literal, Required, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from domain.errors import InvalidRecordError
from domain.pages import Rejected
from providers._kit.wire_values import AmountText, plain_amount

_LAX = ConfigDict(coerce_numbers_to_str=True)
# A number where an amount's text is due, or one with more places than we keep.
_AMOUNT_FAULTS: Final = frozenset(("string_type", "string_pattern_mismatch", "int_from_float"))
_EMPTIES: Final[tuple[object, ...]] = (None, "", False, [], {})

Id = Annotated[int, Field(gt=0)]
Reference = Annotated[int, Field(ge=0)]
Quantity = int | AmountText | None
Time = str | None


class CategoryRow(TypedDict, total=False):
    """A row of `/products/categories`."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    name: Required[str]
    slug: str
    parent: Reference
    description: str
    menu_order: int


class TermRow(TypedDict, total=False):
    """A category or tag as a product names it."""

    id: Required[Id]
    name: str


class ImageRow(TypedDict, total=False):
    """A picture. `id` is 0 for one from outside the shop."""

    id: Reference
    src: str
    name: str
    alt: str


class AttributeRow(TypedDict, total=False):
    """An attribute of a product, or its value at a variation (`option`)."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    name: Required[str]
    variation: bool
    options: list[str]
    option: str


class SellableRow(TypedDict, total=False):
    """What products and variations have in common."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    name: str
    status: str
    sku: str
    global_unique_id: str
    price: AmountText
    regular_price: AmountText
    manage_stock: bool | Literal["parent"]
    stock_quantity: Quantity
    stock_status: str
    backorders: str
    weight: str
    date_modified_gmt: Time
    attributes: list[AttributeRow]


class ProductRow(SellableRow, total=False):
    """A row of `/products`."""

    slug: str
    type: str
    description: str
    short_description: str
    date_created_gmt: Time
    categories: list[TermRow]
    tags: list[TermRow]
    images: list[ImageRow]
    variations: list[Id]


class VariationRow(SellableRow, total=False):
    """A row of `/variations` or `/products/{id}/variations`."""

    parent_id: Reference
    image: ImageRow | None


class AddressRow(TypedDict, total=False):
    """Billing or shipping; its keys are those of the canonical address."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    first_name: str
    last_name: str
    company: str
    address_1: str
    address_2: str
    city: str
    state: str
    postcode: str
    country: str
    email: str
    phone: str


class CustomerRow(TypedDict, total=False):
    """A row of `/customers`."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    email: str
    first_name: str
    last_name: str
    is_paying_customer: bool
    billing: AddressRow
    shipping: AddressRow
    date_created_gmt: Time
    date_modified_gmt: Time


class LineRow(TypedDict, total=False):
    """A position of `line_items`. A product that is gone has id 0."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    name: str
    product_id: Reference
    variation_id: Reference
    quantity: Quantity
    subtotal: AmountText
    total: AmountText
    total_tax: AmountText
    sku: str


class ChargeRow(TypedDict, total=False):
    """A position of `shipping_lines`, `fee_lines`, `tax_lines` or `coupon_lines`."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    name: str
    method_id: str
    method_title: str
    rate_code: str
    label: str
    code: str
    total: AmountText
    total_tax: AmountText
    tax_total: AmountText
    shipping_tax_total: AmountText
    discount: AmountText
    discount_tax: AmountText


class RefundRow(TypedDict, total=False):
    """A refund as its order names it; `total` is negative."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    reason: str
    total: AmountText


class OrderRow(TypedDict, total=False):
    """A row of `/orders`."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    number: str
    status: Required[str]
    currency: str
    discount_total: AmountText
    shipping_total: AmountText
    total_tax: AmountText
    total: Required[Annotated[AmountText, Field(min_length=1)]]
    customer_id: Reference
    billing: AddressRow
    shipping: AddressRow
    payment_method: str
    payment_method_title: str
    transaction_id: str
    customer_note: str
    date_created_gmt: Time
    date_modified_gmt: Time
    date_paid_gmt: Time
    date_completed_gmt: Time
    line_items: list[LineRow]
    shipping_lines: list[ChargeRow]
    fee_lines: list[ChargeRow]
    tax_lines: list[ChargeRow]
    coupon_lines: list[ChargeRow]
    refunds: list[RefundRow]


RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Row(Generic[RowT]):
    """A row that is understood. `raw` is what the shop sent, for what we do not read by name."""

    position: int
    raw: dict[str, Any]
    wire: RowT


@dataclass(frozen=True, slots=True)
class RowKind(Generic[RowT]):
    """Reads the rows of one route."""

    many: TypeAdapter[list[RowT]]
    one: TypeAdapter[RowT]

    def read(self, rows: Sequence[Any]) -> tuple[list[Row[RowT]], list[Rejected]]:
        """Validate a page's rows; those that cannot be understood come back with the reason."""
        try:
            wires = self.many.validate_python(rows)
        except ValidationError:
            return self._read_each(rows)
        return [
            Row(i, raw, wire) for i, (raw, wire) in enumerate(zip(rows, wires, strict=True))
        ], []

    def _read_each(self, rows: Sequence[Any]) -> tuple[list[Row[RowT]], list[Rejected]]:
        good: list[Row[RowT]] = []
        bad: list[Rejected] = []
        for position, row in enumerate(rows):
            try:
                good.append(self._read_one(position, row))
            except ValidationError as error:
                bad.append(Rejected(row_id(row), position, describe(error)))
        return good, bad

    def _read_one(self, position: int, row: Any) -> Row[RowT]:
        try:
            return Row(position, row, self.one.validate_python(row))
        except ValidationError as error:
            if not isinstance(row, dict):
                raise
            mended = copy.deepcopy(row)
            for fault in error.errors(include_url=False, include_context=False):
                _mend(mended, fault)
            return Row(position, mended, self.one.validate_python(mended))


def row_id(row: Any) -> str | None:
    """The id a row names, if it is one."""
    number = row.get("id") if isinstance(row, dict) else None
    return str(number) if isinstance(number, int) and number > 0 else None


def describe(error: ValidationError) -> str:
    """What is wrong with a record, for people; names fields, repeats no values."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    told = [_tell(fault) for fault in faults[:3]]
    more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
    return "; ".join(told)[:500] + more


def _tell(fault: ErrorDetails) -> str:
    where = ".".join(map(str, fault["loc"])) or "row"
    is_amount = fault["type"] == "string_pattern_mismatch"
    return f"{where}: {'not an amount of money' if is_amount else fault['msg']}"


def _mend(row: dict[str, Any], fault: ErrorDetails) -> None:
    """Drop what is empty where a fault is found; an object in place of a list gives its values."""
    holder: Any = row
    path = fault["loc"]
    for depth, key in enumerate(path):
        if not isinstance(holder, (dict, list)) or not _has(holder, key):
            return
        value = holder[key]  # type: ignore[index]
        deeper = depth + 1 < len(path) and _has(value, path[depth + 1])
        if deeper:
            holder = value
        elif isinstance(holder, dict):
            _mend_value(holder, key, value, fault["type"])
            return


def _mend_value(holder: dict[str, Any], key: int | str, value: Any, kind: str) -> None:
    if value in _EMPTIES and type(value) is not int:
        del holder[str(key)]
    elif isinstance(value, dict) and kind == "list_type":
        holder[str(key)] = list(value.values())
    elif kind in _AMOUNT_FAULTS:
        with suppress(InvalidRecordError):
            holder[str(key)] = plain_amount(value)


def _has(holder: Any, key: int | str) -> bool:
    if isinstance(holder, dict):
        return key in holder
    return isinstance(holder, list) and isinstance(key, int) and key < len(holder)


CATEGORIES: Final = RowKind(TypeAdapter(list[CategoryRow]), TypeAdapter(CategoryRow))
PRODUCTS: Final = RowKind(TypeAdapter(list[ProductRow]), TypeAdapter(ProductRow))
VARIATIONS: Final = RowKind(TypeAdapter(list[VariationRow]), TypeAdapter(VariationRow))
CUSTOMERS: Final = RowKind(TypeAdapter(list[CustomerRow]), TypeAdapter(CustomerRow))
ORDERS: Final = RowKind(TypeAdapter(list[OrderRow]), TypeAdapter(OrderRow))
