"""What becomes of a lane whose turn failed: it waits, it is paused, or it lies still."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.errors import DATABASE_AWAY, QUICK_TRIES, is_tried_again_at_once
from activities.lanes import Turn, TurnLostError, Waker
from db import lanes
from db.alerts import AlertKind, NewAlert, raise_alert
from db.lane_failures import LaneFailure, pause_lane, record_lane_failure
from db.lanes import LaneKey
from db.session import Database
from domain.errors import (
    CredentialsError,
    EntrepotError,
    RateLimitedError,
    RetryableStoreError,
    StoreError,
    StoreGoneError,
    StoreSuspendedError,
)
from domain.lanes import LaneKind, next_attempt

LONGEST_TOLD_S: Final = 6 * 3600.0
"""The longest pause we take because a store asked for it."""

ALERT_PAUSE_S: Final = 300.0
"""An alert lane is never given up, as nobody would hear of it: this is its shortest last rung."""

_STOPPED: Final = {
    LaneKind.INBOX: "its webhooks are kept but not worked off",
    LaneKind.PUSH: "it is not told what changes in the hub",
    LaneKind.ALERT: "nobody is told of alerts",
}

_OF_THE_STORE: Final = (CredentialsError, StoreSuspendedError)
"""What no request to the store gets past. Keys that may not write (403) stop only what writes."""

_OF_STORES: Final = (LaneKind.INBOX, LaneKind.PUSH)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Setback:
    """How the lane stands now.

    Attributes:
        next_at: when it goes on; None: not before a person resumes it, or activates the store.
        is_shut: the store is not active, and nothing failed.
    """

    reason: str
    failures: int = 0
    next_at: datetime | None = None
    is_shut: bool = False


class LaneSetbacks:
    """Writes down how lanes fail, and tells people of those that stop."""

    def __init__(self, database: Database, waker: Waker) -> None:
        self._database = database
        self._waker = waker

    async def record(
        self, turn: Turn, lane: LaneKey, error: Exception, *, failures: int
    ) -> Setback:
        """Let the lane wait on the ladder, or pause it with an alert, as the error deserves.

        Args:
            failures: how often the lane had failed in a row before.

        Raises:
            Exception: `error` itself, where Temporal should run the turn again at once.
            TurnLostError: another turn has taken over.
        """
        if isinstance(error, StoreGoneError):
            await self._lie_still(turn, lane)
            return Setback(str(error), is_shut=True)
        if isinstance(error, RateLimitedError) and error.status is None and error.retry_after_s:
            # Our own budget said no, before anything was sent: the store has not failed.
            return await self._postpone(turn, lane, error, failures, error.retry_after_s)
        if _is_for_temporal(error):
            raise error
        count = failures + 1
        failure = LaneFailure(
            message=_told(error),
            failures=count,
            at=turn.now,
            next_attempt_at=_next_at(turn, lane, error, count),
        )
        await self._fail(turn, lane, failure, ends_all=isinstance(error, _OF_THE_STORE))
        return Setback(failure.message, failures=count, next_at=failure.next_attempt_at)

    async def _lie_still(self, turn: Turn, lane: LaneKey) -> None:
        async with self._database.tenant(lane.tenant_id) as connection:
            if not await lanes.sleep_lane(connection, lane, turn.epoch):
                raise TurnLostError

    async def _postpone(
        self, turn: Turn, lane: LaneKey, error: Exception, failures: int, wait_s: float
    ) -> Setback:
        until = turn.now + timedelta(seconds=wait_s)
        async with self._database.tenant(lane.tenant_id) as connection:
            if not await lanes.postpone_lane(connection, lane, turn.epoch, until):
                raise TurnLostError
        return Setback(str(error), failures=failures, next_at=until)

    async def _fail(
        self, turn: Turn, lane: LaneKey, failure: LaneFailure, *, ends_all: bool
    ) -> None:
        is_paused = failure.next_attempt_at is None
        kinds = _OF_STORES if ends_all and is_paused and lane.kind in _OF_STORES else (lane.kind,)

        async def work(connection: AsyncConnection) -> int | None:
            if not await record_lane_failure(connection, lane, turn.epoch, failure):
                raise TurnLostError
            if not is_paused:
                return None
            for kind in kinds:
                if kind is not lane.kind:
                    await pause_lane(connection, replace(lane, kind=kind), failure)
            return await raise_alert(connection, _alert(lane, failure, kinds))

        alert_id = await self._database.transact(lane.tenant_id, work)
        _log.warning("lane_failed", lane=lane.name, failures=failure.failures, is_paused=is_paused)
        if alert_id is not None:
            await self._waker.wake(lane.tenant_id, LaneKind.ALERT, lane.tenant_id)


def _is_for_temporal(error: Exception) -> bool:
    """Trouble at home, or a store that gets another quick try."""
    if isinstance(error, StoreError):
        return is_tried_again_at_once(error)
    if isinstance(error, EntrepotError):
        return False
    return isinstance(error, DATABASE_AWAY) or activity.info().attempt < QUICK_TRIES


def _told(error: Exception) -> str:
    """For people; what is not made for them is named by its type alone."""
    if isinstance(error, EntrepotError):
        return str(error)
    _log.error("lane_turn_failed", error_type=type(error).__name__, exc_info=error)
    return f"unforeseen {type(error).__name__}; the worker's log has the details"


def _next_at(turn: Turn, lane: LaneKey, error: Exception, failures: int) -> datetime | None:
    """None where waiting does not help, and at the end of the ladder."""
    is_lasting = isinstance(error, EntrepotError) and not isinstance(error, RetryableStoreError)
    rung = None if is_lasting else next_attempt(failures, turn.ladder_s, turn.now)
    if rung is None and lane.kind is LaneKind.ALERT:
        return turn.now + timedelta(seconds=max(turn.ladder_s[-1], ALERT_PAUSE_S))
    told = error.retry_after_s if isinstance(error, RetryableStoreError) else None
    if rung is None or told is None or told <= 0:
        return rung
    return turn.now + timedelta(seconds=min(told, LONGEST_TOLD_S))


def _alert(lane: LaneKey, failure: LaneFailure, paused: Sequence[LaneKind]) -> NewAlert:
    tries = f"after {failure.failures} tries" if failure.failures > 1 else "at once"
    stopped = ", and ".join(_STOPPED[kind] for kind in paused)
    names = " and ".join(kind.value for kind in paused)
    words = f"{names} lane is" if len(paused) == 1 else f"{names} lanes are"
    return NewAlert(
        tenant_id=lane.tenant_id,
        store_id=lane.store_id,
        kind=AlertKind.SYNC_FAILED,
        subject=lane.name,
        title=f"Store {lane.key}: the {words} paused",
        message=(
            f"Store {lane.key} was given up {tries}, and {stopped}: {failure.message} "
            "Put right what the store complains of, then retry: every row is kept until then."
        ),
        command=f"POST /api/stores/{lane.key}/retry-failed-sync",
        details={"lane": lane.name, "failures": failure.failures},
    )
