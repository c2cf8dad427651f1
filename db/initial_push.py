"""Giving a store what the hub had before it: one `INSERT … SELECT` per kind of record."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.due_again import DUE_AGAIN
from db.tables.stores import STORES
from domain.entities import Entity
from domain.sync_settings import StoreSettings

# A tombstone counts: what the store deleted is not given to it again.
_IS_LINKED: Final = """exists (
    select from links l where l.record_id = r.id and l.entity = :entity and l.store_id = :store)"""

_WANTED: Final[Mapping[Entity, str]] = {
    Entity.CATEGORIES: """
select r.id from categories r
where r.deleted_at is null and (not :missing_only or not {is_linked})
""",
    Entity.PRODUCTS: """
select r.id from products r
where r.deleted_at is null and (not :missing_only or not {is_linked})
""",
    Entity.CUSTOMERS: """
select r.id from customers r
where r.deleted_at is null and not r.is_guest and (not :missing_only or not {is_linked})
""",
    Entity.INVENTORY: """
select r.id from product_variants r
where r.deleted_at is null and not :missing_only
  and exists (select from inventory_levels i where i.variant_id = r.id)
  and exists (
    select from links l where l.record_id = r.id and l.entity = 'variants'
      and l.store_id = :store and l.deleted_at is null)
""",
}
"""What goes to a store, by entity. An order's status goes to its own store alone, when it changes.
The stock of what is created follows from its creation."""

_ENQUEUE: Final = (
    """
insert into pushes (tenant_id, store_id, entity, record_id)
select :tenant, :store, cast(:entity as varchar), wanted.id
from ({wanted}) wanted
order by wanted.id
"""
    + DUE_AGAIN
    + """
where pushes.status <> 'pending'
"""
)


# A row that is due already is of the numbers of before, and may be on its way: it is due again.
_ENQUEUE_INVENTORY: Final = text(
    """
insert into pushes (tenant_id, store_id, entity, record_id)
select distinct l.tenant_id, l.store_id, 'inventory', l.record_id
from links l
where l.tenant_id = :tenant and l.store_id = :store and l.entity = 'variants'
  and l.deleted_at is null
  and exists (select from inventory_levels i where i.variant_id = l.record_id)
order by l.record_id
"""
    + DUE_AGAIN
)


async def enqueue_inventory(connection: AsyncConnection, tenant_id: int, store_id: int) -> None:
    """Make all stock due that the store shows; wake its push lane after."""
    await connection.execute(_ENQUEUE_INVENTORY, {"tenant": tenant_id, "store": store_id})


async def enqueue_catalogue(
    connection: AsyncConnection, tenant_id: int, store_id: int, *, missing_only: bool
) -> int:
    """Make everything due that the store's settings want from the hub; wake its push lane after.

    What the store has already as it should be is settled by its lane without a request. Doing this
    twice is the same as once.

    Args:
        missing_only: only what the store is not known to have: what an import cannot have brought.

    Returns:
        How many rows are due because of this.
    """
    row = await connection.execute(
        select(STORES.c.settings).where(STORES.c.id == store_id, STORES.c.deleted_at.is_(None))
    )
    stored = row.scalar_one_or_none()
    # A store that was never asked what it wants gets nothing.
    if not stored or "syncDirections" not in stored:
        return 0
    directions = StoreSettings.model_validate(stored).sync_directions
    enqueued = 0
    for entity, wanted in _WANTED.items():
        if directions.of(entity).pushes:
            made = await connection.execute(
                text(_ENQUEUE.replace("{wanted}", wanted.replace("{is_linked}", _IS_LINKED))),
                {
                    "tenant": tenant_id,
                    "store": store_id,
                    "entity": entity.value,
                    "missing_only": missing_only,
                },
            )
            enqueued += made.rowcount
    return enqueued
