"""Sending what somebody asked for: into the store's outbox, and watching it go."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Final

from temporalio import activity

from activities.demand_models import PushCounts, PushDemand
from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.lanes import Waker
from activities.models import RunRef
from db import demanded_pushes, retries
from db.demanded_pushes import Demanded
from db.session import Database
from domain.entities import Entity
from domain.lanes import LaneKind

WATCH_S: Final = 300.0
"""How long one call watches: what waits longer, as behind the ladder, is watched by the next."""

LONGEST_IDLE_S: Final = 120.0
"""How long what waits is left unwatched at most."""

_FIRST_LOOK_S: Final = 0.1
_LAST_LOOK_S: Final = 2.0
_PAUSE_A_LOOK: Final = 10.0


class EnqueueDemandInput(RunRef):
    """What is to be sent. A run has one such demand per entity."""

    demand: PushDemand


class WatchDemandInput(RunRef):
    """Which of a run's pushes."""

    entity: Entity


class DemandPushActivities:
    """The steps of a demand that sends.

    Args:
        watch_s: how long `watch_demand` looks on before it says what is still waiting.
    """

    def __init__(self, database: Database, waker: Waker, *, watch_s: float = WATCH_S) -> None:
        self._database = database
        self._waker = waker
        self._watch_s = watch_s

    @activity.defn
    async def enqueue_demand(self, args: EnqueueDemandInput) -> PushCounts:
        """Make due what was asked for, under this run; a second call finds it done."""
        demand = args.demand
        with translated():
            async with heartbeating():
                await demanded_pushes.enqueue(
                    self._database,
                    args.tenant_id,
                    args.store_id,
                    args.run_id,
                    Demanded(
                        entity=demand.entity,
                        record_ids=demand.record_ids,
                        modified_since=demand.modified_since,
                        all_records=demand.all_records,
                        limit=demand.limit,
                        force=demand.force,
                    ),
                )
                counts = await self._look(args, demand.entity)
            if counts.waiting:
                await self._waker.wake(args.tenant_id, LaneKind.PUSH, args.store_id)
            return counts

    @activity.defn
    async def watch_demand(self, args: WatchDemandInput) -> PushCounts:
        """Look on until nothing of it waits any more, or nothing will move for a while.

        With `paused` in the answer nothing goes on by itself; what waits then stays due, and is
        sent when somebody resumes the lane. With `idle_s` what waits is on a ladder: who watches
        sleeps so long, and does not hold a slot of the worker meanwhile.
        """
        with translated():
            async with heartbeating():
                return await self._watch(args)

    @activity.defn
    async def hurry_demand(self, args: RunRef) -> None:
        """Make due what waits of it on the ladder.

        A lane that waits for the store goes on; one that is paused does not.
        """
        with translated():
            async with self._database.tenant(args.tenant_id) as connection:
                await retries.hurry_pushes(connection, args.tenant_id, args.store_id, args.run_id)
            await self._waker.wake(args.tenant_id, LaneKind.PUSH, args.store_id)

    async def _watch(self, args: WatchDemandInput) -> PushCounts:
        ends = time.monotonic() + self._watch_s
        pause_s = _FIRST_LOOK_S
        while True:
            began = time.monotonic()
            counts = await self._look(args, args.entity)
            took_s = time.monotonic() - began
            is_over = not counts.waiting or counts.paused is not None
            if (
                is_over
                or counts.idle_s > _LAST_LOOK_S
                or time.monotonic() >= ends
                or activity.is_worker_shutdown()
            ):
                return counts
            await asyncio.sleep(max(pause_s, took_s * _PAUSE_A_LOOK))
            pause_s = min(_LAST_LOOK_S, pause_s * 1.5)

    async def _look(self, args: RunRef, entity: Entity) -> PushCounts:
        async with self._database.tenant(args.tenant_id) as connection:
            progress = await demanded_pushes.count(connection, args.store_id, args.run_id, entity)
        return PushCounts(
            queued=progress.queued,
            sent=progress.sent,
            held=progress.held,
            waiting=progress.waiting,
            failed=progress.failed,
            passed_on=progress.passed_on,
            skipped=progress.skipped,
            paused=progress.paused,
            idle_s=_until(progress.due_at),
        )


def _until(moment: datetime | None) -> float:
    """Seconds, at most `LONGEST_IDLE_S`: somebody may resume by hand what waits."""
    if moment is None:
        return 0
    return min(LONGEST_IDLE_S, max(0.0, (moment - datetime.now(UTC)).total_seconds()))
