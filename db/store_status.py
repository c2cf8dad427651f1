"""What a store shows of its runs and of its lanes: the one that is worst off.

A run that went well does not mean that pushes do, and a lane that recovered does not mean that
everything was pulled.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.statuses import SyncStatus

_FAILING: Final = "l.kind in ('inbox', 'push') and (l.failures > 0 or l.paused_reason is not null)"
_IS_RUNNING: Final = """exists (select from sync_runs r
    where r.store_id = s.id and r.status = 'in_progress' and not r.is_dry)"""
_LAST_RUN: Final = """(select r.status from sync_runs r
    where r.store_id = s.id and r.status <> 'in_progress' and not r.is_dry
    order by r.finished_at desc nulls last, r.id desc limit 1)"""

# A lane on its ladder may still recover by itself: the store has not failed before it is paused.
_SHOW_LANES: Final = text(f"""
with worst as (
  select last_error, failures, next_attempt_at, paused_reason is not null as paused from lanes l
  where l.key = :store and {_FAILING}
  order by paused_reason is not null desc, failures desc, kind limit 1)
update stores s set
  sync_status = case
    when s.sync_status = 'in_progress' and {_IS_RUNNING} then s.sync_status
    when (select paused from worst) then 'failed'
    when s.sync_status = 'failed' and not exists (select from worst)
      and {_LAST_RUN} is distinct from 'failed' then :well
    else s.sync_status end,
  last_sync_error = (select last_error from worst),
  sync_retry_count = coalesce((select failures from worst), 0),
  next_retry_at = (select next_attempt_at from worst),
  last_sync_attempt_at = greatest(last_sync_attempt_at, cast(:at as timestamptz)),
  updated_at = now()
where s.id = :store and s.deleted_at is null
""")  # noqa: S608 - constants

_SHOW_WORK: Final = text(f"""
update stores s set
  sync_status = case when s.sync_status = 'pending' and {_LAST_RUN} = 'success'
    then 'success' else s.sync_status end,
  last_sync_attempt_at = greatest(last_sync_attempt_at, :at)
where s.id = :store and s.deleted_at is null
""")  # noqa: S608 - constants

_SHOW_END: Final = text(f"""
update stores s set
  sync_status = case
    when {_IS_RUNNING} then 'in_progress'
    when :status = 'failed' or lanes.failing then 'failed'
    when :status = 'cancelled' then 'pending'
    else 'success' end,
  last_sync_error = case
    when :status = 'failed' then cast(:error as text)
    when lanes.failing then s.last_sync_error end,
  sync_retry_count = case
    when :status = 'failed' or lanes.failing then s.sync_retry_count else 0 end,
  next_retry_at = case when lanes.failing then s.next_retry_at end,
  updated_at = now()
from (select exists (select from lanes l where l.key = :store and {_FAILING}) as failing) lanes
where s.id = :store and s.deleted_at is null
""")  # noqa: S608 - constants


async def show_lanes(
    connection: AsyncConnection,
    store_id: int,
    *,
    at: datetime | None = None,
    well: SyncStatus = SyncStatus.SUCCESS,
) -> None:
    """After a lane's row was written: show what is true now.

    Args:
        at: when the lane was worked on, if it was.
        well: what a store becomes that had failed, when nothing of it is failing any more.
    """
    await connection.execute(_SHOW_LANES, {"store": store_id, "at": at, "well": well.value})


async def show_work(connection: AsyncConnection, store_id: int, at: datetime) -> None:
    """Show when a lane was last worked on, and that it works."""
    await connection.execute(_SHOW_WORK, {"store": store_id, "at": at})


async def show_end(
    connection: AsyncConnection, store_id: int, *, status: SyncStatus, error: str | None
) -> None:
    """After a run was closed: show what is true now."""
    await connection.execute(_SHOW_END, {"store": store_id, "status": status.value, "error": error})
