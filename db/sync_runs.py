"""Runs of recurring syncs. Unlike an import, one that was interrupted is not gone on with: the
next one asks from the same cursor, and so does everything that the last one left."""

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.runs import RunKey
from db.tables.sync import SYNC_RUNS
from domain.statuses import SyncStatus

_SHOW_BEGIN = text("""
update stores set sync_status = 'in_progress', last_sync_attempt_at = now(), updated_at = now()
where id = :store and deleted_at is null
""")

# A worker and its workflow may have been ended for good: such a run is over.
_CLOSE_ABANDONED = text("""
update sync_runs set status = 'cancelled', error = 'it was interrupted', finished_at = now()
where store_id = :store and kind = :kind and status = 'in_progress'
  and started_at < now() - interval '1 day'
""")

_RUNNING_IMPORT = text("""
select exists (select from sync_runs
  where store_id = :store and kind = 'import' and status = 'in_progress')
""")


async def begin_sync_run(connection: AsyncConnection, key: RunKey, *, is_dry: bool = False) -> int:
    """Begin a run and show it on the store, unless it is dry; for one workflow it begins once."""
    columns = SYNC_RUNS.c
    found = await connection.execute(
        select(columns.id).where(
            columns.store_id == key.store_id, columns.workflow_run_id == key.workflow_run_id
        )
    )
    held = found.scalar_one_or_none()
    if held is not None:
        return int(held)
    await connection.execute(_CLOSE_ABANDONED, {"store": key.store_id, "kind": key.kind})
    if not is_dry:
        await connection.execute(_SHOW_BEGIN, {"store": key.store_id})
    created = await connection.execute(
        insert(SYNC_RUNS)
        .values(
            tenant_id=key.tenant_id,
            store_id=key.store_id,
            kind=key.kind,
            workflow_id=key.workflow_id,
            workflow_run_id=key.workflow_run_id,
            status=SyncStatus.IN_PROGRESS.value,
            is_dry=is_dry,
        )
        .returning(columns.id)
    )
    return int(created.scalar_one())


async def is_import_running(connection: AsyncConnection, store_id: int) -> bool:
    """Whether the store's import has not ended yet."""
    return bool((await connection.execute(_RUNNING_IMPORT, {"store": store_id})).scalar_one())
