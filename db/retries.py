"""A person says: try again. What failed is due at once, as if it had never failed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.alerts import resolve_store_alerts
from db.lane_failures import resume_lane
from db.lanes import LaneKey
from domain.lanes import LaneKind

_PUSHES = text("""
update pushes set status = 'pending', attempts = 0, next_attempt_at = null, last_error = null,
  updated_at = now()
where store_id = :store and status = 'failed'
  and (cast(:ids as bigint[]) is null or id = any(cast(:ids as bigint[])))
""")

_EVENTS = text("""
update webhook_events set status = 'pending', attempts = 0, next_attempt_at = null,
  error_message = null, processed_at = null
where store_id = :store and status = 'failed'
  and (cast(:ids as bigint[]) is null or id = any(cast(:ids as bigint[])))
""")

# What waits on the ladder comes at once too: a person says that the trouble is over.
_WAITING = (
    text("""
    update pushes set next_attempt_at = null
    where store_id = :store and status = 'pending' and next_attempt_at is not null
      and creating_since is null
    """),
    text("""
    update webhook_events set next_attempt_at = null
    where store_id = :store and status = 'pending' and next_attempt_at is not null
    """),
)

_WAITING_OF_RUN = text("""
update pushes set next_attempt_at = null
where store_id = :store and run_id = :run and status = 'pending' and next_attempt_at is not null
  and creating_since is null
""")

_IS_PAUSED = text("""
select paused_reason is not null from lanes
where tenant_id = :tenant and kind = :kind and key = :key
""")

_LAST_IMPORT_FAILED = text("""
select coalesce((
  select status = 'failed' from sync_runs where store_id = :store and kind = 'import'
  order by id desc limit 1), false)
""")


@dataclass(frozen=True, slots=True)
class Retried:
    """What is due again."""

    pushes: int
    events: int
    lanes: tuple[str, ...]
    alerts: int
    has_failed_import: bool


async def retry_all(connection: AsyncConnection, tenant_id: int, store_id: int) -> Retried:
    """Make due whatever of a store failed or waits on the ladder, and let its lanes go on."""
    store = {"store": store_id}
    lanes = await _resume(connection, tenant_id, store_id)
    pushes = await connection.execute(_PUSHES, {**store, "ids": None})
    events = await connection.execute(_EVENTS, {**store, "ids": None})
    for statement in _WAITING:
        await connection.execute(statement, store)
    failed = await connection.execute(_LAST_IMPORT_FAILED, store)
    has_failed_import = bool(failed.scalar_one())
    alerts = await resolve_store_alerts(connection, store_id)
    return Retried(pushes.rowcount, events.rowcount, lanes, alerts, has_failed_import)


async def retry_rows(
    connection: AsyncConnection,
    tenant_id: int,
    store_id: int,
    *,
    push_ids: Sequence[int],
    event_ids: Sequence[int],
) -> Retried:
    """Make these failed rows due again, and let the lanes go on. Others stay as they are."""
    lanes = await _resume(connection, tenant_id, store_id)
    pushes = await connection.execute(_PUSHES, {"store": store_id, "ids": list(push_ids)})
    events = await connection.execute(_EVENTS, {"store": store_id, "ids": list(event_ids)})
    return Retried(pushes.rowcount, events.rowcount, lanes, 0, False)


async def hurry_pushes(
    connection: AsyncConnection, tenant_id: int, store_id: int, run_id: int
) -> None:
    """Make due what waits of a run's pushes on the ladder, and end the lane's wait for its store. A
    lane that stands still until a person resumes it is left so."""
    lane = LaneKey(tenant_id, LaneKind.PUSH, store_id)
    if (await connection.execute(_IS_PAUSED, lane.params())).scalar_one_or_none():
        return
    await resume_lane(connection, lane)
    await connection.execute(_WAITING_OF_RUN, {"store": store_id, "run": run_id})


async def _resume(connection: AsyncConnection, tenant_id: int, store_id: int) -> tuple[str, ...]:
    """Before their rows: drains lock them in this order."""
    resumed = [
        kind.value
        for kind in (LaneKind.INBOX, LaneKind.PUSH)
        if await resume_lane(connection, LaneKey(tenant_id, kind, store_id))
    ]
    return tuple(resumed)
