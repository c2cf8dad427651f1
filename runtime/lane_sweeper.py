"""The net under the lanes: rows that nobody works off are found and their lanes woken.

A wake can be lost in many ways (a process killed between its commit and its signal, Temporal away,
a workflow terminated by hand); its row cannot. So every few seconds one of the worker processes
looks for rows that are late, and tells their workflows whatever the lanes' rows say.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import text

from db.alerts import AlertKind, NewAlert, raise_alert
from db.lanes import LaneKey
from db.overdue_lanes import OverdueLane, list_overdue_lanes
from db.recurring import Outage, repeat
from db.session import Database
from domain.lanes import LaneKind
from workflows.waking import LaneWaker

TURN_S: Final = 5.0
OVERDUE: Final = timedelta(seconds=5)
ALARMING: Final = timedelta(minutes=5)
_MOST: Final = 500
_AT_ONCE: Final = 10
_LOCK: Final = 7_264_003

_log = structlog.get_logger(__name__)


class LaneSweeper:
    """Wakes lanes whose rows are late, and raises an alert for those that stay late.

    How long a lane has been late counts from when this process first saw it so: rows that waited
    while the hub was down, or their store inactive, alarm nobody as long as they are worked off.
    """

    def __init__(self, database: Database, waker: LaneWaker) -> None:
        self._database = database
        self._waker = waker
        self._late_since: dict[LaneKey, datetime] = {}
        self._told: set[LaneKey] = set()

    async def run(self) -> None:
        """Take a turn every five seconds until cancelled. What is away is tried at the next."""
        outage = Outage("lane_sweep_failed")
        await repeat(lambda: outage.bear(self._turn), every_s=TURN_S)

    async def _turn(self) -> None:
        await self.sweep(datetime.now(UTC))

    async def sweep(self, now: datetime) -> Sequence[OverdueLane] | None:
        """One turn: the lanes that are late. None when another process is at it."""
        late = await self._list(now)
        if late is None:
            return None
        limit = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._wake(one, limit) for one in late if not one.is_alive))
        await self._watch(late, now)
        return late

    async def _list(self, now: datetime) -> Sequence[OverdueLane] | None:
        async with self._database.lookup() as connection:
            is_ours = await connection.execute(
                text("select pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}
            )
            if not is_ours.scalar_one():
                return None
            return await list_overdue_lanes(connection, now, OVERDUE, most=_MOST)

    async def _wake(self, late: OverdueLane, limit: asyncio.Semaphore) -> None:
        async with limit:
            if await self._waker.insist(late.lane, late.provider):
                _log.info("lane_woken_late", lane=late.lane.name, since=late.since.isoformat())

    async def _watch(self, late: Sequence[OverdueLane], now: datetime) -> None:
        known = self._late_since
        self._late_since = {one.lane: known.get(one.lane, now) for one in late}
        self._told &= self._late_since.keys()
        for one in late:
            is_late_for = now - max(self._late_since[one.lane], one.since)
            if is_late_for >= ALARMING and one.lane not in self._told:
                await self._alarm(one)
                self._told.add(one.lane)

    async def _alarm(self, late: OverdueLane) -> None:
        lane = late.lane
        alert = NewAlert(
            tenant_id=lane.tenant_id,
            store_id=lane.store_id,
            kind=AlertKind.LANE_OVERDUE,
            subject=lane.name,
            title=f"The {lane.kind.value} lane {lane.name} is behind",
            message=(
                f"Its oldest row has been due since {late.since:%Y-%m-%d %H:%M:%S} UTC. "
                f"See the workflow {lane.name} in the Temporal UI: either it has more to do than "
                "the store lets it, or no worker takes the task queue 'events'."
            ),
            details={"lane": lane.name, "since": late.since.isoformat()},
        )
        async with self._database.tenant(lane.tenant_id) as connection:
            alert_id = await raise_alert(connection, alert)
        _log.error("lane_overdue", lane=lane.name, since=late.since.isoformat())
        if alert_id is not None:
            await self._waker.wake(lane.tenant_id, LaneKind.ALERT, lane.tenant_id)
