"""The query language of lists. Source: EasyOrders API docs, "query parameters"."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

Row = dict[str, Any]

DEFAULT_LIMIT = 10
_REDUCED = ("id", "name", "price", "sale_price", "slug", "thumb", "quantity", "created_at")
_RELATIONS = frozenset(("variations", "variants"))
_UNKNOWN = frozenset(("variations.props", "variants.variationprops"))
_PARTS = 3
_VALUELESS = 2


class BadQueryError(Exception):
    """A query the store answers with 400."""


@dataclass(frozen=True, slots=True)
class Query:
    """A list's query."""

    filters: tuple[tuple[str, str, str], ...]
    sort: tuple[str, bool] | None
    limit: int
    page: int
    fields: tuple[str, ...]
    joins: frozenset[str]

    @classmethod
    def read(cls, query: str, *, max_limit: int) -> "Query":
        """A query string. Raises BadQueryError."""
        pairs = parse_qsl(query, keep_blank_values=True)
        last = dict(pairs)
        sort = last.get("sort", "")
        field, _, direction = sort.partition(",")
        fields = tuple(name for name in last.get("fields", "").split(",") if name)
        joins = frozenset(
            name.lower() for key, raw in pairs if key == "join" for name in raw.split(",")
        )
        if joins - _UNKNOWN - _RELATIONS:
            raise BadQueryError("unknown relation")
        return cls(
            filters=tuple(_filter(raw) for name, raw in pairs if name == "filter"),
            sort=(field, direction.upper() == "DESC") if field else None,
            limit=min(_count(last.get("limit"), DEFAULT_LIMIT), max_limit),
            page=_count(last.get("page"), 1),
            fields=fields,
            joins=joins,
        )

    def select(self, rows: Iterable[Row], *, columns: frozenset[str]) -> list[Row]:
        """The rows of the page. Raises BadQueryError for a column there is not."""
        named = {name for name, _, _ in self.filters}
        asked = named | ({self.sort[0]} if self.sort else set())
        if not asked <= columns:
            raise BadQueryError(f"column {min(asked - columns)} does not exist")
        found = [row for row in rows if all(_holds(row, one) for one in self.filters)]
        if self.sort is not None:
            field, is_descending = self.sort
            found.sort(key=lambda row: _comparable(row.get(field)), reverse=is_descending)
        start = (self.page - 1) * self.limit
        return found[start : start + self.limit]

    def shown(self, row: Mapping[str, Any]) -> Row:
        """What of a row is answered: a reduced set unless fields are named, variants if joined."""
        names = self.fields or _REDUCED
        shown = {name: row[name] for name in names if name in row and name not in _RELATIONS}
        if any(name.startswith("variations") for name in self.joins):
            # One client saw the relations with capital letters.
            shown["Variations"] = row["variations"]
        if any(name.startswith("variants") for name in self.joins):
            shown["Variants"] = [
                {
                    ("VariationProps" if name == "variation_props" else name): one[name]
                    for name in one
                }
                for one in row["variants"]
            ]
        return shown


def _filter(raw: str) -> tuple[str, str, str]:
    parts = raw.split("||")
    if len(parts) == _VALUELESS and parts[1] in ("isnull", "notnull"):
        return parts[0], parts[1], ""
    if len(parts) != _PARTS:
        raise BadQueryError("bad filter")
    return parts[0], parts[1], parts[2]


def _holds(row: Row, one: tuple[str, str, str]) -> bool:
    name, operator, text = one
    value = row.get(name)
    told = _text(value)
    simple = {
        "eq": told == text,
        "ne": told != text,
        "$in": told in text.split(","),
        "cont": text.lower() in told.lower(),
        "isnull": value is None,
        "notnull": value is not None,
    }
    if operator in simple:
        return simple[operator]
    left, right = _comparable(value), _comparable(text)
    is_known = isinstance(left, float) and isinstance(right, float)
    compared = {
        "gt": is_known and left > right,
        "gte": is_known and left >= right,
        "lt": is_known and left < right,
        "lte": is_known and left <= right,
    }
    if operator not in compared:
        raise BadQueryError(f"unknown operator {operator}")
    return bool(compared[operator])


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _comparable(value: Any) -> Any:
    """Numbers and times as numbers, text as text."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            pass
        try:
            return float(value)
        except ValueError:
            return value
    return float(value or 0)


def _count(raw: str | None, usual: int) -> int:
    return int(raw) if raw and raw.isascii() and raw.isdigit() and int(raw) > 0 else usual
