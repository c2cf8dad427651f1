"""`/api/stores/{id}/activate|deactivate`: an inactive store gets and gives nothing."""

from functools import partial

import structlog
from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from activities.sync_models import SyncKind
from api.auth import Principal, StoresWriter
from api.connecting import get_store
from api.on_record import check_reachable
from api.params import StoreId
from api.scheduling import (
    rest_schedules,
    start_sync,
    sync_input,
    unavailable,
    watch_subscriptions,
)
from api.schemas.schedules import ActivationAnswer
from api.services import ApiServices, Services
from api.stopping import stop_workflows
from api.store_views import store_view
from api.temporal import TemporalUnavailableError
from db.audit import record_audit
from db.initial_push import enqueue_catalogue
from db.lane_failures import resume_store_lanes
from db.schedules import load_schedules
from db.stores import Store, set_active
from domain.lanes import LaneKind

_log = structlog.get_logger(__name__)

router = APIRouter(prefix="/api/stores", tags=["stores"])


@router.patch("/{store_id}/activate", summary="Activate a store")
async def activate(
    request: Request, store_id: StoreId, principal: StoresWriter, services: Services
) -> ActivationAnswer:
    """Let it take part again, and bring it up to date from where it was.

    Changes in the shop are pulled since the last cursor, events that waited are worked off, and
    what the store lacks is sent. Doing it twice is the same as once: the second time finds nothing.
    """
    store = await get_store(services, principal.tenant_id, store_id)
    async with services.database.tenant(principal.tenant_id) as connection:
        held = await load_schedules(connection, store.id)
    try:
        if held:  # with Temporal down nothing is changed
            await check_reachable(services)
        begin_again = partial(_begin_again, principal, store)
        await services.database.transact(principal.tenant_id, begin_again)
        # For an active store too: the first time may have been cut short behind its commit.
        await rest_schedules(services, store.id, held, resting=False)
    except TemporalUnavailableError as error:
        raise unavailable(error) from error
    for kind in (LaneKind.INBOX, LaneKind.PUSH):
        await services.waker.wake(principal.tenant_id, kind, store.id)
    workflow_id, warning = await _catch_up(services, principal, store)
    await watch_subscriptions(services, principal.tenant_id, store)
    return await _view(
        request, services, principal.tenant_id, store_id, workflow_id=workflow_id, warning=warning
    )


@router.patch("/{store_id}/deactivate", summary="Deactivate a store")
async def deactivate(
    request: Request, store_id: StoreId, principal: StoresWriter, services: Services
) -> ActivationAnswer:
    """Stop its work; nothing is sent to it or taken from it.

    Events of the shop are accepted and wait, and so do changes for it. Nothing is lost. Doing it
    twice is the same as once.
    """
    store = await get_store(services, principal.tenant_id, store_id)
    if store.is_active:
        async with services.database.tenant(principal.tenant_id) as connection:
            await set_active(connection, store.id, is_active=False)
            await _record(connection, principal, "store.deactivated", store)
            held = await load_schedules(connection, store.id)
        await stop_workflows(services, store.id)
        try:
            await rest_schedules(services, store.id, held, resting=True)
        except TemporalUnavailableError as error:
            _log.warning("schedules_not_paused", store_id=store.id, reason=str(error))
    return await _view(request, services, principal.tenant_id, store_id)


async def _begin_again(principal: Principal, store: Store, connection: AsyncConnection) -> None:
    # Lanes before their store: drains that fail lock them in this order.
    await resume_store_lanes(connection, principal.tenant_id, store.id)
    await set_active(connection, store.id, is_active=True)
    await enqueue_catalogue(connection, principal.tenant_id, store.id, missing_only=True)
    if not store.is_active:
        await _record(connection, principal, "store.activated", store)


async def _record(
    connection: AsyncConnection, principal: Principal, action: str, store: Store
) -> None:
    subject = f"store/{store.id}"
    await record_audit(connection, principal.tenant_id, principal.actor, action, subject)


async def _catch_up(
    services: ApiServices, principal: Principal, store: Store
) -> tuple[str | None, str | None]:
    args = sync_input(
        services, principal.tenant_id, store, SyncKind.PULL, entities=_entities(services, store)
    )
    try:
        started = await start_sync(services, principal, args)
    except TemporalUnavailableError as error:
        _log.warning("catch_up_not_started", store_id=store.id, reason=str(error))
        return None, (
            "The store is active, but the sync that brings it up to date could not be started "
            "because the workflow service does not answer. Start it with "
            f"POST /api/stores/{store.id}/sync."
        )
    return started.workflow_id, None


def _entities(services: ApiServices, store: Store) -> tuple[str, ...]:
    """All of them: named, they are read whether they are due or not."""
    return tuple(one.value for one in services.registry.get(store.provider).manifest.entities)


async def _view(
    request: Request,
    services: ApiServices,
    tenant_id: int,
    store_id: int,
    *,
    workflow_id: str | None = None,
    warning: str | None = None,
) -> ActivationAnswer:
    return store_view(
        services,
        await get_store(services, tenant_id, store_id),
        ActivationAnswer,
        own_url=str(request.base_url),
        workflow_id=workflow_id,
        warning=warning,
    )
