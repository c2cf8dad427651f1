"""Reading what runs did and do: their state, their counts, the log of a store."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, cast, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.stores import STORE_SYNC_LOGS, STORES
from db.tables.sync import SYNC_RUNS

REJECTIONS_SHOWN = 100

_COUNTS = ("pages", "seen", "created", "updated", "unchanged", "deleted", "rejected")

_ENTITIES = text(f"""
select e.entity, e.phase, e.round, e.total, {", ".join(f"r.{name}" for name in _COUNTS)}
from sync_run_entities e
cross join lateral (
  select {", ".join(f"coalesce(sum(g.{name}), 0)::bigint as {name}" for name in _COUNTS)}
  from sync_ranges g
  where g.tenant_id = e.tenant_id and g.run_id = e.run_id and g.entity = e.entity) r
where e.run_id = :run
""")  # noqa: S608 - the names are those above

_REJECTIONS = text("""
select r.run_id, r.entity, r.external_id, r.reason, r.of_all
from unnest(:runs ::bigint[], :entities ::text[]) as wanted(run_id, entity)
cross join lateral (
  select x.run_id, x.entity, x.external_id, x.reason, count(*) over () as of_all
  from sync_rejections x
  where x.run_id = wanted.run_id and x.entity = wanted.entity
  order by x.key limit :shown) r
""")


@dataclass(frozen=True, slots=True)
class SyncRun:
    """A run, with the store's own status beside it."""

    id: int
    store_id: int
    kind: str
    workflow_id: str
    workflow_run_id: str
    status: str
    error: str | None
    is_dry: bool
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class EntityProgress:
    """How far a run is with one entity. `total` is what the store says it has."""

    entity: str
    phase: str
    round: int
    total: int | None
    pages: int
    seen: int
    created: int
    updated: int
    unchanged: int
    deleted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class SyncLog:
    """A row of a store's log."""

    id: int
    run_id: int | None
    action: str
    status: str
    details: str | None
    error_message: str | None
    retry_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that was set aside, and why."""

    external_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Rejections:
    """The first of those that were set aside, and how many there are in all."""

    shown: Sequence[Rejection]
    total: int


_RUN_COLUMNS = [SYNC_RUNS.c[name] for name in SyncRun.__dataclass_fields__]
_LOG_COLUMNS = [STORE_SYNC_LOGS.c[name] for name in SyncLog.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs: None means any. `before` is a run's id; newest come first."""

    store_id: int | None = None
    status: str | None = None
    before: int | None = None


async def list_runs(
    connection: AsyncConnection, wanted: RunFilter, *, limit: int
) -> Sequence[SyncRun]:
    """Runs of stores that are not deleted, newest first."""
    columns = SYNC_RUNS.c
    statement = (
        select(*_RUN_COLUMNS)
        .join(STORES, _same_store())
        .where(STORES.c.deleted_at.is_(None))
        .order_by(columns.id.desc())
        .limit(limit)
    )
    if wanted.store_id is not None:
        statement = statement.where(columns.store_id == wanted.store_id)
    if wanted.status is not None:
        statement = statement.where(columns.status == wanted.status)
    if wanted.before is not None:
        statement = statement.where(columns.id < wanted.before)
    return [SyncRun(**row) for row in (await connection.execute(statement)).mappings()]


async def find_latest_run(connection: AsyncConnection, *, workflow_id: str) -> SyncRun | None:
    """The newest run of a workflow id."""
    columns = SYNC_RUNS.c
    row = await connection.execute(
        select(*_RUN_COLUMNS)
        .where(columns.workflow_id == workflow_id)
        .order_by(columns.id.desc())
        .limit(1)
    )
    found = row.mappings().one_or_none()
    return None if found is None else SyncRun(**found)


async def load_progress(connection: AsyncConnection, run_id: int) -> Mapping[str, EntityProgress]:
    """What a run has done so far, per entity."""
    rows = await connection.execute(_ENTITIES, {"run": run_id})
    return {row["entity"]: EntityProgress(**row) for row in rows.mappings()}


async def list_logs(
    connection: AsyncConnection,
    store_id: int,
    *,
    before: tuple[datetime, int] | None,
    limit: int,
) -> Sequence[SyncLog]:
    """A store's log, newest first, from the first row before `before` (its time and id)."""
    columns = STORE_SYNC_LOGS.c
    statement = (
        select(*_LOG_COLUMNS)
        .where(columns.store_id == store_id)
        .order_by(columns.created_at.desc(), columns.id.desc())
        .limit(limit)
    )
    if before is not None:
        moment, log_id = before
        statement = statement.where(
            tuple_(columns.created_at, columns.id) < tuple_(moment, cast(log_id, BigInteger))
        )
    return [SyncLog(**row) for row in (await connection.execute(statement)).mappings()]


async def load_rejections(
    connection: AsyncConnection, wanted: Sequence[tuple[int, str]]
) -> Mapping[tuple[int, str], Rejections]:
    """What was set aside for each (run, entity) asked for; those without any are left out."""
    if not wanted:
        return {}
    rows = await connection.execute(
        _REJECTIONS,
        {
            "runs": [run_id for run_id, _ in wanted],
            "entities": [entity for _, entity in wanted],
            "shown": REJECTIONS_SHOWN,
        },
    )
    shown: defaultdict[tuple[int, str], list[Rejection]] = defaultdict(list)
    totals: dict[tuple[int, str], int] = {}
    for row in rows.mappings():
        key = (row["run_id"], row["entity"])
        shown[key].append(Rejection(row["external_id"], row["reason"]))
        totals[key] = row["of_all"]
    return {key: Rejections(found, totals[key]) for key, found in shown.items()}


def _same_store() -> ColumnElement[bool]:
    return (STORES.c.tenant_id == SYNC_RUNS.c.tenant_id) & (STORES.c.id == SYNC_RUNS.c.store_id)
