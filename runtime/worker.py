"""The worker: takes work from the task queues until it is told to stop."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.draining import LaneActivities
from activities.registration import build_activities
from activities.stores import StoreOpener
from db.processes import ProcessKind
from runtime.hub import Hub
from runtime.lane_sweeper import LaneSweeper
from runtime.lane_takes import build_takes
from runtime.process_reports import ProcessReports
from runtime.search_attributes import register_search_attributes
from runtime.settings import Settings
from runtime.sweeper import sweep_forever
from workflows.registration import WORKFLOWS, sandboxed_runner
from workflows.task_queues import TaskQueue
from workflows.waking import LaneWaker

DRAIN = timedelta(seconds=5)
"""How long a stopping worker waits for its activities; what is cut short is done again."""

CACHED_WORKFLOWS = 200

HEARTBEAT_THROTTLE = timedelta(seconds=2)
"""How often a heartbeat is sent on. Its answer tells an activity that it was cancelled."""

_log = structlog.get_logger(__name__)


def build_workers(client: Client, hub: Hub, settings: Settings) -> list[Worker]:
    """One worker per task queue of `settings.worker_queues`, each with slots of its own."""
    opener = StoreOpener(
        hub.database, hub.box, hub.registry, hub.session, calls=hub.calls, logged=hub.logged
    )
    waker = _waker(client, hub, settings)
    activities = build_activities(hub.database, opener, waker=waker, public_url=settings.public_url)
    lanes = LaneActivities(hub.database, build_takes(hub, settings, waker), waker)
    work = {
        TaskQueue.INTERACTIVE: (activities.check, settings.slots_interactive),
        TaskQueue.EVENTS: ([lanes.drain_lane], settings.slots_events),
        TaskQueue.PULL: (activities.sync, settings.slots_pull),
        TaskQueue.IMPORT: (activities.sync, settings.slots_import),
    }
    return [_worker(client, queue, *work[queue]) for queue in settings.worker_queues]


def _waker(client: Client, hub: Hub, settings: Settings) -> LaneWaker:
    return LaneWaker(hub.database, client, ladder_s=settings.retry_ladder_s)


def _worker(
    client: Client, queue: TaskQueue, activities: Sequence[Callable[..., Any]], slots: int
) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=activities,
        workflow_runner=sandboxed_runner(),
        max_concurrent_activities=slots,
        max_cached_workflows=CACHED_WORKFLOWS,
        graceful_shutdown_timeout=DRAIN,
        max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
    )


async def run_worker(
    client: Client,
    settings: Settings,
    stop: asyncio.Event,
    *,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Work until `stop` is set, then finish in order. `on_ready` is called once it takes work."""
    hub = Hub.build(settings, pool_size=settings.worker_pool_size, pre_ping=False)
    queues = [queue.value for queue in settings.worker_queues]
    reports = ProcessReports(hub.database, ProcessKind.WORKER, queues)
    try:
        await register_search_attributes(client)
        workers = build_workers(client, hub, settings)
        async with AsyncExitStack() as stack:
            for worker in workers:
                await stack.enter_async_context(worker)
            await reports.report()
            sweeping = asyncio.create_task(_sweep(client, hub, settings, reports))
            _log.info("worker_ready", queues=queues)
            on_ready()
            try:
                await _until(stop, sweeping)
            finally:
                sweeping.cancel()
                # Side by side: one after the other, their drains would add up.
                ends = [worker.shutdown() for worker in workers]
                await asyncio.gather(sweeping, *ends, return_exceptions=True)
                # What the last activities asked of stores is counted too.
                await hub.calls.flush(hub.database)
                await reports.leave()
    finally:
        await hub.close()


async def _sweep(client: Client, hub: Hub, settings: Settings, reports: ProcessReports) -> None:
    lanes = LaneSweeper(hub.database, _waker(client, hub, settings))
    async with asyncio.TaskGroup() as all_the_while:
        all_the_while.create_task(sweep_forever(hub.database))
        all_the_while.create_task(lanes.run())
        all_the_while.create_task(hub.calls.run(hub.database))
        all_the_while.create_task(reports.run())


async def _until(stop: asyncio.Event, sweeping: "asyncio.Task[None]") -> None:
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, sweeping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if sweeping.done():
        sweeping.result()
