"""How columns of an export are written, in SQL: as JSON and as cells of a CSV file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic.alias_generators import to_camel, to_pascal

from domain.money import unusual_places
from domain.records import Address

FORMULA_STARTS: Final = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection), with the wide
forms that East Asian input methods make of it."""

_STARTS: Final = ", ".join(str(ord(one)) for one in FORMULA_STARTS)


@dataclass(frozen=True, slots=True)
class Column:
    """A field of an export: `value` is its SQL in JSON, `cell` in CSV; None: it is not there."""

    name: str
    value: str | None
    cell: str | None


def exact(name: str, sql: str) -> Column:
    """A number, a time, or a word of ours: nobody else decides how it begins."""
    return Column(name, sql, sql)


def flag(name: str, sql: str) -> Column:
    """A boolean, in CSV as `true` or `false` (PostgreSQL would write `t` and `f`)."""
    return Column(name, sql, f"({sql})::text")


def words(name: str, sql: str) -> Column:
    """Text that came from outside. In CSV it cannot be a formula."""
    return Column(name, sql, guarded(sql))


def document(name: str, sql: str) -> Column:
    """JSON, which in CSV is one cell."""
    return Column(name, sql, f"({sql})::text")


def nested(name: str, sql: str) -> Column:
    """JSON that CSV has in columns of its own, or not at all."""
    return Column(name, sql, None)


def guarded(sql: str) -> str:
    """Text as a cell: an apostrophe before what would begin a formula.

    `ascii` is the code point of the first character, and 0 for none.
    """
    return f"case when ascii({sql}) in ({_STARTS}) then '''' || {sql} else {sql} end"


def quantity(sql: str) -> str:
    """A quantity without needless zeros, as text."""
    return f"trim_scale({sql})::text"


def money(sql: str, currency: str) -> str:
    """An amount with the places of its currency, and more only where they are not zero, as text:
    the same as `domain.money.format_amount`.
    """
    kinds = {
        places: ", ".join(f"'{name}'" for name, of in unusual_places().items() if of == places)
        for places in (0, 3)
    }
    places = " ".join(f"when {currency} in ({names}) then {of}" for of, names in kinds.items())
    return f"round({sql}, greatest(scale(trim_scale({sql})), case {places} else 2 end))::text"


def moment(sql: str) -> str:
    """A time in UTC (RFC 3339), as text."""
    return f"replace(({sql} at time zone 'UTC')::text, ' ', 'T') || 'Z'"


def address(name: str, sql: str) -> Sequence[Column]:
    """A postal address: an object in JSON, a column for each part in CSV."""
    parts = [(part, f"coalesce({sql} ->> '{part}', '')") for part in Address.model_fields]
    whole = ", ".join(f"'{to_camel(part)}', {value}" for part, value in parts)
    cells = [Column(f"{name}{to_pascal(part)}", None, guarded(value)) for part, value in parts]
    return [nested(name, f"json_build_object({whole})"), *cells]


def references(entity: str, record: str) -> Column:
    """Where a record is, at all stores."""
    return nested(
        "externalReferences",
        f"""(select coalesce(json_agg(json_build_object(
          'storeId', x.store_id, 'externalId', x.external_id)
          order by x.store_id, x.external_id), '[]')
          from links x
          where x.record_id = {record} and x.entity = '{entity}' and x.deleted_at is null)""",  # noqa: S608 - constants
    )


SUPPLIER: Final = """left join lateral (
      select l.store_id, s.provider
      from links l join stores s on s.tenant_id = l.tenant_id and s.id = l.store_id
      where l.record_id = p.id and l.entity = 'products' and l.is_home and l.deleted_at is null
      order by l.store_id limit 1) home on true"""
"""Joins `home`, the store that the product `p` came from."""

SUPPLIED: Final = (
    nested(
        "supplier",
        """case when home.store_id is not null then json_build_object(
          'storeId', home.store_id, 'provider', home.provider) end""",
    ),
    Column("supplierStoreId", None, "home.store_id"),
    Column("supplierProvider", None, "home.provider"),
)
"""That store, as `api.schemas.catalogue.SupplierAnswer` has it."""
