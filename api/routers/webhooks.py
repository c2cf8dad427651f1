"""Where shops send their webhooks. Open to anybody: what counts is the signature.

These routes skip what FastAPI does for a request (dependencies, validation of the body): there is
nothing to validate before a signature is.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, cast

from fastapi import APIRouter, Path
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.ingress import Arrival, Ingress
from api.ingress_doors import Door
from api.schemas.webhooks import RECEIVED, ReceivedAnswer
from domain.deliveries import Delivery

_LONGEST_NAME = 200


class _RawRoute(APIRoute):
    """Hands the request to the endpoint as it is, with the path's parameters as text."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            return cast("Response", await endpoint(request, **request.path_params))

        return handle


# A signature that is wrong, an address that may not send, a body that is slow or too large.
_REFUSALS: dict[int | str, dict[str, Any]] = {401: {}, 403: {}, 408: {}, 413: {}}

router = APIRouter(prefix="/api", tags=["webhooks"], route_class=_RawRoute, responses=_REFUSALS)

StoreCode = Annotated[
    str, Path(max_length=_LONGEST_NAME, description="The code in the store's webhook addresses")
]
ProviderSlug = Annotated[
    str, Path(max_length=_LONGEST_NAME, description="As GET /api/providers names it")
]
Event = Annotated[
    str, Path(max_length=_LONGEST_NAME, description="The provider's topic, such as `order.updated`")
]
OrganizationId = Annotated[
    str, Path(max_length=_LONGEST_NAME, description="The tenant's public id, `org_…`")
]


@router.post(
    "/stores/webhooks/{store_code}",
    response_model=ReceivedAnswer,
    summary="Receive a store's webhook",
)
async def receive(request: Request, store_code: StoreCode) -> Response:
    """Any webhook of the store, signed as its provider signs. 200 means that it is kept."""
    return await _at_store(request, store_code, "generic")


@router.post(
    "/stores/webhooks/{store_code}/newOrder",
    response_model=ReceivedAnswer,
    summary="Receive a new order",
)
@router.put(
    "/stores/webhooks/{store_code}/newOrder",
    response_model=ReceivedAnswer,
    summary="Receive a new order",
)
async def receive_order(request: Request, store_code: StoreCode) -> Response:
    """For providers that send each kind of webhook to an address of its own."""
    return await _at_store(request, store_code, "newOrder")


@router.post(
    "/stores/webhooks/{store_code}/orderStatus",
    response_model=ReceivedAnswer,
    summary="Receive an order's new status",
)
@router.put(
    "/stores/webhooks/{store_code}/orderStatus",
    response_model=ReceivedAnswer,
    summary="Receive an order's new status",
)
async def receive_order_status(request: Request, store_code: StoreCode) -> Response:
    """For providers that send each kind of webhook to an address of its own."""
    return await _at_store(request, store_code, "orderStatus")


@router.post(
    "/{provider}-sync/webhook/{event}",
    response_model=ReceivedAnswer,
    summary="Receive a webhook by its event",
)
async def receive_event(request: Request, provider: ProviderSlug, event: Event) -> Response:
    """The shop's address in the headers says which stores it may be for, the signature decides."""
    arrival = await _arrival(request, "event", event)
    return _received(request, await _ingress(request).receive_by_source(provider, arrival))


@router.post(
    "/webhooks/{provider}/{organization_id}",
    response_model=ReceivedAnswer,
    summary="Receive a webhook for an organization",
)
async def receive_for_organization(
    request: Request, provider: ProviderSlug, organization_id: OrganizationId
) -> Response:
    """For one of the organization's stores, the signature decides which.

    Takes what the shop itself sends, and a plug-in's `{"topic": …, "data": …}`.
    """
    arrival = await _arrival(request, "generic")
    ingress = _ingress(request)
    return _received(
        request, await ingress.receive_for_organization(provider, organization_id, arrival)
    )


async def _at_store(request: Request, code: str, route: str) -> Response:
    arrival = await _arrival(request, route)
    return _received(request, await _ingress(request).receive(code[:_LONGEST_NAME], arrival))


def _ingress(request: Request) -> Ingress:
    return cast("Ingress", request.app.state.ingress)


async def _arrival(request: Request, route: str, topic: str = "") -> Arrival:
    headers = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]
    }
    client = request.scope.get("client")
    return Arrival(
        Delivery(route, headers, await request.body(), topic[:_LONGEST_NAME]),
        client[0] if client else "",
    )


def _received(request: Request, door: Door | None) -> Response:
    if door is not None:
        request.state.tenant_id = door.tenant_id
    return Response(RECEIVED, media_type="application/json")
