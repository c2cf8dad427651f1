"""`/api/stores/{id}/schedule`: when a store is synced by itself."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from activities.sync_models import SyncKind
from api.answers import json_answer
from api.auth import Principal, SyncsReader, SyncsWriter
from api.connecting import get_store
from api.idempotency import Idempotent
from api.params import StoreId, require_json
from api.problems import NOT_FOUND, ProblemError
from api.scheduling import (
    FIELDS,
    drop_schedules,
    pause_or_resume,
    replace_schedules,
    trigger_now,
)
from api.schemas.schedules import ScheduleAnswer, ScheduleBody, TriggerBody
from api.services import ApiServices, Services
from db.schedules import load_schedules
from db.stores import Store
from domain.schedules import ScheduleSpec

router = APIRouter(prefix="/api/stores", tags=["schedules"])


@router.get("/{store_id}/schedule", summary="Show a store's schedules")
async def show(store_id: StoreId, principal: SyncsReader, services: Services) -> ScheduleAnswer:
    """What is done by itself, and when."""
    store = await get_store(services, principal.tenant_id, store_id)
    return await _view(services, principal.tenant_id, store)


@router.put(
    "/{store_id}/schedule",
    dependencies=[Depends(require_json)],
    summary="Set a store's schedules",
)
async def replace(
    store_id: StoreId, body: ScheduleBody, principal: SyncsWriter, services: Services
) -> ScheduleAnswer:
    """Make the schedules these and no others. While one of a kind runs, the next is skipped."""
    store = await get_store(services, principal.tenant_id, store_id)
    await replace_schedules(services, principal, store, body)
    return await _view(services, principal.tenant_id, store)


@router.delete("/{store_id}/schedule", status_code=204, summary="Delete a store's schedules")
async def delete(store_id: StoreId, principal: SyncsWriter, services: Services) -> Response:
    """Sync nothing by itself any more. Webhooks and pushes go on."""
    store = await get_store(services, principal.tenant_id, store_id)
    await drop_schedules(services, principal, store.id)
    return Response(status_code=204)


@router.post(
    "/{store_id}/schedule/trigger",
    status_code=202,
    response_model=ScheduleAnswer,
    summary="Do now what is scheduled",
)
async def trigger(
    store_id: StoreId,
    principal: SyncsWriter,
    services: Services,
    idempotency: Idempotent,
    body: TriggerBody | None = None,
) -> Response:
    """Start what the schedule starts, now; skipped while the last one runs."""

    async def work() -> Response:
        store = await get_store(services, principal.tenant_id, store_id)
        kind = SyncKind((body or TriggerBody()).kind)
        async with services.database.tenant(principal.tenant_id) as connection:
            held = await load_schedules(connection, store.id)
        if kind.value not in held:
            raise ProblemError(
                NOT_FOUND,
                f"Store {store.id} has no schedule for {kind.value}: set one with "
                f"PUT /api/stores/{store.id}/schedule, or start POST /api/stores/{store.id}/sync.",
            )
        await trigger_now(services, principal, store.id, kind)
        answer = await _view(services, principal.tenant_id, store)
        return json_answer(answer, status_code=202)

    return await idempotency.run(principal, work)


@router.post(
    "/{store_id}/schedule/pause", response_model=ScheduleAnswer, summary="Pause the schedules"
)
async def pause(
    store_id: StoreId, principal: SyncsWriter, services: Services, idempotency: Idempotent
) -> Response:
    """Start nothing by itself until they are resumed."""
    return await idempotency.run(
        principal, lambda: _set_paused(services, principal, store_id, paused=True)
    )


@router.post(
    "/{store_id}/schedule/resume", response_model=ScheduleAnswer, summary="Resume the schedules"
)
async def resume(
    store_id: StoreId, principal: SyncsWriter, services: Services, idempotency: Idempotent
) -> Response:
    """Let the schedules go on; while the store is inactive they rest all the same."""
    return await idempotency.run(
        principal, lambda: _set_paused(services, principal, store_id, paused=False)
    )


async def _set_paused(
    services: ApiServices, principal: Principal, store_id: int, *, paused: bool
) -> Response:
    store = await get_store(services, principal.tenant_id, store_id)
    await pause_or_resume(services, principal, store, paused=paused)
    return json_answer(await _view(services, principal.tenant_id, store))


async def _view(services: ApiServices, tenant_id: int, store: Store) -> ScheduleAnswer:
    async with services.database.tenant(tenant_id) as connection:
        held = await load_schedules(connection, store.id)
    specs = {
        name: ScheduleSpec.model_validate(held[kind.value].spec) if kind.value in held else None
        for kind, name in FIELDS.items()
    }
    is_paused = any(held[kind.value].paused for kind in FIELDS if kind.value in held)
    return ScheduleAnswer.model_validate({"store_id": store.id, "paused": is_paused, **specs})
