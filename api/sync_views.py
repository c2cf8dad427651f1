"""From rows about runs to their bodies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from api.schemas.syncs import (
    EntityAnswer,
    ProgressAnswer,
    RejectionAnswer,
    SyncAnswer,
    SyncLogAnswer,
    SyncStatusAnswer,
)
from api.services import ApiServices
from api.temporal import TemporalUnavailableError
from db.demanded_pushes import PushProgress, count_all
from db.read_syncs import (
    EntityProgress,
    Rejections,
    SyncLog,
    SyncRun,
    find_latest_run,
    load_progress,
    load_rejections,
)
from db.stores import Store
from domain.entities import Entity
from domain.statuses import SyncStatus
from workflows.ids import import_id, parse_id
from workflows.models import ImportProgress

_ACTION_PREFIX = "sync_"


def run_view(services: ApiServices, run: SyncRun) -> SyncAnswer:
    """A run."""
    return SyncAnswer.model_validate(
        {
            **{name: getattr(run, name) for name in SyncRun.__dataclass_fields__},
            "run_id": run.workflow_run_id,
            "dry_run": run.is_dry,
            "temporal_ui_url": services.workflow_page(run.workflow_id),
        }
    )


def entities_view(progress: Mapping[str, EntityProgress]) -> dict[str, EntityAnswer]:
    """Entities in the order in which they are imported."""
    order = {entity.value: place for place, entity in enumerate(Entity)}
    names = sorted(progress, key=lambda name: order.get(name, len(order)))
    return {name: EntityAnswer.model_validate(progress[name]) for name in names}


def progress_view(progress: ImportProgress | None) -> ProgressAnswer | None:
    """What the workflow says."""
    if progress is None:
        return None
    return ProgressAnswer(
        phase=progress.phase,
        round=progress.round,
        entities={entity.value: one.model_dump() for entity, one in progress.entities.items()},
    )


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest run of a workflow id, or that a newer one `is_starting` and has no row yet."""

    run: SyncRun | None
    progress: Mapping[str, EntityProgress]
    is_starting: bool


async def load_latest(services: ApiServices, tenant_id: int, store: Store, key: str) -> Latest:
    """The latest run of the store's workflow `key`, with what it did.

    A workflow that was just started has no row yet; without this its predecessor's success would
    pass for its own.
    """
    async with services.database.tenant(tenant_id) as connection:
        run = await find_latest_run(connection, workflow_id=key)
        progress = {} if run is None else await load_progress(connection, run.id)
    known = run if _is_demand(key) else None
    if _may_be_superseded(store, run, key) and await _is_running(services, key, but=known):
        return Latest(None, {}, is_starting=True)
    return Latest(run, progress, is_starting=False)


async def load_pushed(
    services: ApiServices, tenant_id: int, run: SyncRun | None
) -> Mapping[str, PushProgress]:
    """What became of what a run was to send, by entity."""
    if run is None:
        return {}
    async with services.database.tenant(tenant_id) as connection:
        return await count_all(connection, run.id)


async def _is_running(services: ApiServices, workflow_id: str, *, but: SyncRun | None) -> bool:
    """Whether a run of the workflow is under way, other than the one whose row is known."""
    try:
        running = await services.temporal.running_run(workflow_id)
    except TemporalUnavailableError:
        return False
    return running is not None and (but is None or running != but.workflow_run_id)


def _may_be_superseded(store: Store, run: SyncRun | None, key: str) -> bool:
    if run is None:
        return True
    if run.status == SyncStatus.IN_PROGRESS:
        return False
    # The store shows that an import was started. Of what is asked for again, it shows nothing.
    is_waiting = key == import_id(store.id) and store.sync_status == SyncStatus.PENDING
    return is_waiting or _is_demand(key)


def _is_demand(key: str) -> bool:
    return parse_id(key).kind == "demand"


def status_view(services: ApiServices, store: Store, latest: Latest) -> SyncStatusAnswer:
    """A store's sync and its latest import."""
    run = latest.run
    workflow_id = import_id(store.id) if run or latest.is_starting else None
    return SyncStatusAnswer.model_validate(
        {
            "store_id": store.id,
            "sync_status": store.sync_status,
            "last_sync_error": store.last_sync_error,
            "sync_retry_count": store.sync_retry_count,
            "last_sync_attempt_at": store.last_sync_attempt_at,
            "next_retry_at": store.next_retry_at,
            "workflow_id": workflow_id,
            "temporal_ui_url": services.workflow_page(workflow_id),
            "started_at": run.started_at if run else None,
            "finished_at": run.finished_at if run else None,
            "entities": entities_view(latest.progress),
        }
    )


async def log_views(connection: AsyncConnection, logs: Sequence[SyncLog]) -> list[SyncLogAnswer]:
    """Lines of a log with what they set aside: one statement."""
    wanted = [key for log in logs if (key := _subject(log)) is not None]
    rejections = await load_rejections(connection, wanted)
    return [_log_view(log, rejections) for log in logs]


def _subject(log: SyncLog) -> tuple[int, str] | None:
    """The run and entity that a line is about: its action is `sync_products` and the like."""
    if log.run_id is None or not log.action.startswith(_ACTION_PREFIX):
        return None
    return log.run_id, log.action.removeprefix(_ACTION_PREFIX)


def _log_view(log: SyncLog, rejections: Mapping[tuple[int, str], Rejections]) -> SyncLogAnswer:
    subject = _subject(log)
    found = rejections.get(subject) if subject else None
    return SyncLogAnswer.model_validate(
        {
            **{name: getattr(log, name) for name in SyncLog.__dataclass_fields__},
            "rejected": [RejectionAnswer.model_validate(one) for one in found.shown]
            if found
            else [],
            "rejected_total": found.total if found else 0,
        }
    )
