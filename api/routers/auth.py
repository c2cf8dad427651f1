"""`/api/auth`: logging in, carrying a session on, logging out, and who one is."""

from typing import Any, Final

from fastapi import APIRouter, Depends
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.answers import json_answer
from api.auth import CHALLENGE, AnyCaller, Sent, authenticate_if_given
from api.logins import LoginFailedError, Sender, log_in, log_out, note_failed_login, renew
from api.params import says_json
from api.problems import ProblemError
from api.schemas.auth import CallerAnswer, LoginAnswer, LoginBody, LogoutBody, RefreshBody
from api.services import Services
from db.audit import ActorKind
from db.tenants import get_tenant
from db.users import get_user

router = APIRouter(prefix="/api/auth", tags=["auth"])

_NOT_ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {401: {}}
"""Of routes that nobody has to be known for: what they are sent is what is not accepted."""


@router.post(
    "/login",
    response_model=LoginAnswer,
    responses=_NOT_ACCEPTED,
    dependencies=[Depends(says_json)],
    summary="Log in",
)
async def login(request: Request, body: LoginBody, services: Services) -> Response:
    """Open a session with an e-mail address and a password.

    An unknown address, a wrong password and a closed account are answered alike. After some
    failures, logins of that account and from that address have to wait (429).
    """
    sender = Sender.of(request)
    try:
        answer = await log_in(services, sender, body.email, body.password)
    except LoginFailedError as failed:
        refusal = problems.render(failed, instance=request.url.path)
        refusal.background = BackgroundTask(note_failed_login, services, sender, failed)
        return refusal
    return json_answer(answer)


@router.post(
    "/refresh",
    responses=_NOT_ACCEPTED,
    dependencies=[Depends(says_json)],
    summary="Carry a session on",
)
async def refresh(request: Request, body: RefreshBody, services: Services) -> LoginAnswer:
    """Exchange a refresh token for the next pair of tokens.

    It is good once. One that comes a second time was copied by somebody, so its session ends and
    everybody in it has to log in again.
    """
    return await renew(services, Sender.of(request), body.refresh_token)


@router.post("/logout", status_code=204, summary="Log out", openapi_extra={"security": [{}]})
async def logout(
    request: Request,
    services: Services,
    sent: Sent,
    body: LogoutBody | None = None,
) -> None:
    """End the session of the access token, or that of a refresh token in the body.

    Both kinds of tokens stop working with the next request. A session that has ended is no error,
    and with a refresh token neither is an access token whose time is up.
    """
    token = body.refresh_token if body else None
    try:
        principal = await authenticate_if_given(request, services, sent)
    except ProblemError as refused:
        if token is None or sent.token is None or refused.kind is not problems.UNAUTHENTICATED:
            raise
        principal = None
    if principal is None and token is None:
        raise ProblemError(
            problems.UNAUTHENTICATED,
            "Send the accessToken in Authorization: Bearer, or the refreshToken in the body.",
            headers=CHALLENGE,
        )
    if principal is not None and principal.session_id is None and token is None:
        raise ProblemError(
            problems.BAD_REQUEST,
            "An API key has no session to end. DELETE /api/keys/{id} revokes a key.",
        )
    await log_out(services, Sender.of(request), principal, token)


@router.get("/me", summary="Show who is calling")
async def me(principal: AnyCaller, services: Services) -> CallerAnswer:
    """The person or the API key of this request, and what they may do."""
    actor, user = principal.actor, None
    async with services.database.tenant(principal.tenant_id) as connection:
        tenant = await get_tenant(connection)
        if actor.kind is ActorKind.USER and actor.id is not None:
            user = await get_user(connection, actor.id)
    return CallerAnswer(
        kind="user" if user else "key",
        id=actor.id or 0,
        name=user.name if user else actor.name,
        email=user.email if user else None,
        role=user.role if user else None,
        permissions=sorted(principal.permissions),
        organization_id=tenant.public_id,
    )
