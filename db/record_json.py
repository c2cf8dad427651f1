"""Records as the JSON that the API answers with, written by PostgreSQL in one statement a page.

What a page costs is mostly what is done to each of its thousand values on the way: this way they
are turned into text once, next to where they lie. `api.schemas` describes the same bodies, and
the tests hold the two together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from psycopg import AsyncConnection as Driver
from pydantic.alias_generators import to_camel
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import Entity
from domain.money import NO_PLACES, THREE_PLACES
from domain.records import Address


def _columns(values: Mapping[str, str]) -> str:
    return ", ".join(f'{value} as "{name}"' for name, value in values.items())


def _time(value: str) -> str:
    """UTC in ISO 8601, to the microsecond where there are any, as pydantic writes it."""
    text = f"""to_char({value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    return f"replace({text}, '.000000Z', 'Z')"


def _amount(value: str) -> str:
    """See `domain.money.format_amount`; `money.places` are those of the currency."""
    return f"round({value}, greatest(min_scale({value}), money.places))::text"


def _quantity(value: str) -> str:
    return f"trim_scale({value})::text"


def _word(source: str, name: str) -> str:
    return f"coalesce({source} ->> '{name}', '')"


def _places(currency: str) -> str:
    """A table `money` of one row: how many places the currency has."""
    three, none = (", ".join(f"'{one}'" for one in sorted(some)) for some in _UNUSUAL)
    return (
        f"(select case when {currency} in ({three}) then 3 when {currency} in ({none}) then 0 "
        "else 2 end as places) money"
    )


_UNUSUAL: Final = (THREE_PLACES, NO_PLACES)


def _list(values: Mapping[str, str], rows: str) -> str:
    """An array with an object for each of the rows, in their order."""
    objects = f"select {_columns(values)} from {rows}"  # noqa: S608 - constants
    return f"(select coalesce(json_agg(x), '[]') from ({objects}) x)"  # noqa: S608 - constants


def _references(entity: Entity, record: str) -> str:
    return _list(
        {"storeId": "l.store_id", "externalId": "l.external_id"},
        f"links l where l.record_id = {record}.id and l.entity = '{entity.value}' "
        f"and l.tenant_id = {record}.tenant_id and l.deleted_at is null "
        "order by l.store_id, l.external_id",
    )


def _record(entity: Entity, record: str) -> dict[str, str]:
    """What every record has: see `api.schemas.records.RecordAnswer`."""
    return {
        "id": f"{record}.id",
        "externalReferences": _references(entity, record),
        "extra": f"{record}.extra",
        "createdAt": _time(f"{record}.created_at"),
        "updatedAt": _time(f"{record}.updated_at"),
    }


def _same(record: str, *names: str) -> dict[str, str]:
    """Columns as they are, by their names in camelCase."""
    return {to_camel(name): f"{record}.{name}" for name in names}


def _amounts(source: str, *names: str) -> dict[str, str]:
    return {to_camel(name): _amount(f"{source}.{name}") for name in names}


def _times(record: str, *names: str) -> dict[str, str]:
    return {to_camel(name): _time(f"{record}.{name}") for name in names}


def _address(source: str) -> str:
    values = {to_camel(name): _word(source, name) for name in Address.model_fields}
    return f"(select row_to_json(x) from (select {_columns(values)}) x)"  # noqa: S608 - constants


_CATEGORY: Final = _record(Entity.CATEGORIES, "r") | _same(
    "r", "name", "slug", "parent_id", "description", "position"
)

_CUSTOMER: Final = (
    _record(Entity.CUSTOMERS, "r")
    | _same("r", "email", "phone", "first_name", "last_name", "is_guest", "is_paying")
    | {"billing": _address("r.billing"), "shipping": _address("r.shipping")}
    | _times("r", "registered_at")
)

_VARIANT: Final = (
    _record(Entity.VARIANTS, "v")
    | _same("v", "position", "title", "sku", "barcode")
    | _amounts("v", "price", "compare_at_price")
    | _same("v", "currency", "option_values", "tracks_stock", "in_stock", "allows_backorder")
    | {
        "onHand": _quantity("held.on_hand"),
        "available": _quantity("held.available"),
        "weight": _quantity("v.weight"),
    }
    | _same("v", "is_active")
)

_VARIANTS: Final = _list(
    _VARIANT,
    f"""product_variants v
    cross join lateral {_places("v.currency")}
    cross join lateral (
      select sum(i.on_hand) as on_hand, sum(i.on_hand - i.reserved) as available
      from inventory_levels i where i.tenant_id = v.tenant_id and i.variant_id = v.id) held
    where v.product_id = r.id and v.tenant_id = r.tenant_id and v.deleted_at is null
    order by v.position, v.id""",  # noqa: S608 - constants
)

_IMAGES: Final = _list(
    {
        "src": "i ->> 'src'",
        "externalId": _word("i", "external_id"),
        "name": _word("i", "name"),
        "alt": _word("i", "alt"),
    },
    "jsonb_array_elements(r.images) i",
)

_OPTIONS: Final = _list(
    {"name": "o ->> 'name'", "values": "coalesce(o -> 'values', '[]')"},
    "jsonb_array_elements(r.options) o",
)

_SUPPLIER: Final = """(select json_build_object('storeId', l.store_id, 'provider', s.provider)
    from links l join stores s on s.tenant_id = l.tenant_id and s.id = l.store_id
    where l.record_id = r.id and l.entity = 'products' and l.tenant_id = r.tenant_id
      and l.is_home and l.deleted_at is null
    order by l.store_id limit 1)"""

_PRODUCT: Final = (
    _record(Entity.PRODUCTS, "r")
    | _same("r", "title", "slug", "status", "raw_status", "kind", "description")
    | _same("r", "short_description", "currency", "category_ids", "tags")
    | {"images": _IMAGES, "options": _OPTIONS, "variants": _VARIANTS, "supplier": _SUPPLIER}
    | _times("r", "listed_at")
)

_LINES: Final = _list(
    _same("l", "id", "external_id", "product_id", "variant_id", "product_external_id")
    | _same("l", "variant_external_id", "sku", "title")
    | {"quantity": _quantity("l.quantity")}
    | _amounts("l", "unit_price", "subtotal", "discount", "tax", "total")
    | _same("l", "extra"),
    "order_lines l where l.order_id = r.id and l.tenant_id = r.tenant_id order by l.position, l.id",
)

_CHARGES: Final = _list(
    {
        "kind": "c ->> 'kind'",
        "externalId": _word("c", "external_id"),
        "code": _word("c", "code"),
        "title": _word("c", "title"),
        "total": _amount("coalesce((c ->> 'total')::numeric, 0)"),
        "tax": _amount("coalesce((c ->> 'tax')::numeric, 0)"),
    },
    "jsonb_array_elements(r.charges) c",
)

_REFUNDS: Final = _list(
    {
        "externalId": "f ->> 'external_id'",
        "amount": _amount("(f ->> 'amount')::numeric"),
        "reason": _word("f", "reason"),
    },
    "jsonb_array_elements(r.refunds) f",
)

_ORDER: Final = (
    _record(Entity.ORDERS, "r")
    | _same("r", "store_id", "number", "status", "raw_status", "oversold", "currency")
    | _amounts("r", "subtotal", "discount_total", "shipping_total", "tax_total", "total")
    | _amounts("r", "refunded_total")
    | _same("r", "customer_id", "customer_external_id")
    | {"billing": _address("r.billing"), "shipping": _address("r.shipping")}
    | _same("r", "payment_method", "payment_title", "transaction_id", "customer_note")
    | _times("r", "placed_at", "paid_at", "completed_at")
    | {"lines": _LINES, "charges": _CHARGES, "refunds": _REFUNDS}
)

_BODIES: Final[Mapping[Entity, tuple[Mapping[str, str], str]]] = {
    Entity.CATEGORIES: (_CATEGORY, "categories r"),
    Entity.CUSTOMERS: (_CUSTOMER, "customers r"),
    Entity.PRODUCTS: (_PRODUCT, "products r"),
    Entity.ORDERS: (_ORDER, f"orders r cross join lateral {_places('r.currency')}"),
}

_PAGES: Final = {
    entity: f"select x.id, row_to_json(x)::text from (select {_columns(values)} from {source} "  # noqa: S608
    "where r.id > %(after)s::bigint and r.deleted_at is null order by r.id limit {limit}) x"
    for entity, (values, source) in _BODIES.items()
}
_RECORDS: Final = {
    entity: f"select row_to_json(x)::text from (select {_columns(values)} from {source} "  # noqa: S608
    "where r.id = %(id)s::bigint and r.deleted_at is null) x"
    for entity, (values, source) in _BODIES.items()
}


@dataclass(frozen=True, slots=True)
class JsonPage:
    """Records by id, each as JSON. `last_id` is None when no further page follows."""

    records: Sequence[str]
    last_id: int | None


async def read_page(
    connection: AsyncConnection, entity: Entity, *, after: int, limit: int
) -> JsonPage:
    """The first `limit` records behind the id `after`; deleted ones are left out.

    The limit stands in the statement itself: PostgreSQL plans for it once and keeps the plan,
    where it would plan anew each time for one that it does not know.
    """
    # Not format(): the statement has braces of its own.
    statement = _PAGES[entity].replace("{limit}", str(int(limit) + 1))
    rows = await _fetch(connection, statement, {"after": after})
    shown = rows[:limit]
    return JsonPage(
        records=[body for _, body in shown],
        last_id=shown[-1][0] if len(rows) > limit else None,
    )


async def read_record(connection: AsyncConnection, entity: Entity, record_id: int) -> str | None:
    """One record, unless it is deleted."""
    rows = await _fetch(connection, _RECORDS[entity], {"id": record_id})
    return rows[0][0] if rows else None


async def _fetch(
    connection: AsyncConnection, statement: str, params: Mapping[str, int]
) -> Sequence[Sequence[Any]]:
    raw = await connection.get_raw_connection()
    driver = cast("Driver[Any]", raw.driver_connection)
    return await (await driver.execute(statement.encode(), params)).fetchall()
