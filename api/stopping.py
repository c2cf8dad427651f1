"""Stopping what runs for a store."""

import asyncio

import structlog

from activities.models import StoreRef
from activities.sync_models import SyncKind
from api.auth import Principal
from api.on_record import Intent, Outcome, asking, check_reachable
from api.services import ApiServices
from api.temporal import TemporalUnavailableError
from db.schedules import forget_schedules, load_schedules
from db.stores import find_store
from db.subscriptions import forget_subscriptions, load_subscriptions
from domain.entities import Entity
from workflows.ids import import_id, pull_id, reconcile_id, sync_id

_log = structlog.get_logger(__name__)


UNSUBSCRIBE_S = 8.0
CANCEL_S = 5.0
_LOOK_EVERY_S = 0.1


async def leave_shop(services: ApiServices, principal: Principal, store_id: int) -> None:
    """Best effort: take the store's webhooks away while its credentials are still there."""
    tenant_id = principal.tenant_id
    async with services.database.tenant(tenant_id) as connection:
        store = await find_store(connection, store_id)
        held = await load_subscriptions(connection, store_id)
    if store is None or not held:
        return
    ref = StoreRef(tenant_id=tenant_id, store_id=store_id)
    intent = Intent(tenant_id, principal.actor, "store.unsubscribed", f"store/{store_id}")
    try:
        await check_reachable(services)
        async with asking(services, intent) as asked:
            is_done = await services.temporal.unsubscribe(
                ref, provider=store.provider, timeout_s=UNSUBSCRIBE_S
            )
    except TemporalUnavailableError as error:
        _log.warning("webhooks_not_removed", store_id=store_id, reason=str(error))
        return
    if not is_done:
        await asked.tell(Outcome.UNCLEAR)
        _log.warning("webhooks_not_removed", store_id=store_id, reason="the shop did not do it")


async def forget_store(services: ApiServices, tenant_id: int, store_id: int) -> None:
    """Best effort: delete the schedules of a deleted store. One that is left starts syncs that
    find the store gone and do nothing."""
    kinds = [kind.value for kind in SyncKind]
    async with services.database.tenant(tenant_id) as connection:
        held = await load_schedules(connection, store_id)
        await forget_schedules(connection, store_id, kinds)
        await forget_subscriptions(connection, store_id)
    try:
        for kind in held:
            await services.temporal.delete_schedule(store_id, SyncKind(kind))
    except TemporalUnavailableError as error:
        _log.warning("schedules_not_deleted", store_id=store_id, reason=str(error))


async def stop_workflows(services: ApiServices, store_id: int) -> None:
    """Best effort: work that goes on finds the store gone at its next step and ends.

    Syncs that a schedule started have its time in their ids; their pulls are stopped here, and
    they with them.
    """
    workflow_ids = [
        import_id(store_id),
        *(sync_id(store_id, kind.value) for kind in SyncKind),
        *(reconcile_id(store_id, entity) for entity in Entity),
        *(pull_id(store_id, entity) for entity in Entity),
    ]
    try:
        for workflow_id in workflow_ids:
            await services.temporal.cancel(workflow_id)
    except TemporalUnavailableError as error:
        _log.warning("workflows_not_stopped", store_id=store_id, reason=str(error))


async def wait_for_end(services: ApiServices, workflow_id: str) -> None:
    """Wait until a workflow that was cancelled is done, `CANCEL_S` seconds at most.

    Raises:
        TemporalUnavailableError: it could not be asked.
    """
    for _ in range(int(CANCEL_S / _LOOK_EVERY_S)):
        if not await services.temporal.is_running(workflow_id):
            return
        await asyncio.sleep(_LOOK_EVERY_S)
