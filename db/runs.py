"""Runs: what is being synced, how far it got, and what the store is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.store_status import show_end, show_lanes
from db.tables.stores import STORES
from db.tables.sync import SYNC_RUNS
from domain.entities import Entity
from domain.statuses import SyncStatus

RESUMABLE_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RunKey:
    """A run of a store, by the workflow that does it."""

    tenant_id: int
    store_id: int
    kind: str
    workflow_id: str
    workflow_run_id: str


async def begin_run(connection: AsyncConnection, key: RunKey) -> tuple[int, bool]:
    """Begin a run and show it on the store; called twice for one workflow it begins once.

    A run of the same kind that was cancelled, failed or abandoned lately is gone on with, at the
    page where it was.

    Returns:
        The run's id, and whether it was there before.
    """
    columns = SYNC_RUNS.c
    resumable = or_(
        columns.status == SyncStatus.IN_PROGRESS.value,
        columns.status.in_((SyncStatus.CANCELLED.value, SyncStatus.FAILED.value))
        & (columns.finished_at > func.now() - RESUMABLE_FOR),
    )
    newest = (
        await connection.execute(
            select(columns.id, resumable)
            .where(columns.store_id == key.store_id, columns.kind == key.kind)
            .order_by(columns.id.desc())
            .limit(1)
            .with_for_update()
        )
    ).one_or_none()
    values = {
        "workflow_id": key.workflow_id,
        "workflow_run_id": key.workflow_run_id,
        "status": SyncStatus.IN_PROGRESS.value,
        "error": None,
        "finished_at": None,
    }
    await _show_on_store(
        connection,
        key.store_id,
        sync_status=SyncStatus.IN_PROGRESS.value,
        last_sync_attempt_at=func.now(),
        next_retry_at=None,
    )
    if newest is not None and newest[1]:
        await connection.execute(update(SYNC_RUNS).where(columns.id == newest[0]).values(**values))
        return int(newest[0]), True
    created = await connection.execute(
        insert(SYNC_RUNS)
        .values(tenant_id=key.tenant_id, store_id=key.store_id, kind=key.kind, **values)
        .returning(columns.id)
    )
    return int(created.scalar_one()), False


async def refuse_run(connection: AsyncConnection, key: RunKey, *, error: str) -> None:
    """Note a run that could not begin, and show on the store why."""
    run_id, _ = await begin_run(connection, key)
    await end_run(connection, run_id, key.store_id, status=SyncStatus.FAILED, error=error)


async def record_failure(
    connection: AsyncConnection,
    store_id: int,
    *,
    message: str,
    retry_count: int,
    next_retry_at: datetime | None,
) -> None:
    """Show on the store that it failed, how often, and when it is tried again."""
    await _show_on_store(
        connection,
        store_id,
        last_sync_error=message[:2000],
        sync_retry_count=retry_count,
        next_retry_at=next_retry_at,
        last_sync_attempt_at=func.now(),
    )


async def clear_failure(connection: AsyncConnection, store_id: int) -> None:
    """Show on the store that it answers again, or what its lanes still say of it."""
    await show_lanes(connection, store_id)


async def end_run(
    connection: AsyncConnection,
    run_id: int,
    store_id: int,
    *,
    status: SyncStatus,
    error: str | None,
) -> None:
    """Close a run and show on the store what is true now."""
    await close_run(connection, run_id, status=status, error=error)
    await show_end(connection, store_id, status=status, error=error)


async def close_run(
    connection: AsyncConnection, run_id: int, *, status: SyncStatus, error: str | None
) -> None:
    """Close a run that says nothing about the store."""
    await connection.execute(
        update(SYNC_RUNS)
        .where(SYNC_RUNS.c.id == run_id)
        .values(status=status.value, error=error, finished_at=func.now())
    )


_LOG = text("""
insert into store_sync_logs (tenant_id, store_id, run_id, action, status)
select :tenant_id, :store_id, :run_id, cast(:action as varchar), 'in_progress'
where not exists (
  select from store_sync_logs
  where tenant_id = :tenant_id and run_id = :run_id and action = cast(:action as varchar))
""")

_CLOSE_LOG = text("""
update store_sync_logs l
set retry_count = l.retry_count + case when l.status = 'in_progress' then 0 else 1 end,
    status = cast(:status as varchar), error_message = cast(:error as text), updated_at = now(),
    details = (
      select json_build_object('seen', coalesce(sum(r.seen), 0),
        'created', coalesce(sum(r.created), 0), 'updated', coalesce(sum(r.updated), 0),
        'unchanged', coalesce(sum(r.unchanged), 0), 'deleted', coalesce(sum(r.deleted), 0),
        'rejected', coalesce(sum(r.rejected), 0), 'pages', coalesce(sum(r.pages), 0))::text
      from sync_ranges r
      where r.tenant_id = l.tenant_id and r.run_id = l.run_id
        and r.entity = substr(l.action, length('sync_') + 1))
where l.run_id = :run_id and coalesce(read_log(l.details) ->> 'direction', '') <> 'push'
""")


async def open_logs(
    connection: AsyncConnection, key: RunKey, run_id: int, entities: Sequence[Entity]
) -> None:
    """One row of the store's log for each entity (`sync_products`, …), once per run."""
    if not entities:
        return
    await connection.execute(
        _LOG,
        [
            {
                "tenant_id": key.tenant_id,
                "store_id": key.store_id,
                "run_id": run_id,
                "action": f"sync_{entity.value}",
            }
            for entity in entities
        ],
    )


async def close_logs(
    connection: AsyncConnection, run_id: int, *, status: SyncStatus, error: str | None
) -> None:
    """Close the run's rows of the log, with its counts as JSON in `details`."""
    await connection.execute(
        _CLOSE_LOG,
        {"run_id": run_id, "status": status.value, "error": error},
    )


async def _show_on_store(connection: AsyncConnection, store_id: int, **values: object) -> None:
    await connection.execute(
        update(STORES)
        .where(STORES.c.id == store_id, STORES.c.deleted_at.is_(None))
        .values(**values, updated_at=func.now())
    )
