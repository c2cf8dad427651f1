"""What a dry run found: nothing of it was done.

`way` is `pull` for what would be taken in, `push` for what would be sent, and `follow` for how many
records would be pushed as a consequence of a page. Rows hold personal data and go after a day.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.sync import RUN_DIFFS
from domain.differences import Difference
from domain.entities import Entity

KEPT_FOR: Final = timedelta(days=1)
FOLLOW: Final = "follow"

_NOTE: Final = text("""
insert into run_diffs as d
  (tenant_id, run_id, way, entity, key, place, action, external_id, record_id, fields)
select :tenant, :run, x.way, x.entity, x.key, :place, x.action, x.external_id, x.record_id,
       x.fields
from jsonb_to_recordset(cast(:rows as jsonb))
  as x(way text, entity text, key text, action text, external_id text, record_id bigint,
       fields jsonb)
on conflict (tenant_id, run_id, way, entity, key) do update
set place = excluded.place, fields = excluded.fields,
    action = case when d.action = 'created' and excluded.action = 'updated' then 'created'
                  else excluded.action end
returning way, entity, key, d.action, d.xmax::text = '0' as is_new
""")

_CREATED: Final = text("""
select key from run_diffs
where run_id = :run and way = 'pull' and entity = :entity and action = 'created'
  and key = any(:keys)
""")


@dataclass(frozen=True, slots=True)
class RunDiff:
    """A row as it is kept."""

    id: int
    way: str
    entity: str
    action: str
    external_id: str | None
    record_id: int | None
    fields: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DiffFilter:
    """Which rows; None: whatever it is."""

    entity: str | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class DiffCount:
    """How many rows of one way, entity and action."""

    way: str
    entity: str
    action: str
    count: int


async def note_differences(
    connection: AsyncConnection,
    tenant_id: int,
    run_id: int,
    place: str,
    found: Sequence[Difference],
) -> list[Difference]:
    """Keep what a step of a dry run found.

    Returns:
        Those that an earlier step had told already: the real run would have done them then.
    """
    once: dict[tuple[str, str, str], Difference] = {}
    for one in found:
        once[one.way, one.entity, one.key] = one
    if not once:
        return []
    rows = [
        {
            "way": one.way,
            "entity": one.entity,
            "key": one.key,
            "action": one.action,
            "external_id": one.external_id,
            "record_id": one.record_id,
            "fields": one.fields,
        }
        for one in once.values()
    ]
    noted = await connection.execute(
        _NOTE,
        {"tenant": tenant_id, "run": run_id, "place": place[:40], "rows": json.dumps(rows)},
    )
    return [once[row.way, row.entity, row.key] for row in noted if not row.is_new]


async def created_keys(
    connection: AsyncConnection, run_id: int, entity: Entity, keys: Sequence[str]
) -> frozenset[str]:
    """Which of these records the dry run would have created so far."""
    if not keys:
        return frozenset()
    found = await connection.execute(
        _CREATED, {"run": run_id, "entity": entity.value, "keys": list(keys)}
    )
    return frozenset(row.key for row in found)


async def list_diffs(
    connection: AsyncConnection, run_id: int, wanted: DiffFilter, *, after: int, limit: int
) -> Sequence[RunDiff]:
    """What a run found, in the order it was found, with an id above `after`."""
    columns = RUN_DIFFS.c
    query = (
        select(*(columns[name] for name in RunDiff.__dataclass_fields__))
        .where(columns.run_id == run_id, columns.id > after, columns.way != FOLLOW)
        .order_by(columns.id)
        .limit(limit)
    )
    if wanted.entity is not None:
        query = query.where(columns.entity == wanted.entity)
    if wanted.action is not None:
        query = query.where(columns.action == wanted.action)
    return [RunDiff(**row) for row in (await connection.execute(query)).mappings()]


async def count_diffs(connection: AsyncConnection, run_id: int) -> Sequence[DiffCount]:
    """How many rows of each kind; the pushes that would follow are not among them."""
    columns = RUN_DIFFS.c
    kinds = (columns.way, columns.entity, columns.action)
    rows = await connection.execute(
        select(*kinds, func.count().label("count"))
        .where(columns.run_id == run_id, columns.way != FOLLOW)
        .group_by(*kinds)
        .order_by(*kinds)
    )
    return [DiffCount(*row) for row in rows]


_FOLLOWING: Final = text("""
select coalesce(sum((fields -> 'pushes' ->> 'to')::bigint), 0) from run_diffs
where run_id = :run and way = 'follow'
""")


async def count_following(connection: AsyncConnection, run_id: int) -> int:
    """How many records would be pushed as a consequence of what would be taken in."""
    return int((await connection.execute(_FOLLOWING, {"run": run_id})).scalar_one())


def following(entity: Entity, place: str, count: int) -> Difference:
    """The row that says how many pushes a page would cause."""
    return Difference(
        FOLLOW, entity.value, place, "queued", fields={"pushes": {"from": 0, "to": count}}
    )


async def discard_old(connection: AsyncConnection, now: datetime, *, most: int = 10_000) -> int:
    """Delete what is older than a day, of every tenant, but at most so many rows; how many."""
    gone = await connection.execute(
        text("select discard_run_diffs(:before, :most)"), {"before": now - KEPT_FOR, "most": most}
    )
    return int(gone.scalar_one())
