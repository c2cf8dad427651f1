"""What a body says that is not the whole record: a plug-in's, or one typed by hand. Pure.

The body is laid over two made-up rows that differ in everything, and both are read as any row is:
a field that comes out the same is the body's doing.
"""

from collections.abc import Mapping
from typing import Any, Final

from domain.differences import number, values_of
from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.pages import Pulled
from domain.records import Record
from providers._kit.manifest import StoreFacts
from providers._kit.parts import Part
from providers.woocommerce.meanings import read_whole
from providers.woocommerce.topics import Content

_TIMES: Final = ("2001-01-01T00:00:00", "2002-02-02T00:00:00")
_NESTED: Final = ("billing", "shipping")
_ADDRESS: Final = (
    *("first_name", "last_name", "company", "address_1", "address_2", "city", "state"),
    *("postcode", "country", "email", "phone"),
)


def read_part(content: Content, facts: StoreFacts) -> Part:
    """See `providers._kit.parts.ReadsParts`."""
    entity, body, key = content.entity, content.body, content.external_id
    if entity is None or body is None or key is None or body.get("type") == "variation":
        return {}
    body = {**body, "id": int(key)}
    bare, said = [], []
    try:
        for made_up in _ROWS[entity]:
            row = {**made_up, "id": int(key)}
            bare.append(_values(read_whole(entity, row, facts)))
            said.append(_values(read_whole(entity, _over(row, body), facts)))
    except InvalidRecordError:
        return {}
    one, other = said
    return {
        path: value
        for path, value in one.items()
        if path in other
        and other[path] == value
        and (bare[0].get(path) != bare[1].get(path) or bare[0].get(path) != value)
    }


def _over(row: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    laid = {**row, **body}
    for name in _NESTED:
        if isinstance(row.get(name), dict) and isinstance(body.get(name), dict):
            laid[name] = {**row[name], **body[name]}
    if "regular_price" in body and "price" not in body:
        # Without a word of a sale the regular price is what a buyer pays.
        laid["price"] = body.get("sale_price") or body["regular_price"]
    return laid


def _values(pulled: Pulled[Record]) -> dict[str, Any]:
    values = values_of(pulled.record)
    for level in pulled.levels:
        values[f"variants.{level.variant_external_id}.available"] = number(level.available)
    return values


def _product(place: int) -> dict[str, Any]:
    word, digit = "ab"[place], str(place + 1)
    return {
        **dict.fromkeys(("name", "slug", "description", "short_description", "sku"), word),
        "global_unique_id": digit * 8,
        "type": "simple",
        "status": ("publish", "draft")[place],
        "regular_price": digit,
        "price": digit,
        "manage_stock": True,
        "stock_quantity": place + 1,
        "stock_status": ("instock", "outofstock")[place],
        "backorders": ("no", "yes")[place],
        "weight": digit,
        "categories": [{"id": place + 1, "name": word}],
        "tags": [{"id": place + 1, "name": word}],
        "images": [{"id": place + 1, "src": f"https://{word}.example/{word}.png", "name": word}],
        "date_created_gmt": _TIMES[place],
    }


def _customer(place: int) -> dict[str, Any]:
    word = "ab"[place]
    return {
        **dict.fromkeys(("first_name", "last_name"), word),
        "email": f"{word}@{word}.example",
        "is_paying_customer": bool(place),
        "billing": dict.fromkeys(_ADDRESS, word),
        "shipping": dict.fromkeys(_ADDRESS, word),
        "date_created_gmt": _TIMES[place],
    }


def _order(place: int) -> dict[str, Any]:
    word, digit = "ab"[place], str(place + 1)
    texts = ("payment_method", "payment_method_title", "transaction_id", "customer_note", "number")
    amounts = ("discount_total", "shipping_total", "total_tax", "total")
    times = ("date_created_gmt", "date_paid_gmt", "date_completed_gmt")
    return {
        **dict.fromkeys(texts, word),
        **dict.fromkeys(amounts, digit),
        **dict.fromkeys(times, _TIMES[place]),
        "status": ("pending", "completed")[place],
        "currency": ("AAA", "BBB")[place],
        "customer_id": place + 1,
        "billing": dict.fromkeys(_ADDRESS, word),
        "shipping": dict.fromkeys(_ADDRESS, word),
        "line_items": [{"id": place + 1, "name": word, "quantity": 1, "total": digit}],
        "refunds": [{"id": place + 1, "total": f"-{digit}"}],
        "shipping_lines": [{"id": place + 1, "total": digit}],
    }


_ROWS: Final[Mapping[Entity, tuple[dict[str, Any], dict[str, Any]]]] = {
    Entity.PRODUCTS: (_product(0), _product(1)),
    Entity.CUSTOMERS: (_customer(0), _customer(1)),
    Entity.ORDERS: (_order(0), _order(1)),
}
