"""From which moment a store is asked for changes, by the store's own clock."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.upkeep import STORE_CURSORS
from domain.entities import Entity

_SEED = text("""
insert into sync_run_entities (tenant_id, run_id, entity, phase, round, changed_since)
select :tenant, :run, x.entity, 'changes', 1, coalesce(x.since, now())
from unnest(cast(:entities as text[]), cast(:moments as timestamptz[])) as x(entity, since)
on conflict do nothing
""")

# Not the greater of the two: a shop whose clock was ahead and is put right must be asked from its
# new time on, or it would seem unchanged until its clock has caught up.
_KEEP = text("""
insert into store_cursors as c (tenant_id, store_id, entity, changed_since)
select e.tenant_id, :store, e.entity, e.changed_since
from sync_run_entities e
where e.run_id = :run and e.entity = any(cast(:entities as text[]))
  and e.changed_since is not null
order by e.entity
on conflict (tenant_id, store_id, entity) do update
set changed_since = excluded.changed_since, updated_at = now()
""")


async def load_cursors(connection: AsyncConnection, store_id: int) -> Mapping[Entity, datetime]:
    """The moment of each entity that was ever read whole."""
    columns = STORE_CURSORS.c
    rows = await connection.execute(
        select(columns.entity, columns.changed_since).where(columns.store_id == store_id)
    )
    return {Entity(entity): moment for entity, moment in rows}


async def seed_run(
    connection: AsyncConnection,
    tenant_id: int,
    run_id: int,
    moments: Mapping[Entity, datetime | None],
) -> None:
    """Let a run's first round ask from these moments; None: from now on."""
    await connection.execute(
        _SEED,
        {
            "tenant": tenant_id,
            "run": run_id,
            "entities": [entity.value for entity in moments],
            "moments": list(moments.values()),
        },
    )


async def keep_cursors(
    connection: AsyncConnection, store_id: int, run_id: int, entities: Sequence[Entity]
) -> None:
    """Remember where a run's rounds ended, so that the next one asks from there."""
    await connection.execute(
        _KEEP,
        {"store": store_id, "run": run_id, "entities": [entity.value for entity in entities]},
    )
