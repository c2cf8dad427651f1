"""Waking lanes: marking one awake, and telling its workflow so. Runs in processes, not workflows.

Only the change from asleep to awake is told to Temporal, so a thousand rows that arrive while a
drain is at work cost no signal. Whatever goes wrong on the way is made good by the sweeper.
"""

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import Final

import structlog
from db.lanes import LaneKey, wake_lane
from db.session import Database
from domain.lanes import LaneKind
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from workflows.ids import lane_id
from workflows.models import LADDER_S, LaneInput
from workflows.search_attributes import fair_share, search_attributes
from workflows.task_queues import TaskQueue

LIMIT_S: Final = 1.0
"""How long waking may take. With Temporal down the call alone would block for 9.5 s."""

BREAK_S: Final = 5.0
"""How long nobody tries after a failure."""

_WORKFLOWS: Final = {
    LaneKind.INBOX: "InboxWorkflow",
    LaneKind.PUSH: "PushWorkflow",
    LaneKind.ALERT: "AlertWorkflow",
}

_log = structlog.get_logger(__name__)


class LaneWaker:
    """See `activities.lanes.Waker`.

    Args:
        ladder_s: what a lane that is started climbs when it fails.
    """

    def __init__(
        self, database: Database, client: Client, *, ladder_s: tuple[float, ...] = LADDER_S
    ) -> None:
        self._database = database
        self._client = client
        self._ladder_s = ladder_s
        self._closed_at = 0.0
        self._locks: defaultdict[LaneKey, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._queued: set[LaneKey] = set()

    async def wake(self, tenant_id: int, kind: LaneKind, key: int) -> None:
        """See to it that the lane is drained. Never raises, and takes a second at most."""
        lane = LaneKey(tenant_id, kind, key)
        # A look that has not begun yet will see this row too: it stands for all who come now.
        if self._is_broken() or lane in self._queued:
            return
        self._queued.add(lane)
        ends = asyncio.get_running_loop().time() + LIMIT_S
        try:
            async with asyncio.timeout_at(ends), self._locks[lane]:
                self._queued.discard(lane)
                async with self._database.tenant(tenant_id) as connection:
                    woken = await wake_lane(connection, lane)
        except (TimeoutError, SQLAlchemyError, OSError) as error:
            _log.warning("lane_not_woken", lane=lane.name, error_type=type(error).__name__)
        else:
            if woken is not None:
                await self._tell(lane, woken.provider, ends)
        finally:
            self._queued.discard(lane)
            if not self._locks[lane].locked():
                del self._locks[lane]

    async def insist(self, lane: LaneKey, provider: str | None) -> bool:
        """Tell the workflow, whether or not the lane is awake. False when that failed."""
        if self._is_broken():
            return False
        return await self._tell(lane, provider, asyncio.get_running_loop().time() + LIMIT_S)

    async def _tell(self, lane: LaneKey, provider: str | None, ends: float) -> bool:
        try:
            async with asyncio.timeout_at(ends):
                await self._signal(lane, provider)
        except (TimeoutError, RPCError, RuntimeError) as error:
            self._closed_at = asyncio.get_running_loop().time() + BREAK_S
            _log.warning("lane_not_told", lane=lane.name, error_type=type(error).__name__)
            return False
        self._closed_at = 0.0
        return True

    async def _signal(self, lane: LaneKey, provider: str | None) -> None:
        store_id = lane.store_id
        whose = f"tenant {lane.key}" if store_id is None else f"{provider} store {store_id}"
        await self._client.start_workflow(
            _WORKFLOWS[lane.kind],
            LaneInput(
                tenant_id=lane.tenant_id, kind=lane.kind, key=lane.key, ladder_s=self._ladder_s
            ),
            id=lane_id(lane.kind, lane.key),
            task_queue=TaskQueue.EVENTS.value,
            start_signal="wake",
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=search_attributes(
                tenant_id=lane.tenant_id, store_id=store_id, provider=provider
            ),
            priority=fair_share(lane.tenant_id),
            static_summary=f"{lane.kind.value} of {whose}",
            rpc_timeout=timedelta(seconds=LIMIT_S),
        )

    def _is_broken(self) -> bool:
        """Whether a failure is too recent to try. Who is first after that tries alone."""
        now = asyncio.get_running_loop().time()
        if now < self._closed_at:
            return True
        if self._closed_at:
            self._closed_at = now + LIMIT_S
        return False
