"""`GET /api/woocommerce-sync/connection/test`: whether the default store answers."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api.auth import CHALLENGE, Principal, authenticate_if_given
from api.caching import REVALIDATED, conditional
from api.params import EACH_ONCE
from api.problems import FORBIDDEN, NOT_FOUND, UNAUTHENTICATED, ProblemError
from api.schemas.connection import ConnectionAnswer
from api.services import ApiServices, Services
from api.trials import judge, trial_of_stored
from api.woocommerce_sync.default_store import DefaultStore, find_default_store
from api.woocommerce_sync.stores import StoreIdQuery, pick_store
from db.keys import Permission

router = APIRouter(
    prefix="/api/woocommerce-sync", tags=["woocommerce-sync"], dependencies=[EACH_ONCE]
)

_KEEP_FAILURE_S: Final = 5.0

Caller = Annotated[Principal | None, Depends(authenticate_if_given)]


@router.get(
    "/connection/test",
    response_model=ConnectionAnswer,
    responses={**REVALIDATED, 404: {}, 504: {}},
    openapi_extra={"security": [{}]},
    summary="Test the connection to a store",
)
async def show(
    request: Request, caller: Caller, services: Services, store_id: StoreIdQuery = None
) -> Response:
    """Whether the store answers and accepts its credentials, as found out at most a minute ago.

    Without credentials this is about the default store, the one that the server's `WOOCOMMERCE_*`
    variables define, and 404 where there is none. With credentials it is about your own store:
    the one `storeId` names, or the only one you have.
    """
    one = await _pick(services, caller, store_id)

    async def find_out() -> bool:
        return await _is_connected(services, one)

    # By store, whatever else the request says: who varies it makes no further requests to a shop.
    connected = await services.connection_tests.get(
        (one.tenant_id, one.store.id),
        find_out,
        keep_s=services.config.cache_connection_s,
        keep_failure_s=_KEEP_FAILURE_S,
    )
    return conditional(request, ConnectionAnswer(connected=connected).model_dump_json().encode())


async def _pick(
    services: ApiServices, caller: Principal | None, store_id: int | None
) -> DefaultStore:
    if caller is not None:
        if not caller.may(Permission.STORES_READ):
            raise ProblemError(
                FORBIDDEN,
                f"The caller lacks the permission {Permission.STORES_READ.value!r}. Send "
                "credentials that have it, or none for the default store.",
            )
        return DefaultStore(
            caller.tenant_id, await pick_store(services, caller.tenant_id, store_id)
        )
    if store_id is not None:
        raise ProblemError(
            UNAUTHENTICATED,
            "Without credentials only the default store is tested: leave out storeId, or send the "
            "credentials of the store's owner.",
            headers=CHALLENGE,
        )
    found = await find_default_store(services)
    if found is None:
        raise ProblemError(
            NOT_FOUND,
            "There is no default store: set WOOCOMMERCE_SITE_URL, WOOCOMMERCE_CONSUMER_KEY and "
            "WOOCOMMERCE_CONSUMER_SECRET on the server, or send your credentials to test a store "
            "of yours. A store that was just defined is here once the shop has answered.",
        )
    return found


async def _is_connected(services: ApiServices, one: DefaultStore) -> bool:
    async with trial_of_stored(
        services, one.tenant_id, store_id=one.store.id, provider=one.store.provider
    ) as trial:
        verdict = await judge(services, trial)
    return verdict.problem is None
