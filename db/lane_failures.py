"""How a lane fails, is paused, recovers and is resumed, and what its store shows of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.alerts import AlertKind, resolve_alerts
from db.lanes import LaneKey
from db.store_status import show_lanes, show_work
from domain.entities import Entity
from domain.lanes import LaneKind
from domain.statuses import SyncStatus

_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class LaneFailure:
    """One failure of a lane as a whole.

    Attributes:
        failures: how often it has failed in a row, this time included.
        at: when.
        next_attempt_at: when it is tried again; None: not before a person resumes it.
    """

    message: str
    failures: int
    at: datetime
    next_attempt_at: datetime | None


_FAIL: Final = text("""
update lanes set failures = :failures, next_attempt_at = :next_attempt_at, last_error = :error,
  paused_reason = :reason, awake = false, updated_at = now()
where tenant_id = :tenant and kind = :kind and key = :key and epoch = :epoch
""")

_CLEAR: Final = text("""
update lanes set failures = 0, next_attempt_at = null, last_error = null, updated_at = now()
from (select failures as before from lanes
      where tenant_id = :tenant and kind = :kind and key = :key) was
where tenant_id = :tenant and kind = :kind and key = :key and epoch = :epoch and failures > 0
returning was.before
""")

# Its rows wait as they are; a turn that is under way ends first.
_PAUSE: Final = text("""
insert into lanes as l (tenant_id, kind, key, paused_reason, last_error)
values (:tenant, :kind, :key, :error, :error)
on conflict (tenant_id, kind, key) do update set
  paused_reason = excluded.paused_reason, last_error = excluded.last_error,
  next_attempt_at = null, awake = false, updated_at = now()
""")

_RESUME: Final = text("""
update lanes set failures = 0, next_attempt_at = null, last_error = null, paused_reason = null,
  awake = false, updated_at = now()
where tenant_id = :tenant and kind = :kind and key = :key
  and (paused_reason is not null or next_attempt_at is not null or failures > 0)
""")

_FIRST_ENTITY: Final = {
    LaneKind.INBOX: text(
        "select entity from webhook_events where store_id = :key and status = 'pending'"
        " order by id limit 1"
    ),
    LaneKind.PUSH: text(
        "select entity from pushes where store_id = :key and status = 'pending' order by id limit 1"
    ),
}

_LAST_ACTION: Final = text("""
select action from store_sync_logs
where tenant_id = :tenant and store_id = :key and run_id is null and details = :details
  and status = 'failed'
order by created_at desc, id desc limit 1
""")

_LOG: Final = text("""
insert into store_sync_logs (tenant_id, store_id, action, status, details, error_message,
  retry_count)
values (:tenant, :key, :action, :status, :details, :error, :tries)
""")

_DEFAULT_ACTION: Final = {LaneKind.INBOX: "receive_order", LaneKind.PUSH: "sync_products"}
_ACTIONS: Final = {
    (LaneKind.INBOX, Entity.ORDERS): "receive_order",
    (LaneKind.PUSH, Entity.ORDERS): "update_order_status",
    (LaneKind.INBOX, Entity.INVENTORY): "update_inventory",
    (LaneKind.PUSH, Entity.INVENTORY): "update_inventory",
}


async def record_lane_failure(
    connection: AsyncConnection, lane: LaneKey, epoch: int, failure: LaneFailure
) -> bool:
    """Let the lane wait, or pause it; show it on the store and in its log.

    Returns:
        False when the turn is lost: nothing was written.
    """
    error = failure.message[:_LONGEST]
    written = await connection.execute(
        _FAIL,
        lane.params(
            epoch=epoch,
            failures=failure.failures,
            next_attempt_at=failure.next_attempt_at,
            error=error,
            reason=error if failure.next_attempt_at is None else None,
        ),
    )
    if not written.rowcount:
        return False
    if lane.store_id is not None:
        await show_lanes(connection, lane.store_id, at=failure.at)
        action = await _action(connection, lane)
        await _log(connection, lane, action, "failed", error=error, tries=failure.failures)
    return True


async def pause_lane(connection: AsyncConnection, lane: LaneKey, failure: LaneFailure) -> None:
    """Let a lane stand still until a person resumes it, for what another lane has found out."""
    await connection.execute(_PAUSE, lane.params(error=failure.message[:_LONGEST]))


async def clear_lane_failure(
    connection: AsyncConnection, lane: LaneKey, epoch: int, now: datetime
) -> bool:
    """The lane works again: show it. False when it had not failed, or the turn is lost."""
    cleared = (await connection.execute(_CLEAR, lane.params(epoch=epoch))).one_or_none()
    if cleared is None:
        return False
    if lane.store_id is not None:
        await show_lanes(connection, lane.store_id, at=now)
        last = await connection.execute(_LAST_ACTION, lane.params(details=_details(lane)))
        action = last.scalar_one_or_none() or _DEFAULT_ACTION[lane.kind]
        await _log(connection, lane, action, "success", error=None, tries=cleared[0] + 1)
    return True


async def resume_lane(connection: AsyncConnection, lane: LaneKey) -> bool:
    """A person says: go on. Forgets failures, waits and the pause; the lane then wants waking.

    Returns:
        False when there was nothing to forget.
    """
    resumed = bool((await connection.execute(_RESUME, lane.params())).rowcount)
    if resumed and lane.store_id is not None:
        # Whether the store is well shows when the lane has worked.
        await show_lanes(connection, lane.store_id, well=SyncStatus.PENDING)
    return resumed


async def resume_store_lanes(
    connection: AsyncConnection, tenant_id: int, store_id: int
) -> tuple[LaneKind, ...]:
    """Resume both lanes of a store, as when it gets new keys, and close their alerts.

    Returns:
        Those that had anything to forget: they want waking.
    """
    resumed = []
    for kind in (LaneKind.INBOX, LaneKind.PUSH):
        lane = LaneKey(tenant_id, kind, store_id)
        if await resume_lane(connection, lane):
            await resolve_alerts(connection, kind=AlertKind.SYNC_FAILED, subject=lane.name)
            resumed.append(kind)
    return tuple(resumed)


async def show_attempt(connection: AsyncConnection, lane: LaneKey, now: datetime) -> None:
    """Show on the store when it was last worked on."""
    if lane.store_id is not None:
        await show_work(connection, lane.store_id, now)


async def _action(connection: AsyncConnection, lane: LaneKey) -> str:
    """The store document's word for what the lane was about to do."""
    first = await connection.execute(_FIRST_ENTITY[lane.kind], lane.params())
    name = first.scalar_one_or_none()
    if name is None:
        return _DEFAULT_ACTION[lane.kind]
    return _ACTIONS.get((lane.kind, Entity(name)), f"sync_{name}")


async def _log(
    connection: AsyncConnection,
    lane: LaneKey,
    action: str,
    status: str,
    *,
    error: str | None,
    tries: int,
) -> None:
    await connection.execute(
        _LOG,
        lane.params(action=action, status=status, details=_details(lane), error=error, tries=tries),
    )


def _details(lane: LaneKey) -> str:
    return f"{lane.kind.value} lane"
