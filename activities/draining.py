"""Draining a lane: one turn of the lane protocol.

A turn takes over the lane (its epoch), works until nothing is due, lingers for what comes next,
puts the lane to sleep in a commit of its own and looks once more. Whoever adds a row commits it
first and wakes the lane then, so one of the two sees it. An attempt that was replaced finds its
epoch gone and writes nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.lane_setbacks import LaneSetbacks, Setback
from activities.lanes import LaneRef, Take, Turn, TurnLostError, Waker
from activities.models import Message
from db import lanes
from db.alerts import AlertKind, resolve_alerts
from db.lane_failures import clear_lane_failure, show_attempt
from db.lanes import LaneKey, LaneTurn
from db.session import Database
from domain.lanes import LaneKind

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a turn takes.

    Attributes:
        linger_s: how long an empty lane is watched before it sleeps.
        look_s: how often meanwhile.
        most_s: after which no more is claimed: another turn goes on.
        alive_s: how often the drain says that it is at work.
    """

    linger_s: float = 2.0
    look_s: float = 0.05
    most_s: float = 30.0
    alive_s: float = 2.0


class DrainInput(LaneRef):
    """A turn. `now` is the workflow's time; `ladder_s` are the seconds before each try of a row,
    or of the lane."""

    now: datetime
    ladder_s: tuple[float, ...]


class LaneState(StrEnum):
    """How a turn ended.

    `QUIET`: nothing is due. `BUSY`: its time was up, there may be more. `WAITING`: for the store.
    `PAUSED`: until a person resumes it. `SHUT`: the store is not active, its rows wait. `LOST`:
    another turn has taken over.
    """

    QUIET = "quiet"
    BUSY = "busy"
    WAITING = "waiting"
    PAUSED = "paused"
    SHUT = "shut"
    LOST = "lost"


class DrainResult(Message):
    """What a turn did.

    Attributes:
        next_at: when the lane, or the first of its rows, is due again.
        reason: why it waits or is paused, for people.
    """

    state: LaneState
    settled: int = 0
    next_at: datetime | None = None
    failures: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LaneEpoch(Turn):
    """A turn that stands in the lane's row."""

    key: LaneKey
    failures: int
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self) -> None:
        """See `Turn`."""
        self.heard.set()

    async def confirm(self, connection: AsyncConnection) -> None:
        """See `Turn`. Holds off the next turn until the transaction ends."""
        if not await lanes.is_mine(connection, self.key, self.epoch):
            raise TurnLostError


class LaneActivities:
    """The one step of the lane workflows.

    Args:
        takes: what each kind of lane does with its rows.
        waker: wakes the tenant's alert lane when an alert is raised.
    """

    def __init__(
        self,
        database: Database,
        takes: Mapping[LaneKind, Take],
        waker: Waker,
        *,
        pace: Pace | None = None,
    ) -> None:
        self._database = database
        self._takes = takes
        self._pace = pace or Pace()
        self._setbacks = LaneSetbacks(database, waker)

    @activity.defn
    async def drain_lane(self, args: DrainInput) -> DrainResult:
        """Work the lane off until it is quiet, fails, or its time is up.

        A store that may recover is tried three times at once by Temporal's retries; after that the
        lane's row says how long it waits, in the transaction that also shows it on the store.
        """
        with translated():
            async with heartbeating():
                return await self._drain(args)

    async def _drain(self, args: DrainInput) -> DrainResult:
        key = LaneKey(args.tenant_id, args.kind, args.key)
        now = args.now + _since_scheduled()
        async with self._database.tenant(key.tenant_id) as connection:
            taken = await lanes.take_turn(connection, key, now)
        if taken.paused_reason is not None:
            return _paused(taken)
        if taken.next_attempt_at is not None:
            return _waiting(taken)
        lane = LaneRef(tenant_id=key.tenant_id, kind=key.kind, key=key.key)
        turn = LaneEpoch(lane, taken.epoch, now, args.ladder_s, key, taken.failures)
        work = _Work(self._database, turn, self._takes[key.kind], self._pace)
        try:
            return await self._work(turn, work)
        except TurnLostError:
            _log.warning("lane_turn_lost", lane=key.name, epoch=taken.epoch)
            return DrainResult(state=LaneState.LOST, settled=work.settled)

    async def _work(self, turn: LaneEpoch, work: "_Work") -> DrainResult:
        try:
            state = await work.run()
        except TurnLostError:
            raise
        except Exception as error:  # noqa: BLE001 - what is not the lane's failure is raised again
            # A store that answered meanwhile has recovered: its ladder begins anew.
            failures = 0 if turn.heard.is_set() else turn.failures
            setback = await self._setbacks.record(turn, turn.key, error, failures=failures)
            return _set_back(setback, work.settled)
        return await self._end(turn, state, work.settled)

    async def _end(self, turn: LaneEpoch, state: LaneState, settled: int) -> DrainResult:
        """Show what was done; when the lane has to be looked at again."""
        async with self._database.tenant(turn.lane.tenant_id) as connection:
            await turn.confirm(connection)
            if settled:
                await show_attempt(connection, turn.key, turn.now)
                for kind in (AlertKind.SYNC_FAILED, AlertKind.LANE_OVERDUE):
                    await resolve_alerts(connection, kind=kind, subject=turn.key.name)
            if turn.failures:
                await clear_lane_failure(connection, turn.key, turn.epoch, turn.now)
            if state is LaneState.BUSY:
                return DrainResult(state=state, settled=settled)
            next_at = await lanes.next_due(connection, turn.key, turn.now)
        return DrainResult(state=state, settled=settled, next_at=next_at)


class _Work:
    """The loop of one turn."""

    def __init__(self, database: Database, turn: LaneEpoch, take: Take, pace: Pace) -> None:
        self._database = database
        self._turn = turn
        self._take = take
        self._pace = pace
        self._ends = time.monotonic() + pace.most_s
        self._showed = time.monotonic()
        self._recovered = not turn.failures
        self.settled = 0

    async def run(self) -> LaneState:
        """Until the lane is quiet, and asleep; or busy, when time is up."""
        while await self._until_quiet():
            await self._note(lanes.sleep_lane)
            if not await self._step():
                return LaneState.QUIET
            await self._note(lanes.stay_awake)
        return LaneState.BUSY

    async def _until_quiet(self) -> bool:
        """Work, and watch the empty lane for a while. False when the time was up before."""
        quiet_since = time.monotonic()
        while True:
            if await self._step():
                quiet_since = time.monotonic()
                if quiet_since >= self._ends or activity.is_worker_shutdown():
                    return False
            else:
                await asyncio.sleep(self._pace.look_s)
            await self._show_alive()
            while not await self._has_due():
                now = time.monotonic()
                if now - quiet_since >= self._pace.linger_s or now >= self._ends:
                    return True
                if activity.is_worker_shutdown():
                    return False
                await asyncio.sleep(self._pace.look_s)
            if time.monotonic() - quiet_since >= self._pace.linger_s:
                return True

    async def _step(self) -> int:
        """One take; how many rows it settled."""
        settled = await self._take(self._turn)
        self.settled += settled
        turn = self._turn
        if turn.heard.is_set() and not self._recovered:
            async with self._database.tenant(turn.key.tenant_id) as connection:
                await clear_lane_failure(connection, turn.key, turn.epoch, turn.now)
            self._recovered = True
        return settled

    async def _show_alive(self) -> None:
        if time.monotonic() - self._showed >= self._pace.alive_s:
            await self._note(lanes.stay_awake)
            self._showed = time.monotonic()

    async def _has_due(self) -> bool:
        async with self._database.tenant(self._turn.key.tenant_id) as connection:
            return await lanes.has_due(connection, self._turn.key, self._turn.now)

    async def _note(self, note: Callable[[AsyncConnection, LaneKey, int], Awaitable[bool]]) -> None:
        """One statement in a commit of its own, if the turn is still ours."""
        async with self._database.tenant(self._turn.key.tenant_id) as connection:
            if not await note(connection, self._turn.key, self._turn.epoch):
                raise TurnLostError


def _since_scheduled() -> timedelta:
    """How old the workflow's `now` is: both moments are of Temporal's clock."""
    info = activity.info()
    return max(info.started_time - info.scheduled_time, timedelta())


def _paused(taken: LaneTurn) -> DrainResult:
    return DrainResult(
        state=LaneState.PAUSED, failures=taken.failures, reason=_shortened(taken.paused_reason)
    )


def _waiting(taken: LaneTurn) -> DrainResult:
    return DrainResult(
        state=LaneState.WAITING,
        next_at=taken.next_attempt_at,
        failures=taken.failures,
        reason=_shortened(taken.last_error),
    )


def _set_back(setback: Setback, settled: int) -> DrainResult:
    if setback.is_shut:
        return DrainResult(state=LaneState.SHUT, settled=settled, reason=setback.reason)
    return DrainResult(
        state=LaneState.WAITING if setback.next_at else LaneState.PAUSED,
        settled=settled,
        next_at=setback.next_at,
        failures=setback.failures,
        reason=_shortened(setback.reason),
    )


def _shortened(reason: str | None) -> str | None:
    return None if reason is None else reason[:500]
