"""Which records a push would be about, before anything is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import Entity

_ALL: Final[Mapping[Entity, str]] = {
    Entity.CATEGORIES: "select r.id from categories r where r.deleted_at is null",
    Entity.PRODUCTS: "select r.id from products r where r.deleted_at is null",
    Entity.CUSTOMERS: "select r.id from customers r where r.deleted_at is null and not r.is_guest",
}

_UNKNOWN: Final = """
 and not exists (
  select from links l where l.record_id = r.id and l.entity = :entity and l.store_id = :store)
"""

_DUE: Final = """
select p.record_id as id from pushes p where p.store_id = :store and p.entity = :entity
"""

_NAMES: Final[Mapping[Entity, str]] = {
    Entity.CATEGORIES: "select id, name from categories where id = any(:ids)",
    Entity.PRODUCTS: "select id, title as name from products where id = any(:ids)",
    Entity.CUSTOMERS: "select id, email as name from customers where id = any(:ids)",
    Entity.INVENTORY: """
select v.id, concat_ws(' ', p.title, nullif(v.sku, '')) as name
from product_variants v join products p on p.tenant_id = v.tenant_id and p.id = v.product_id
where v.id = any(:ids)""",
    Entity.ORDERS: "select id, number as name from orders where id = any(:ids)",
}


@dataclass(frozen=True, slots=True)
class Candidates:
    """The first records by id, and how many there are in all."""

    record_ids: tuple[int, ...]
    total: int


async def find_candidates(
    connection: AsyncConnection, store_id: int, entity: Entity, *, limit: int
) -> Candidates:
    """What is waiting to be pushed, and what the store is not known to have at all."""
    records = _ALL.get(entity)
    wanted = _DUE if records is None else f"{_DUE} union {records} {_UNKNOWN}"
    params = {"store": store_id, "entity": entity.value, "limit": limit}
    rows = (
        await connection.execute(
            text(
                f"select id, count(*) over () as total from ({wanted}) wanted"  # noqa: S608
                " order by id limit :limit"
            ),
            params,
        )
    ).all()
    return Candidates(tuple(row.id for row in rows), rows[0].total if rows else 0)


async def load_names(
    connection: AsyncConnection, entity: Entity, record_ids: Sequence[int]
) -> Mapping[int, str]:
    """What people call these records."""
    rows = await connection.execute(text(_NAMES[entity]), {"ids": list(record_ids)})
    return {row.id: row.name for row in rows}
