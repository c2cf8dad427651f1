"""`/api/stores/connect`: connecting a store by a link that is opened in the shop."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.answers import json_answer
from api.auth import StoresWriter
from api.idempotency import Idempotent
from api.install_link import Callback, finish, recognise, start
from api.params import require_json
from api.problems import ProblemError
from api.schemas.connect import ConnectedAnswer, StartConnectAnswer, StartConnectBody
from api.services import Services
from db.audit import Actor, ActorKind
from domain.errors import ConflictError

router = APIRouter(prefix="/api/stores/connect", tags=["stores"])

Slug = Annotated[str, Path(max_length=50, description="A slug of GET /api/providers")]
Token = Annotated[str, Path(min_length=20, max_length=100)]

_LONGEST_CALLBACK: Final = 10_000
_PREFLIGHT_S: Final = 600


@router.post(
    "/{provider}/start",
    status_code=201,
    response_model=StartConnectAnswer,
    dependencies=[Depends(require_json)],
    summary="Start connecting a store by a link",
)
async def start_connecting(
    request: Request,
    provider: Slug,
    body: StartConnectBody,
    principal: StoresWriter,
    services: Services,
    idempotency: Idempotent,
) -> Response:
    """Make a link for the shop's owner to open.

    Who opens it and consents gives the hub a key: the shop's own page brings it to a one-time
    address, where it is tried before the store is kept. GET /api/stores then shows the store.
    Webhook secrets do not come this way; enter them afterwards with PATCH /api/stores/{id}.
    """

    async def work() -> Response:
        started = await start(services, principal, provider, body, own_url=str(request.base_url))
        answer = StartConnectAnswer(
            install_url=started.install_url,
            expires_at=started.expires_at,
            reachable=started.unreachable_reason is None,
            unreachable_reason=started.unreachable_reason,
        )
        return json_answer(answer, status_code=201)

    return await idempotency.run(principal, work)


@router.options("/{token}", include_in_schema=False)
async def allow(token: Token, services: Services) -> Response:
    """The preflight of the shop's page (CORS protocol, WHATWG Fetch)."""
    callback = await recognise(services, token)
    asked = {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "content-type",
        "Access-Control-Max-Age": str(_PREFLIGHT_S),
    }
    return Response(status_code=204, headers={**_shared(callback), **asked})


@router.post("/{token}", include_in_schema=False)
async def take_key(request: Request, token: Token, services: Services) -> Response:
    """Take the key that the shop's page brings. The page may read the answer, and no other may."""
    callback = await recognise(services, token)
    try:
        _check_origin(request, callback)
        body = await request.body()
        if len(body) > _LONGEST_CALLBACK:
            detail = f"A callback has at most {_LONGEST_CALLBACK} bytes."
            raise ProblemError(problems.TOO_LARGE, detail)
        store = await finish(services, callback, body, actor=_shop(request, callback))
    except ProblemError as error:
        error.headers.update(_shared(callback))
        raise
    except ConflictError as error:
        raise ProblemError(problems.CONFLICT, str(error), headers=_shared(callback)) from None
    answer = ConnectedAnswer(connected=True, message=f"{store.name} is connected.")
    return json_answer(answer, headers=_shared(callback))


def _shop(request: Request, callback: Callback) -> Actor:
    address = request.client.host if request.client else ""
    request_id = getattr(request.state, "request_id", "")
    return Actor(ActorKind.SHOP, None, callback.known.provider, address, request_id)


def _shared(callback: Callback) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": callback.provider.install_origin, "Vary": "Origin"}


def _check_origin(request: Request, callback: Callback) -> None:
    """A browser names the page that asks; what is no browser names none."""
    origin = request.headers.get("origin")
    if origin is not None and origin != callback.provider.install_origin:
        raise ProblemError(problems.FORBIDDEN, "This page may not bring a key.")
