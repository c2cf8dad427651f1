"""Which rows a list query means, and in which order."""

import unicodedata
from collections.abc import Callable
from typing import Any

from sandbox.woocommerce import php
from sandbox.woocommerce.params import ListQuery
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.table import Row, Table

# The parameters each list filters by; any other is ignored, as on a real shop.
_KNOWN = {
    "products": (
        *("status", "type", "sku", "search", "category", "tag", "slug", "parent"),
        *("stock_status", "featured", "on_sale", "include_status", "exclude_status"),
    ),
    "variations": ("status", "sku", "search", "stock_status", "parent"),
    "orders": ("status", "customer", "product", "search", "parent"),
    "customers": ("role", "email", "search"),
    "categories": ("parent", "search", "slug", "hide_empty"),
    "tags": ("search", "slug", "hide_empty"),
    "coupons": ("code", "search"),
    "taxes": ("class",),
}
_DEFAULTS = {"status": "any", "role": "customer"}


def used(name: str, filters: dict[str, str]) -> dict[str, str]:
    """The filters of a query that this list knows."""
    return {key: filters[key] for key in _KNOWN.get(name, ()) if key in filters}


def is_plain(name: str, query: ListQuery, parent: int) -> bool:
    """Whether the query means every record of default lists."""
    if parent or query.bounds or query.include or query.exclude or name == "customers":
        return False
    return all(_DEFAULTS.get(k) == v for k, v in used(name, query.filters).items())


def ordered(table: Table, name: str, query: ListQuery, parent: int) -> list[int]:
    """Ids of all matching rows, in the query's order."""
    rows = _candidates(table, query, parent)
    for test in _tests(table, name, query):
        rows = [row for row in rows if test(row)]
    if query.orderby == "include" and query.include:
        place = {record_id: n for n, record_id in enumerate(query.include)}
        return [row.id for row in sorted(rows, key=lambda row: place[row.id])]
    rows.sort(key=_sort_key(table, query.orderby), reverse=query.order == "desc")
    return [row.id for row in rows]


def _candidates(table: Table, query: ListQuery, parent: int) -> list[Row]:
    if query.include:
        found = (table.find(record_id) for record_id in dict.fromkeys(query.include))
        rows = [row for row in found if row is not None]
    elif parent:
        rows = [table.rows[child] for child in table.children(parent)]
    elif "modified_after" in query.bounds or "modified_before" in query.bounds:
        after, before = query.bounds.get("modified_after"), query.bounds.get("modified_before")
        stamps = table.modified_between(after, before)
        rows = [table.rows[record_id] for _, record_id in stamps]
    else:
        rows = list(table.rows.values())
    return [row for row in rows if row.parent == parent] if parent else rows


def _tests(table: Table, name: str, query: ListQuery) -> list[Callable[[Row], bool]]:
    tests: list[Callable[[Row], bool]] = [_status_test(query.filters)]
    bounds = query.bounds
    if "modified_after" in bounds:
        tests.append(lambda row: row.modified > bounds["modified_after"])
    if "modified_before" in bounds:
        tests.append(lambda row: row.modified < bounds["modified_before"])
    if "after" in bounds:
        tests.append(lambda row: row.created > bounds["after"])
    if "before" in bounds:
        tests.append(lambda row: row.created < bounds["before"])
    if query.exclude:
        excluded = frozenset(query.exclude)
        tests.append(lambda row: row.id not in excluded)
    filters = used(name, query.filters)
    if name == "customers":
        role = filters.pop("role", "customer")
        if role != "all":
            tests.append(lambda row: row.kind == role)
    for key, value in filters.items():
        test = _row_test(key, value) or _document_test(table, name, key, value)
        if test is not None:
            tests.append(test)
    return tests


def _status_test(filters: dict[str, str]) -> Callable[[Row], bool]:
    wanted = filters.get("status") or filters.get("include_status") or "any"
    statuses = frozenset(wanted.replace("wc-", "").split(","))
    if "any" in statuses:
        return lambda row: not row.hidden
    return lambda row: row.status in statuses


def _row_test(key: str, value: str) -> Callable[[Row], bool] | None:
    values = frozenset(value.split(","))
    match key:
        case "sku":
            return lambda row: row.sku in values
        case "type":
            return lambda row: row.kind == value
        case "parent":
            return lambda row: str(row.parent) in values
        case "customer":
            return lambda row: str(row.customer) == value
        case "exclude_status":
            return lambda row: row.status not in values
    return None


def _document_test(table: Table, name: str, key: str, value: str) -> Callable[[Row], bool] | None:
    def reads(test: Callable[[Document], bool]) -> Callable[[Row], bool]:
        return lambda row: test(php.load(table.body(row)))

    words = _fold(value).split()
    match key:
        case "search":
            fields = ("email", "username") if name == "customers" else ("name", "number", "code")
            return reads(lambda d: _has_all(" ".join(str(d.get(f, "")) for f in fields), words))
        case "category" | "tag":
            names = {"category": "categories", "tag": "tags"}
            wanted = value.split(",")
            return reads(lambda d: any(str(t["id"]) in wanted for t in d[names[key]]))
        case "slug" | "stock_status" | "code" | "class":
            return reads(lambda d: str(d[key]) == value)
        case "email":
            return reads(lambda d: _fold(str(d[key])) == _fold(value))
        case "featured" | "on_sale":
            flag = value in ("1", "true")
            return reads(lambda d: d[key] is flag)
        case "product":
            return reads(lambda d: any(str(i["product_id"]) == value for i in d["line_items"]))
        case "hide_empty" if value in ("1", "true"):
            return reads(lambda d: d["count"] > 0)
    return None


def _has_all(text: str, words: list[str]) -> bool:
    folded = _fold(text)
    return all(word in folded for word in words)


def _fold(text: str) -> str:
    # As MySQL's collation compares: neither case nor accents count.
    plain = unicodedata.normalize("NFD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()


def _sort_key(table: Table, orderby: str) -> Callable[[Row], Any]:
    match orderby:
        case "id" | "include" | "order" | "priority":
            return lambda row: row.id
        case "date" | "registered_date":
            return lambda row: (row.created, row.id)
        case "modified":
            return lambda row: (row.modified, row.id)
        case "name" | "title" | "slug":
            return lambda row: (row.name.casefold(), row.id)
        case "price":
            return lambda row: (float(table.document(row).get("price") or 0), row.id)
    return lambda row: row.id
