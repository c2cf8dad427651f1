"""Starting, watching and stopping imports."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from activities.sync_models import SyncKind
from api import problems
from api.answers import json_answer
from api.auth import Principal, SyncsReader, SyncsWriter
from api.connecting import get_store
from api.dry_runs import start_dry_import, start_dry_sync
from api.idempotency import Idempotent
from api.imports import start_import, started_view, status_path
from api.on_record import Intent, Outcome, asking
from api.paging import Cursor, Limit, decode_cursor, encode_cursor, next_cursor, read_id
from api.params import StoreId, WorkflowId
from api.problems import CONFLICT, ProblemError
from api.scheduling import start_sync, sync_input, unavailable
from api.schemas.base import MAX_ID
from api.schemas.schedules import SyncBody
from api.schemas.syncs import (
    CancelAnswer,
    ImportBody,
    StartedImportAnswer,
    Status,
    SyncDetailAnswer,
    SyncListAnswer,
    SyncLogListAnswer,
    SyncStatusAnswer,
)
from api.services import ApiServices, Services
from api.sync_subjects import get_subject, no_sync
from api.sync_views import (
    entities_view,
    load_latest,
    load_pushed,
    log_views,
    progress_view,
    run_view,
    status_view,
)
from api.temporal import TemporalUnavailableError
from db.read_syncs import RunFilter, list_logs, list_runs
from db.stores import Store, find_store
from domain.statuses import SyncStatus
from workflows.ids import import_id

router = APIRouter(prefix="/api", tags=["syncs"])

_RUNS = "syncs"
_LOGS = "sync-logs"


@router.post(
    "/stores/{store_id}/import",
    status_code=202,
    response_model=StartedImportAnswer,
    summary="Import a store",
)
async def import_store(
    store_id: StoreId,
    principal: SyncsWriter,
    services: Services,
    idempotency: Idempotent,
    body: ImportBody | None = None,
) -> Response:
    """Start the import of everything in the store, or find the one that is running.

    A dry run does nothing but tell what an import would change now.
    """

    async def work() -> Response:
        store = await get_store(services, principal.tenant_id, store_id)
        if body is not None and body.dry_run:
            return await start_dry_import(services, principal, store)
        started = await start_import(services, principal.tenant_id, store, actor=principal.actor)
        answer = started_view(services, started)
        return json_answer(answer, status_code=202, headers={"Location": answer.status_url})

    return await idempotency.run(principal, work)


@router.post(
    "/stores/{store_id}/sync",
    status_code=202,
    response_model=StartedImportAnswer,
    summary="Sync a store now",
)
async def sync_store(
    store_id: StoreId,
    principal: SyncsWriter,
    services: Services,
    idempotency: Idempotent,
    body: SyncBody | None = None,
) -> Response:
    """Take in what changed since the last time, or compare everything, or find what is running.

    One of the same `kind` that runs goes on as it was asked for; `warning` says so.
    """

    async def work() -> Response:
        store = await get_store(services, principal.tenant_id, store_id)
        asked = body or SyncBody()
        if asked.dry_run:
            return await start_dry_sync(services, principal, store, asked)
        if not store.is_active:
            raise ProblemError(
                CONFLICT,
                f"Store {store.id} is not active: activate it with "
                f"PATCH /api/stores/{store.id}/activate, which also brings it up to date.",
            )
        args = sync_input(
            services,
            principal.tenant_id,
            store,
            SyncKind(asked.kind),
            entities=asked.entities,
            force=asked.force,
        )
        try:
            started = await start_sync(services, principal, args)
        except TemporalUnavailableError as error:
            raise unavailable(error) from error
        unheard = [name for name in ("force", "entities") if getattr(asked, name)]
        answer = started_view(services, started, unheard=unheard)
        return json_answer(answer, status_code=202, headers={"Location": answer.status_url})

    return await idempotency.run(principal, work)


@router.get("/stores/{store_id}/sync-status", summary="Where a store's sync is")
async def sync_status(
    store_id: StoreId, principal: SyncsReader, services: Services
) -> SyncStatusAnswer:
    """The store's sync status, and the counts of its latest import."""
    store = await get_store(services, principal.tenant_id, store_id)
    latest = await load_latest(services, principal.tenant_id, store, import_id(store.id))
    return status_view(services, store, latest)


@router.get("/stores/{store_id}/sync-logs", summary="What happened to a store")
async def sync_logs(
    store_id: StoreId,
    principal: SyncsReader,
    services: Services,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SyncLogListAnswer:
    """The store's log, newest first, with the records that were set aside and why."""
    before = decode_cursor(_LOGS, cursor, _read_log_position)
    async with services.database.tenant(principal.tenant_id) as connection:
        if await find_store(connection, store_id) is None:
            raise problems.not_found(f"store {store_id}", "/api/stores")
        rows = await list_logs(connection, store_id, before=before, limit=limit + 1)
        page = rows[:limit]
        views = await log_views(connection, page)
    following = None
    if len(rows) > limit:
        moment = page[-1].created_at.astimezone(UTC).isoformat()
        following = encode_cursor(_LOGS, moment, page[-1].id)
    return SyncLogListAnswer(data=views, next_cursor=following)


@router.get("/syncs", summary="List runs")
async def list_(
    principal: SyncsReader,
    services: Services,
    store_id: Annotated[int | None, Query(alias="storeId", ge=1, le=MAX_ID)] = None,
    status: Annotated[Status | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SyncListAnswer:
    """Runs of all your stores, newest first."""
    wanted = RunFilter(store_id, status, decode_cursor(_RUNS, cursor, read_id))
    async with services.database.tenant(principal.tenant_id) as connection:
        if store_id is not None and await find_store(connection, store_id) is None:
            raise problems.not_found(f"store {store_id}", "/api/stores")
        rows = await list_runs(connection, wanted, limit=limit + 1)
    page = rows[:limit]
    return SyncListAnswer(
        data=[run_view(services, one) for one in page],
        next_cursor=next_cursor(_RUNS, rows, limit),
    )


@router.post(
    "/syncs/{workflow_id:path}/cancel",
    status_code=202,
    response_model=CancelAnswer,
    summary="Stop a running import",
)
async def cancel(
    workflow_id: WorkflowId, principal: SyncsWriter, services: Services, idempotency: Idempotent
) -> Response:
    """Ask it to stop. What it has brought in stays, and the next import goes on from there.

    What it has handed to the store's outbox to be sent stays there too, and is sent: some of it may
    have been due anyway.
    """

    async def work() -> Response:
        store = await get_subject(services, principal.tenant_id, workflow_id)
        if not await _cancel(services, principal, store, workflow_id):
            raise ProblemError(
                CONFLICT, f"{workflow_id} is not running, so there is nothing to cancel."
            )
        latest = await load_latest(services, principal.tenant_id, store, workflow_id)
        pushed = await load_pushed(services, principal.tenant_id, latest.run)
        answer = CancelAnswer(
            workflow_id=workflow_id,
            cancel_requested=True,
            status_url=status_path(workflow_id),
            pushes_waiting=sum(one.waiting for one in pushed.values()),
        )
        return json_answer(answer, status_code=202)

    return await idempotency.run(principal, work)


async def _cancel(
    services: ApiServices, principal: Principal, store: Store, workflow_id: str
) -> bool:
    if not await services.temporal.is_running(workflow_id):
        return False
    intent = Intent(
        principal.tenant_id,
        principal.actor,
        "sync.cancelled",
        f"store/{store.id}",
        {"workflowId": workflow_id},
    )
    async with asking(services, intent) as asked:
        is_asked = await services.temporal.cancel(workflow_id)
    if not is_asked:
        await asked.tell(Outcome.NOT_RUNNING)
    return is_asked


@router.get("/syncs/{workflow_id:path}", summary="Show a run")
async def show(
    workflow_id: WorkflowId, principal: SyncsReader, services: Services
) -> SyncDetailAnswer:
    """The latest run of this workflow; while it runs, with what the workflow says of itself."""
    store = await get_subject(services, principal.tenant_id, workflow_id)
    latest = await load_latest(services, principal.tenant_id, store, workflow_id)
    run = latest.run
    if run is None and not latest.is_starting:
        raise no_sync(workflow_id)
    status = run.status if run else SyncStatus.PENDING.value
    progress = None
    if status in {SyncStatus.PENDING, SyncStatus.IN_PROGRESS}:
        progress = await services.temporal.query_progress(workflow_id)
    return SyncDetailAnswer.model_validate(
        {
            "workflow_id": workflow_id,
            "store_id": store.id,
            "status": status,
            "temporal_ui_url": services.workflow_page(workflow_id),
            "run": run_view(services, run) if run else None,
            "entities": entities_view(latest.progress),
            "progress": progress_view(progress),
            "pushed": await load_pushed(services, principal.tenant_id, run),
        }
    )


def _read_log_position(parts: Sequence[object]) -> tuple[datetime, int]:
    moment, log_id = parts
    if not isinstance(moment, str):
        raise TypeError("not a time")
    position = datetime.fromisoformat(moment)
    if position.tzinfo is None:
        raise ValueError("a time without a zone")
    return position, read_id([log_id])
