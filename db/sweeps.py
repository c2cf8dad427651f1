"""Sweeps: the ids a store has against the ids we have linked."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.entities import Entity
from domain.guests import GUEST_PREFIX

_CLEAR = text("delete from sweep_ids where run_id = :run and entity = :entity")

_COLLECT = text("""
insert into sweep_ids (tenant_id, run_id, entity, external_id)
select :tenant, :run, :entity, x from unnest(cast(:ids as text[])) as x
on conflict do nothing
""")

# Two long lists are compared whole: hashed, never looped over. Said aloud, because the planner has
# no statistics of a list that was written a moment ago (a loop took 12 s for 10,000 ids).
_COMPARE_WHOLE = text("select set_config('enable_nestloop', 'off', true)")

_MISSING = text("""
select s.external_id from sweep_ids s
where s.run_id = :run and s.entity = :entity and not exists (
  select from links l
  where l.tenant_id = s.tenant_id and l.store_id = :store and l.entity = s.entity
    and l.external_id = s.external_id and l.deleted_at is null)
order by s.external_id
""")

_GONE = text("""
select l.external_id from links l
where l.store_id = :store and l.entity = :entity and l.deleted_at is null
  and not starts_with(l.external_id, :guests) and not exists (
    select from sweep_ids s
    where s.tenant_id = l.tenant_id and s.run_id = :run and s.entity = l.entity
      and s.external_id = l.external_id)
order by l.external_id
""")


async def clear_sweep(connection: AsyncConnection, run_id: int, entity: Entity) -> None:
    """Forget what was collected."""
    await connection.execute(_CLEAR, {"run": run_id, "entity": entity.value})


async def collect_ids(
    connection: AsyncConnection, tenant_id: int, run_id: int, entity: Entity, ids: Sequence[str]
) -> None:
    """Remember ids the store has; the same id twice is once."""
    await connection.execute(
        _COLLECT,
        {"tenant": tenant_id, "run": run_id, "entity": entity.value, "ids": list(ids)},
    )


async def list_missing(
    connection: AsyncConnection, store_id: int, run_id: int, entity: Entity
) -> list[str]:
    """Ids the store has and we have not."""
    await connection.execute(_COMPARE_WHOLE)
    rows = await connection.execute(
        _MISSING, {"store": store_id, "run": run_id, "entity": entity.value}
    )
    return [row[0] for row in rows]


async def list_gone(
    connection: AsyncConnection, store_id: int, run_id: int, entity: Entity
) -> list[str]:
    """Ids we have and the sweep did not see. Guests are ours alone and are never gone this way."""
    await connection.execute(_COMPARE_WHOLE)
    rows = await connection.execute(
        _GONE,
        {"store": store_id, "run": run_id, "entity": entity.value, "guests": GUEST_PREFIX},
    )
    return [row[0] for row in rows]
