"""Whether the records that somebody names are there, and can be sent to a store at all."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import Entity

_FOUND: Final = {
    Entity.CUSTOMERS: text("""
select r.id, not r.is_guest as fits from customers r
where r.id = any(:ids) and r.deleted_at is null
"""),
    Entity.INVENTORY: text("""
select r.id, exists (
         select from links l
         where l.record_id = r.id and l.entity = 'products' and l.store_id = :store
           and l.deleted_at is null) as fits
from products r where r.id = any(:ids) and r.deleted_at is null
"""),
}


@dataclass(frozen=True, slots=True)
class Misfits:
    """Ids that cannot be sent, in their order: there is no such record, or it is none a store can
    have (a guest; of products, one that the store does not have)."""

    unknown: tuple[int, ...] = ()
    unsendable: tuple[int, ...] = ()


async def find_misfits(
    connection: AsyncConnection, store_id: int, entity: Entity, record_ids: Collection[int]
) -> Misfits:
    """Which of these customers, or of these products whose stock is meant, cannot be sent."""
    ids = sorted(set(record_ids))
    rows = await connection.execute(_FOUND[entity], {"store": store_id, "ids": ids})
    fits = {row.id: row.fits for row in rows}
    return Misfits(
        tuple(one for one in ids if one not in fits),
        tuple(one for one in ids if not fits.get(one, True)),
    )
