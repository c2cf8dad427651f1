"""`/api/stores`: connecting, showing, changing and deleting stores."""

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.answers import json_answer
from api.auth import StoresReader, StoresWriter
from api.caching import REVALIDATED, conditional
from api.connecting import (
    change_store,
    connect_store,
    first_import,
    get_store,
    send_catalogue,
)
from api.idempotency import Idempotent
from api.openapi_answers import ASKS_STORE
from api.paging import Cursor, Limit, after_id, next_cursor
from api.params import StoreId, require_json
from api.scheduling import watch_subscriptions
from api.schemas.stores import (
    ChangedStoreAnswer,
    CreatedStoreAnswer,
    CreateStoreBody,
    StoreAnswer,
    StoreListAnswer,
    TestConnectionAnswer,
    UpdateStoreBody,
)
from api.services import Services
from api.stopping import forget_store, leave_shop, stop_workflows
from api.store_settings import gains_pushes
from api.store_views import facts_view, store_view
from api.trials import judge, trial_of_stored
from db.audit import record_audit
from db.stores import delete_store, list_stores, update_store

router = APIRouter(prefix="/api/stores", tags=["stores"])

_LISTING = "stores"
_CONNECTED = "The store answered and accepts the credentials."


@router.post(
    "",
    status_code=201,
    response_model=CreatedStoreAnswer,
    responses=ASKS_STORE,
    dependencies=[Depends(require_json)],
    summary="Connect a store",
)
async def create_store(
    request: Request,
    body: CreateStoreBody,
    principal: StoresWriter,
    services: Services,
    idempotency: Idempotent,
) -> Response:
    """Try the credentials, keep the store if they are right, and start its import if asked.

    Nothing is kept when the store says no. A shop is one store: where it is one already, the
    answer is 409 and names it. Where its store was deleted, it becomes that store again, with its
    id, its records and its field mapping (`returned`).
    """

    async def work() -> Response:
        made = await connect_store(services, principal.tenant_id, body, actor=principal.actor)
        store = made.store
        workflow_id, warning = None, None
        if body.sync:
            workflow_id, warning = await first_import(
                services, principal.tenant_id, made, actor=principal.actor
            )
        await watch_subscriptions(services, principal.tenant_id, store)
        answer = store_view(
            services,
            store,
            CreatedStoreAnswer,
            own_url=str(request.base_url),
            generated_secret=made.generated_secret,
            returned=made.returned,
            workflow_id=workflow_id,
            temporal_ui_url=services.workflow_page(workflow_id),
            warning=warning,
        )
        location = {"Location": f"/api/stores/{store.id}"}
        return json_answer(answer, status_code=201, headers=location)

    return await idempotency.run(principal, work)


@router.get("", summary="List stores", response_model=StoreListAnswer, responses=REVALIDATED)
async def list_(
    request: Request,
    principal: StoresReader,
    services: Services,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Stores that are not deleted, oldest first."""
    after = after_id(_LISTING, cursor)
    async with services.database.tenant(principal.tenant_id) as connection:
        rows = await list_stores(connection, after=after, limit=limit + 1)
    page = rows[:limit]
    own_url = str(request.base_url)
    answer = StoreListAnswer(
        data=[store_view(services, one, StoreAnswer, own_url=own_url) for one in page],
        next_cursor=next_cursor(_LISTING, rows, limit),
    )
    # What stores show of their lanes changes all the time: nothing to keep, but to compare.
    return conditional(request, answer)


@router.get("/{store_id}", summary="Show a store")
async def show(
    request: Request, store_id: StoreId, principal: StoresReader, services: Services
) -> StoreAnswer:
    """A store without its credentials."""
    store = await get_store(services, principal.tenant_id, store_id)
    return store_view(services, store, StoreAnswer, own_url=str(request.base_url))


@router.patch(
    "/{store_id}",
    responses=ASKS_STORE,
    dependencies=[Depends(require_json)],
    summary="Change a store",
)
async def update(
    request: Request,
    store_id: StoreId,
    body: UpdateStoreBody,
    principal: StoresWriter,
    services: Services,
) -> ChangedStoreAnswer:
    """Change the name, the code, the settings, or the connection, which is tried first.

    Of `config`, what is left out stays as it is stored and null takes a field away. A new address
    needs the keys again, and for a store that was imported `storeMoved` too.
    """
    store = await get_store(services, principal.tenant_id, store_id)
    changed, generated = await change_store(
        services, principal.tenant_id, store, body, actor=principal.actor
    )
    if "config" in body.model_fields_set:
        await watch_subscriptions(services, principal.tenant_id, changed, renew=True)
    if gains_pushes(store.settings, changed.settings):
        await send_catalogue(services, principal.tenant_id, changed)
    return store_view(
        services,
        changed,
        ChangedStoreAnswer,
        own_url=str(request.base_url),
        generated_secret=generated,
    )


@router.delete("/{store_id}", status_code=204, summary="Delete a store")
async def delete(store_id: StoreId, principal: StoresWriter, services: Services) -> Response:
    """Take its webhooks away, stop its work, wipe its credentials, free its code.

    Its records stay; the same shop, connected again, is this store again.

    A shop that does not answer keeps its webhooks: they are refused from here
    on, and the shop switches them off.
    """
    await leave_shop(services, principal, store_id)
    async with services.database.tenant(principal.tenant_id) as connection:
        deleted = await delete_store(connection, store_id)
        if deleted:
            await record_audit(
                connection,
                principal.tenant_id,
                principal.actor,
                "store.deleted",
                f"store/{store_id}",
            )
    if not deleted:
        raise problems.not_found(f"store {store_id}", "/api/stores")
    await stop_workflows(services, store_id)
    await forget_store(services, principal.tenant_id, store_id)
    return Response(status_code=204)


@router.post(
    "/{store_id}/test-connection",
    response_model=TestConnectionAnswer,
    responses=ASKS_STORE,
    summary="Try a store's credentials",
)
async def test_connection(
    store_id: StoreId, principal: StoresWriter, services: Services, idempotency: Idempotent
) -> Response:
    """Try the stored credentials now, and keep what the store tells of itself.

    How a store has to be asked can change: after this, imports ask it as the test did.
    """

    async def work() -> Response:
        store = await get_store(services, principal.tenant_id, store_id)
        async with trial_of_stored(
            services, principal.tenant_id, store_id=store.id, provider=store.provider
        ) as trial:
            verdict = await judge(services, trial)
        refused = verdict.problem
        async with services.database.tenant(principal.tenant_id) as connection:
            if refused is None:
                await update_store(connection, store.id, {"facts": dict(verdict.facts)})
            await record_audit(
                connection,
                principal.tenant_id,
                principal.actor,
                "store.connection_tested",
                f"store/{store.id}",
                connected=refused is None,
            )
        answer = TestConnectionAnswer(
            connected=refused is None,
            message=refused.detail if refused else _CONNECTED,
            facts=None if refused else facts_view(verdict.facts),
        )
        return json_answer(answer)

    return await idempotency.run(principal, work)
