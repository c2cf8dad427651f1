"""Giving a store what the hub had before it: one `INSERT … SELECT` per kind of record."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.due_again import DUE_AGAIN
from db.outlets import OUTLET, SHOWN
from db.tables.stores import STORES
from domain.entities import Entity
from domain.sync_settings import StoreSettings, SyncDirections

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

_CHANGING: Final = (Entity.CATEGORIES, Entity.PRODUCTS, Entity.CUSTOMERS, Entity.ORDERS)

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


# Held conflicts are no matter: what waits for a person is not sent. What was given up stays so.
_ENQUEUE_DIFFERING: Final = text("""
insert into pushes (tenant_id, store_id, entity, record_id)
select l.tenant_id, l.store_id, l.entity, l.record_id
from links l
where l.tenant_id = :tenant and l.store_id = :store and l.entity = any(:entities)
  and l.differs and l.deleted_at is null
order by l.entity, l.record_id
on conflict do nothing
""")

_ENQUEUE_MISCOUNTED: Final = text(f"""
with outlet as ({OUTLET})
insert into pushes (tenant_id, store_id, entity, record_id)
select b.tenant_id, b.store_id, 'inventory', b.variant_id
from outlet
cross join store_levels b
join product_variants v on v.tenant_id = b.tenant_id and v.id = b.variant_id
where b.tenant_id = :tenant and b.store_id = :store and v.deleted_at is null
  and b.agreed <> {SHOWN}
  and exists (
    select from links l where l.record_id = v.id and l.entity = 'variants'
      and l.store_id = :store and l.deleted_at is null)
order by b.variant_id
on conflict do nothing
""")  # noqa: S608 - constants


async def enqueue_inventory(connection: AsyncConnection, tenant_id: int, store_id: int) -> None:
    """Make all stock due that the store shows; wake its push lane after."""
    await connection.execute(_ENQUEUE_INVENTORY, {"tenant": tenant_id, "store": store_id})


async def enqueue_changed(connection: AsyncConnection, tenant_id: int, store_id: int) -> int:
    """Make due what the hub says otherwise than the store is known to, as far as the store's
    settings want it; wake its push lane after. After an import, when the store was heard: what was
    changed here while the store was away, nobody has queued.

    Returns:
        How many rows are due because of this.
    """
    directions = await _directions(connection, store_id)
    if directions is None:
        return 0
    scope = {"tenant": tenant_id, "store": store_id}
    entities = [one.value for one in _CHANGING if directions.of(one).pushes]
    made = await connection.execute(_ENQUEUE_DIFFERING, {**scope, "entities": entities})
    enqueued = made.rowcount
    if directions.inventory.pushes:
        enqueued += (await connection.execute(_ENQUEUE_MISCOUNTED, scope)).rowcount
    return enqueued


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
    directions = await _directions(connection, store_id)
    if directions is None:
        return 0
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


async def _directions(connection: AsyncConnection, store_id: int) -> SyncDirections | None:
    """None: a store that was never asked what it wants gets nothing."""
    row = await connection.execute(
        select(STORES.c.settings).where(STORES.c.id == store_id, STORES.c.deleted_at.is_(None))
    )
    stored = row.scalar_one_or_none()
    if not stored or "syncDirections" not in stored:
        return None
    return StoreSettings.model_validate(stored).sync_directions
