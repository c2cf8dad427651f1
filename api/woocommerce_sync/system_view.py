"""How the hub itself stands: Temporal, the processes that run, and what they come to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from api.schemas.woocommerce_status import (
    ProcessAnswer,
    ReasonAnswer,
    StoreStatusAnswer,
    SystemAnswer,
    WooCommerceStatusAnswer,
)
from api.woocommerce_sync.status_view import health_of, worst
from db.processes import SeenProcess
from workflows.task_queues import unserved

_MB: Final = 1_000_000


def hub_status(
    stores: Sequence[StoreStatusAnswer],
    processes: Sequence[SeenProcess],
    *,
    is_temporal_healthy: bool,
    at: datetime,
) -> WooCommerceStatusAnswer:
    """The whole: of the hub and its stores, the worst decides."""
    reasons = [
        *_of_temporal(is_temporal_healthy),
        *_of_workers(processes),
        *_of_stores(stores),
    ]
    return WooCommerceStatusAnswer(
        status=worst([health_of(reasons), *(one.status for one in stores)]),
        reasons=reasons,
        checked_at=at,
        stores=list(stores),
        system=SystemAnswer(
            temporal="healthy" if is_temporal_healthy else "unhealthy",
            processes=[_process(one) for one in processes],
        ),
    )


def _of_temporal(is_healthy: bool) -> list[ReasonAnswer]:
    if is_healthy:
        return []
    return [
        ReasonAnswer(
            severity="down",
            code="temporal-unavailable",
            message="The workflow service does not answer: nothing is synced or worked off.",
            action="See whether Temporal runs: GET /api/health?detailed=true.",
        )
    ]


def _of_workers(processes: Sequence[SeenProcess]) -> list[ReasonAnswer]:
    missing = unserved(one.queues for one in processes)
    if not missing:
        return []
    names = ", ".join(missing)
    if not any(one.queues for one in processes):
        return [
            ReasonAnswer(
                severity="down",
                code="no-worker",
                message="No worker runs: nothing is synced or worked off.",
                action="Start one with `entrepot worker`; system.processes shows it at once.",
            )
        ]
    return [
        ReasonAnswer(
            severity="degraded",
            code="queues-unserved",
            message=f"No worker takes what waits in the task queues: {names}.",
            action=f"Start a worker with ENTREPOT_WORKER_QUEUES={','.join(missing)}.",
        )
    ]


def _of_stores(stores: Sequence[StoreStatusAnswer]) -> list[ReasonAnswer]:
    if stores:
        return []
    return [
        ReasonAnswer(
            severity="notice",
            code="no-store",
            message="There is no WooCommerce store yet.",
            action="Connect one with POST /api/stores.",
        )
    ]


def _process(one: SeenProcess) -> ProcessAnswer:
    return ProcessAnswer(
        name=one.name,
        kind=one.kind.value,
        queues=list(one.queues),
        started_at=one.started_at,
        seen_at=one.seen_at,
        cpu_s=round(one.cpu_s, 1),
        cpu_percent=round(one.cpu_percent, 1),
        memory_mb=round(one.memory_bytes / _MB, 1),
        peak_memory_mb=round(one.peak_memory_bytes / _MB, 1),
        database_connections_in_use=one.connections_in_use,
        database_connections_max=one.connections_max,
    )
