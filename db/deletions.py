"""What a store's deletion of a record means, where others have to do with it.

- A direction that takes nothing from the store: only its link is a tombstone.
- The store is not the record's home, and another store has it: likewise.
- Else the hub's record is deleted, and the other stores are told. Where the hub's record says more
  than the store did, that is a conflict: policy `local` keeps it and creates it there again,
  `manual` holds it for a person, all others delete (a deletion happened just now).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from db.conflicts import NewConflict, hold_conflict
from db.local_records import Local, load_local
from db.staging import Batch, Origin
from domain.agreement import says_same
from domain.entities import Entity
from domain.fields import RECORD_PATH
from domain.guests import GUEST_PREFIX
from domain.merge import Rules, Sides
from domain.reconcile import LinkState
from domain.sync_settings import ConflictPolicy, StoreSettings

_SHARED: Final = """
select l.record_id from links l
where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = %(entity)s
  and l.external_id = any(%(keys)s) and not l.is_home and exists (
    select from links o join stores s on s.tenant_id = o.tenant_id and s.id = o.store_id
    where o.record_id = l.record_id and o.entity = l.entity and o.tenant_id = l.tenant_id
      and o.store_id <> l.store_id and o.deleted_at is null and s.deleted_at is null)
"""

_BURY: Final = """
update links l set deleted_at = now(), updated_at = now(), differs = true
where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.deleted_at is null
  and (l.entity = %(entity)s and l.external_id = any(%(keys)s)
    or %(entity)s = 'products' and l.entity = 'variants' and l.record_id in (
      select v.id from product_variants v where v.tenant_id = %(tenant)s
        and v.product_id = any(%(record_ids)s)))
"""

_UNLINK: Final = """
delete from links l
where l.tenant_id = %(tenant)s and l.store_id = %(store)s
  and (l.entity = %(entity)s and l.external_id = any(%(keys)s)
    or %(entity)s = 'products' and l.entity = 'variants' and l.record_id in (
      select v.id from product_variants v where v.tenant_id = %(tenant)s
        and v.product_id = any(%(record_ids)s)))
"""

_MOOT: Final = """
with gone as (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = %(entity)s
    and l.external_id = any(%(keys)s))
delete from pushes p
where p.tenant_id = %(tenant)s and p.store_id = %(store)s and p.status <> 'pending'
  and (p.entity = %(entity)s and p.record_id in (select record_id from gone)
    or p.entity = 'inventory' and %(entity)s = 'products' and p.record_id in (
      select v.id from product_variants v
      join gone on gone.record_id = v.product_id where v.tenant_id = %(tenant)s))
"""
"""What the store would not take of a record that it does not have any more."""


@dataclass(frozen=True, slots=True)
class Farewells:
    """External ids, by what becomes of their records.

    Attributes:
        deleted: the hub's record goes.
        buried: only the link is a tombstone.
        again: the record stays, and is created in the store again.
        held: it waits for a person.
    """

    deleted: tuple[str, ...] = ()
    buried: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


async def decide_farewells(
    connection: AsyncConnection,
    batch: Batch,
    origin: Origin,
    entity: Entity,
    gone: Mapping[str, LinkState],
    settings: StoreSettings,
) -> Farewells:
    """What becomes of records that a store deleted."""
    takes = settings.sync_directions.of(entity).pulls
    shared = {row[0] for row in await batch.ask(_SHARED, keys=sorted(gone))}
    merging = [link.record_id for link in gone.values() if link.merges]
    known = await load_local(connection, origin.store_id, entity, merging, lock=True)
    rules = Rules(settings.conflict_policy, settings.conflict_policies)
    sorted_out: dict[str, list[str]] = {"deleted": [], "buried": [], "again": [], "held": []}
    for key, link in gone.items():
        local = known.get(link.record_id)
        is_edited = local is not None and local.hub is not None and not _is_told(entity, local)
        policy = rules.of(RECORD_PATH)
        is_theirs = not takes and not key.startswith(GUEST_PREFIX)
        if is_theirs or link.record_id in shared or (local is not None and local.hub is None):
            fate = "buried"
        elif is_edited and not origin.force and policy is ConflictPolicy.LOCAL:
            fate = "again"
        elif is_edited and not origin.force and policy is ConflictPolicy.MANUAL:
            fate = "held"
        else:
            fate = "deleted"
        sorted_out[fate].append(key)
    return Farewells(**{fate: tuple(keys) for fate, keys in sorted_out.items()})


def _is_told(entity: Entity, local: Local) -> bool:
    """Whether the store has all that the hub's record says, in its own spelling."""
    if local.record is None or local.base is None:
        return False
    return says_same(entity, local.record, local.base, held=local.held)


async def bid_farewell(
    connection: AsyncConnection,
    batch: Batch,
    origin: Origin,
    entity: Entity,
    gone: Mapping[str, LinkState],
    farewells: Farewells,
) -> tuple[int, ...]:
    """Write all but `deleted`, which is written already. The hub's ids of what is to be created
    again."""
    for statement, keys in ((_BURY, farewells.buried), (_UNLINK, farewells.again)):
        if keys:
            ids = [gone[key].record_id for key in keys]
            await batch.ask(statement, keys=list(keys), record_ids=ids)
    if parted := [*farewells.deleted, *farewells.buried]:
        await batch.ask(_MOOT, keys=parted)
    for key in farewells.held:
        held = NewConflict(
            tenant_id=origin.tenant_id,
            store_id=origin.store_id,
            entity=entity,
            record_id=gone[key].record_id,
            external_id=key,
            fields={RECORD_PATH: Sides(True, True, False)},
        )
        await hold_conflict(connection, held)
    return tuple(gone[key].record_id for key in farewells.again)
