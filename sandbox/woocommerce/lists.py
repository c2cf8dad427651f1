"""Answering a list: which rows, in which order, rendered how, with which paging headers."""

from dataclasses import dataclass

from sandbox.wire import Reply
from sandbox.woocommerce import filters as matching
from sandbox.woocommerce import money, php
from sandbox.woocommerce.errors import invalid_param
from sandbox.woocommerce.params import ListQuery, read
from sandbox.woocommerce.php import Param, add_query_arg
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.table import Row, Table

_KEPT_ANSWERS = 64
_MONEY = frozenset(
    {
        *("discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax", "total"),
        *("total_tax", "subtotal", "subtotal_tax", "amount", "discount", "tax_total"),
        "shipping_tax_total",
    }
)


@dataclass(frozen=True, slots=True)
class Selection:
    """A page of ids and how many there are in all."""

    ids: list[int]
    total: int


def answer(shop: Shop, name: str, params: dict[str, Param], url: str, *, parent: int = 0) -> Reply:
    """The reply to a list of table `name`; `url` is the list's own address."""
    query = read(name, params)
    table = shop.tables[name]
    selection = select(table, name, query, parent)
    rows = [table.rows[record_id] for record_id in selection.ids]
    bodies = render(shop, table, rows, query.filters)
    total = selection.total
    if name == "products" and query.filters.get("sku"):
        # A query by SKU answers with variations too (class-wc-rest-products-controller.php).
        below = shop.tables["variations"]
        found = matching.ordered(below, "variations", query, 0)
        bodies += render(shop, below, [below.rows[number] for number in found], query.filters)
        total += len(found)
    return paged(b"[" + b",".join(bodies) + b"]", total, query, _link_params(name, query), url)


def paged(body: bytes, total: int, query: ListQuery, link: dict[str, Param], url: str) -> Reply:
    """A reply with the paging headers. With neither `next` nor `prev` the caller's default `Link`
    stays (captured)."""
    pages = -(-total // query.per_page)
    headers = [("X-WP-Total", str(total)), ("X-WP-TotalPages", str(pages))]
    links = []
    if query.page > 1:
        before = str(min(query.page - 1, pages))
        links.append(f'<{add_query_arg({**link, "page": before}, url)}>; rel="prev"')
    if pages > query.page:
        after = str(query.page + 1)
        links.append(f'<{add_query_arg({**link, "page": after}, url)}>; rel="next"')
    if links:
        headers.append(("Link", ", ".join(links)))
    return Reply(200, body, headers)


def select(table: Table, name: str, query: ListQuery, parent: int) -> Selection:
    """The page's ids. Plain listings by id, date or modification are cut out of kept indexes."""
    stop = query.start + query.per_page
    plain = matching.is_plain(name, query, parent)
    if plain and query.orderby in ("id", "date", "modified"):
        if query.orderby == "id":
            return _cut(table.ids(), query.start, stop, query.order)
        date = query.orderby == "date"
        stamps = table.by_created() if date else table.by_modified()
        cut = _cut_stamps(stamps, query.start, stop, query.order)
        return Selection(cut, len(stamps))
    key = (
        parent,
        query.orderby,
        query.order,
        tuple(query.bounds.items()),
        tuple(query.include),
        tuple(query.exclude),
        tuple(sorted(matching.used(name, query.filters).items())),
    )
    ids = table.answers.get(key)
    if ids is None:
        if len(table.answers) >= _KEPT_ANSWERS:
            table.answers.clear()
        ids = table.answers[key] = matching.ordered(table, name, query, parent)
    return Selection(ids[query.start : stop], len(ids))


def render(shop: Shop, table: Table, rows: list[Row], filters: dict[str, str]) -> list[bytes]:
    """The bodies of `rows`, trimmed to `_fields` and rounded to `dp` where asked."""
    fields = filters.get("_fields", "")
    if fields == "id" and not shop.bad_ids:
        return [b'{"id":%d}' % row.id for row in rows]
    bodies = [table.body(row) for row in rows]
    if "dp" in filters and table.name in ("orders", "refunds"):
        bodies = _at_places(shop, bodies, filters["dp"])
    if not fields:
        return bodies
    wanted = {field.strip() for field in fields.split(",")} | {"id"}
    roots = {field.partition(".")[0] for field in wanted}
    trimmed = []
    for body in bodies:
        document = php.load(body)
        kept = {key: value for key, value in document.items() if key in roots}
        trimmed.append(php.dump(kept))
    return trimmed


def _at_places(shop: Shop, bodies: list[bytes], dp: str) -> list[bytes]:
    if not dp.isdigit():
        message = "dp is not of type integer."
        raise invalid_param("dp", "rest_invalid_type", message, {"param": "dp"})
    places = int(dp)
    if places == money.decimals(shop.seed.currency):
        # Nearly all orders are written so already; the others name another currency.
        own = b'"currency":"%s"' % shop.seed.currency.encode()
        return [body if own in body else _round(body, places) for body in bodies]
    return [_round(body, places) for body in bodies]


def _round(body: bytes, places: int) -> bytes:
    return php.dump(_rounded(php.load(body), places))


def _rounded(value: object, places: int) -> object:
    if isinstance(value, list):
        return [_rounded(item, places) for item in value]
    if isinstance(value, dict):
        return {
            key: money.at_places(item, places)
            if key in _MONEY and isinstance(item, str) and item
            else _rounded(item, places)
            for key, item in value.items()
        }
    return value


def _cut(ids: list[int], start: int, stop: int, order: str) -> Selection:
    total = len(ids)
    if order == "asc":
        return Selection(ids[start:stop], total)
    return Selection(ids[max(total - stop, 0) : max(total - start, 0)][::-1], total)


def _cut_stamps(stamps: list[tuple[int, int]], start: int, stop: int, order: str) -> list[int]:
    if order == "asc":
        return [record_id for _, record_id in stamps[start:stop]]
    total = len(stamps)
    cut = stamps[max(total - stop, 0) : max(total - start, 0)]
    return [record_id for _, record_id in reversed(cut)]


def _link_params(name: str, query: ListQuery) -> dict[str, Param]:
    if name != "orders":
        return query.link
    # Orders put these at the end of the query, defaults included (captured).
    status = query.link.get("status", "any")
    last: dict[str, Param] = {
        "status": [*status.split(",")] if isinstance(status, str) else status,
        "dp": query.link.get("dp", "2"),
        "context": query.link.get("context", "view"),
    }
    return {name: value for name, value in query.link.items() if name not in last} | last
