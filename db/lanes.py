"""Lanes: whose turn it is, whether one sleeps, when it is due, and how it fails.

The row of a lane is the only thing its drains, those who wake it, and the sweeper share. Every
moment is handed in by whoever decides; SQL's clock only tells that a drain is alive.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.lanes import LaneKind


@dataclass(frozen=True, slots=True)
class LaneKey:
    """Which lane. `key` is a store's id, for an `alert` lane the tenant's."""

    tenant_id: int
    kind: LaneKind
    key: int

    @property
    def name(self) -> str:
        """As alerts and people call it: `push/12`."""
        return f"{self.kind.value}/{self.key}"

    @property
    def store_id(self) -> int | None:
        """The store it is about, if it is about one."""
        return None if self.kind is LaneKind.ALERT else self.key

    def params(self, **more: Any) -> dict[str, Any]:
        """For a statement."""
        return {"tenant": self.tenant_id, "kind": self.kind.value, "key": self.key, **more}


@dataclass(frozen=True, slots=True)
class LaneTurn:
    """A turn that was taken, and how the lane stood then.

    Attributes:
        next_attempt_at: until when the lane waits; None: it may go on now.
        paused_reason: why it stands still until a person resumes it.
    """

    epoch: int
    failures: int
    next_attempt_at: datetime | None
    paused_reason: str | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Woken:
    """A lane that was asleep and is awake now. `provider` is None for an `alert` lane."""

    provider: str | None


# A wait that is over is forgotten with the turn that ends it: a lane with a `next_attempt_at` is
# one whose workflow sits on a timer.
_TAKE_TURN: Final = text("""
insert into lanes as l (tenant_id, kind, key, awake, epoch, drained_at)
values (:tenant, :kind, :key, true, 1, now())
on conflict (tenant_id, kind, key) do update set
  epoch = l.epoch + 1, drained_at = now(), updated_at = now(),
  awake = l.paused_reason is null and (l.next_attempt_at is null or l.next_attempt_at <= :now),
  next_attempt_at = case when l.next_attempt_at <= :now then null else l.next_attempt_at end
returning epoch, failures, next_attempt_at, paused_reason, last_error
""")

_MINE: Final = "tenant_id = :tenant and kind = :kind and key = :key and epoch = :epoch"

_CONFIRM: Final = text(f"select from lanes where {_MINE} for share")
_STAY: Final = text(
    f"update lanes set drained_at = now(), awake = true where {_MINE}"  # noqa: S608 - constants
)
_SLEEP: Final = text(
    f"update lanes set awake = false, updated_at = now() where {_MINE}"  # noqa: S608 - constants
)
_POSTPONE: Final = text(f"""
update lanes set awake = false, next_attempt_at = :until, updated_at = now() where {_MINE}
""")  # noqa: S608 - constants

# Not `insert … on conflict do update`: that would lock the row of a lane that is awake, and wait
# for the drain that is writing its results.
_WAKE: Final = text("""
with owner as (
  select s.provider from stores s
  where :kind <> 'alert' and s.id = :key and s.is_active and s.deleted_at is null
  union all
  select null where :kind = 'alert'),
woken as (
  update lanes set awake = true, updated_at = now()
  where tenant_id = :tenant and kind = :kind and key = :key and exists (select from owner)
    and not awake and paused_reason is null and next_attempt_at is null
  returning 1),
made as (
  insert into lanes (tenant_id, kind, key, awake)
  select :tenant, cast(:kind as varchar), :key, true
  where exists (select from owner) and not exists (
    select from lanes where tenant_id = :tenant and kind = :kind and key = :key)
  on conflict do nothing
  returning 1)
select provider from owner where exists (select from woken) or exists (select from made)
""")

_ROWS: Final = {
    LaneKind.INBOX: "webhook_events where store_id = :key and status = 'pending'",
    LaneKind.PUSH: "pushes where store_id = :key and status = 'pending'",
    LaneKind.ALERT: "alert_messages where tenant_id = :key and status = 'pending'",
}
_HAS_DUE: Final = {
    kind: text(
        f"select exists (select from {rows}"  # noqa: S608 - constants
        " and (next_attempt_at is null or next_attempt_at <= :now))"
    )
    for kind, rows in _ROWS.items()
}
_NEXT_DUE: Final = {
    kind: text(
        f"select min(next_attempt_at) from {rows} and next_attempt_at > :now"  # noqa: S608
    )
    for kind, rows in _ROWS.items()
}


async def take_turn(connection: AsyncConnection, lane: LaneKey, now: datetime) -> LaneTurn:
    """Take over the lane: from here on the turn before is lost. Waits for what it is writing."""
    taken = await connection.execute(_TAKE_TURN, lane.params(now=now))
    return LaneTurn(*taken.one())


async def is_mine(connection: AsyncConnection, lane: LaneKey, epoch: int) -> bool:
    """Whether the turn is still ours; if so, nobody takes it before this transaction ends."""
    found = await connection.execute(_CONFIRM, lane.params(epoch=epoch))
    return found.first() is not None


async def stay_awake(connection: AsyncConnection, lane: LaneKey, epoch: int) -> bool:
    """Say that the drain is at work and will look again: nobody has to wake the lane.

    Returns:
        False when the turn is lost.
    """
    return bool((await connection.execute(_STAY, lane.params(epoch=epoch))).rowcount)


async def sleep_lane(connection: AsyncConnection, lane: LaneKey, epoch: int) -> bool:
    """Say that who adds a row has to wake the lane. Commit this, then look once more.

    Returns:
        False when the turn is lost.
    """
    return bool((await connection.execute(_SLEEP, lane.params(epoch=epoch))).rowcount)


async def postpone_lane(
    connection: AsyncConnection, lane: LaneKey, epoch: int, until: datetime
) -> bool:
    """Let the lane wait without having failed. False when the turn is lost."""
    postponed = await connection.execute(_POSTPONE, lane.params(epoch=epoch, until=until))
    return bool(postponed.rowcount)


async def wake_lane(connection: AsyncConnection, lane: LaneKey) -> Woken | None:
    """Mark a lane awake, in a transaction that began after the row's was committed.

    Returns:
        What its workflow needs, for the one who found it asleep. None: somebody else has woken it,
        it waits or is paused, or its store is not active.
    """
    row = (await connection.execute(_WAKE, lane.params())).one_or_none()
    return None if row is None else Woken(row[0])


async def has_due(connection: AsyncConnection, lane: LaneKey, now: datetime) -> bool:
    """Whether a row of the lane is due. Cheap, for asking often."""
    found = await connection.execute(_HAS_DUE[lane.kind], lane.params(now=now))
    return bool(found.scalar_one())


async def next_due(connection: AsyncConnection, lane: LaneKey, now: datetime) -> datetime | None:
    """When the first row after `now` comes due; None: none waits for its time."""
    found = await connection.execute(_NEXT_DUE[lane.kind], lane.params(now=now))
    moment: datetime | None = found.scalar_one()
    return moment
