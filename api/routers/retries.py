"""`/api/stores/{id}/retry-failed-sync`: trying again what was given up."""

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from api.auth import Principal, SyncsWriter
from api.connecting import get_store
from api.imports import start_import
from api.params import StoreId
from api.problems import CONFLICT, ProblemError
from api.schemas.alerts import RetryAnswer, RetryBody
from api.services import ApiServices, Services
from db.audit import record_audit
from db.retries import Retried, retry_all, retry_rows
from db.stores import Store
from domain.lanes import LaneKind

router = APIRouter(prefix="/api/stores", tags=["syncs"])


@router.post("/{store_id}/retry-failed-sync", summary="Retry what failed")
async def retry_failed_sync(
    store_id: StoreId,
    principal: SyncsWriter,
    services: Services,
    body: RetryBody | None = None,
) -> RetryAnswer:
    """Make what failed due again: everything of the store, or the named rows.

    Lanes that were paused go on, and a failed import goes on where it was. Doing it twice is the
    same as once.
    """
    store = await get_store(services, principal.tenant_id, store_id)
    if not store.is_active:
        raise ProblemError(
            CONFLICT,
            f"Store {store_id} is not active: activate it with "
            f"PATCH /api/stores/{store_id}/activate, which also brings it up to date.",
        )

    async def work(connection: AsyncConnection) -> Retried:
        if body is None or (body.push_ids is None and body.webhook_event_ids is None):
            retried = await retry_all(connection, principal.tenant_id, store_id)
        else:
            retried = await retry_rows(
                connection,
                principal.tenant_id,
                store_id,
                push_ids=body.push_ids or (),
                event_ids=body.webhook_event_ids or (),
            )
        await record_audit(
            connection,
            principal.tenant_id,
            principal.actor,
            "store.retried",
            f"store/{store_id}",
            pushes=retried.pushes,
            webhookEvents=retried.events,
        )
        return retried

    retried = await services.database.transact(principal.tenant_id, work)
    for kind in (LaneKind.INBOX, LaneKind.PUSH):
        await services.waker.wake(principal.tenant_id, kind, store_id)
    return RetryAnswer(
        pushes=retried.pushes,
        webhook_events=retried.events,
        resumed_lanes=list(retried.lanes),
        alerts_resolved=retried.alerts,
        import_workflow_id=await _restarted_import(services, principal, store, retried),
    )


async def _restarted_import(
    services: ApiServices, principal: Principal, store: Store, retried: Retried
) -> str | None:
    if not retried.has_failed_import:
        return None
    started = await start_import(services, principal.tenant_id, store, actor=principal.actor)
    return started.workflow_id
