"""Validating the rows of an answer, with patience for what PHP makes of them.

A whole page is validated in one call. If that fails, each row is tried by itself: an empty value
of the wrong type (`null`, `""`, `false`, and `[]` for an object are the same to PHP) counts as
absent, an object in place of a list as its values, a number in place of an amount's text as that
amount; a row that is still wrong is set aside with the reason.
"""

import copy
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from domain.errors import InvalidRecordError
from domain.pages import Rejected
from providers._kit.wire_values import plain_amount
from providers.woocommerce.rows import CategoryRow, CustomerRow, OrderRow, ProductRow, VariationRow

# What a list's object held is seen only when it has become a list.
_MENDINGS: Final = 2
# A number where an amount's text is due, or one with more places than we keep.
_AMOUNT_FAULTS: Final = frozenset(("string_type", "string_pattern_mismatch", "int_from_float"))
_EMPTIES: Final[tuple[object, ...]] = (None, "", False, [], {})


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
        mended: Any = None
        for _ in range(_MENDINGS):
            try:
                wire = self.one.validate_python(row if mended is None else mended)
                return Row(position, row if mended is None else mended, wire)
            except ValidationError as error:
                if not isinstance(row, dict):
                    raise
                mended = copy.deepcopy(row) if mended is None else mended
                for fault in error.errors(include_url=False, include_context=False):
                    _mend(mended, fault)
        return Row(position, mended, self.one.validate_python(mended))


def row_id(row: Any) -> str | None:
    """The id a row names, if it is one."""
    number = row.get("id") if isinstance(row, dict) else None
    return str(number) if type(number) is int and number > 0 else None


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
