"""Who is calling, and what may they do.

A program sends `X-API-Key` with `X-API-Secret`, a person's browser `Authorization: Bearer` with the
token of their login (RFC 6750). Either is accepted by every route; its permissions decide.
"""

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request

from api.key_usage import note_key
from api.problems import (
    ADDRESS_NOT_ALLOWED,
    BAD_REQUEST,
    FORBIDDEN,
    UNAUTHENTICATED,
    ProblemError,
)
from api.rate_limits import address_of, limit_principal, limit_unknown
from api.services import ApiServices, Services, now
from api.throttle import Throttle
from api.tokens import TokenError, read_token
from db.audit import Actor, ActorKind
from db.keys import ApiKey, Permission, find_key, hash_secret
from domain.ip_allow_list import is_allowed
from domain.roles import permissions_of

_KEY_HEADER = APIKeyHeader(name="X-API-Key", scheme_name="apiKey", auto_error=False)
_SECRET_HEADER = APIKeyHeader(name="X-API-Secret", scheme_name="apiSecret", auto_error=False)
_BEARER = HTTPBearer(
    scheme_name="bearer",
    bearerFormat="JWT",
    description="The accessToken of POST /api/auth/login",
    auto_error=False,
)

_FORM = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOBODY = "nobody"
_NO_HASH = hash_secret("nothing has this digest")
_LONGEST_SECRET = 256

_REFUSED = (
    "Send a key in X-API-Key and its secret in X-API-Secret, or the accessToken of a login in "
    "Authorization: Bearer. A key that is wrong, revoked or expired is not accepted: make a new "
    "one with `entrepot keys create`."
)
_STALE = (
    "The access token is not accepted: it has expired, its session has ended, or it is none of "
    "ours. POST /api/auth/refresh gives a new one, and POST /api/auth/login always does."
)
CHALLENGE = {"WWW-Authenticate": "ApiKey, Bearer"}
"""Both ways to authenticate (RFC 9110, 11.6.1)."""
_BAD_TOKEN = {"WWW-Authenticate": 'ApiKey, Bearer error="invalid_token"'}  # RFC 6750, 3


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: a key, or a person who logged in. `actor` is how the audit trail names them.

    `requests_per_minute`, `ip_allow_list` and `expires_at` are the key's own, if it has any;
    `session_id` that of a person's login.
    """

    tenant_id: int
    permissions: frozenset[str]
    actor: Actor
    requests_per_minute: int | None = None
    session_id: int | None = None
    ip_allow_list: tuple[str, ...] = ()
    expires_at: datetime | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the caller has this permission, or all."""
        return permission in self.permissions or Permission.EVERYTHING in self.permissions


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the request says of its sender."""

    key: str | None
    secret: str | None = field(repr=False)
    token: str | None = field(repr=False)


async def read_credentials(
    key: Annotated[str | None, Security(_KEY_HEADER)] = None,
    secret: Annotated[str | None, Security(_SECRET_HEADER)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)] = None,
) -> Credentials:
    """The credentials in the headers. Another scheme of `Authorization` is a proxy's matter."""
    return Credentials(key, secret, bearer.credentials if bearer else None)


Sent = Annotated[Credentials, Depends(read_credentials)]


async def authenticate(request: Request, services: Services, sent: Sent) -> Principal:
    """The caller of this request.

    Nothing is cached, so a revoked key and an ended session stop working with the next request, and
    a person's role counts as it is now. A key that does not exist costs the same look-up and
    digest as one with a wrong secret. One database round trip either way.

    Raises:
        ProblemError: 400 for a key and a token at once, 401, 403 from an address that the key does
            not allow, 429 for too many requests, or too many refused ones.
    """
    try:
        principal = await _principal(request, services, sent)
    except ProblemError:
        await limit_unknown(request, services)
        raise
    request.state.tenant_id = principal.tenant_id
    await limit_principal(request, services, principal)
    return principal


async def _principal(request: Request, services: ApiServices, sent: Credentials) -> Principal:
    if sent.token and (sent.key or sent.secret):
        raise ProblemError(BAD_REQUEST, "Send a key or a bearer token, not both.")
    if sent.token:
        return await _person(request, services, sent.token)
    if sent.key and sent.secret:
        return await _key(request, services, sent.key, sent.secret)
    raise ProblemError(UNAUTHENTICATED, _REFUSED, headers=CHALLENGE)


async def authenticate_if_given(
    request: Request, services: Services, sent: Sent
) -> Principal | None:
    """The caller, or None when no credentials were sent. Raises ProblemError for wrong ones."""
    if sent.key is None and sent.secret is None and sent.token is None:
        return None
    return await authenticate(request, services, sent)


@dataclass(frozen=True, slots=True)
class Require:
    """A dependency: the caller, who must have this permission (403 otherwise)."""

    permission: Permission

    async def __call__(self, principal: Annotated[Principal, Depends(authenticate)]) -> Principal:
        """The caller. Raises ProblemError (403)."""
        if not principal.may(self.permission):
            raise ProblemError(
                FORBIDDEN,
                f"The caller lacks the permission {self.permission.value!r}. Use a key, or log in "
                "as a person, that has it.",
            )
        return principal


async def _key(request: Request, services: ApiServices, key: str, secret: str) -> Principal:
    wanted = key if _FORM.fullmatch(key) else _NOBODY
    async with services.database.lookup() as connection:
        found = await find_key(connection, wanted)
    expected = found.secret_hash if found else _NO_HASH
    matches = hmac.compare_digest(hash_secret(secret[:_LONGEST_SECRET]), expected)
    if found is None or not matches or not _is_in_force(found):
        await Throttle.of(services).refused(address_of(request), wanted if found else "")
        raise ProblemError(UNAUTHENTICATED, _REFUSED, headers=CHALLENGE)
    note_key(request.scope, found.tenant_id, found.id)
    # Only who has the secret learns that the key has a list.
    address = address_of(request)
    if not is_allowed(address, found.ip_allow_list):
        raise ProblemError(
            ADDRESS_NOT_ALLOWED,
            f"The key may not be used from {address or 'here'}. Use it from an address of its "
            "ipAllowList, or make a key for this one.",
        )
    actor = _actor(request, ActorKind.KEY, found.id, found.name)
    return Principal(
        found.tenant_id,
        found.permissions,
        actor,
        requests_per_minute=found.requests_per_minute,
        ip_allow_list=found.ip_allow_list,
        expires_at=found.expires_at,
    )


async def _person(request: Request, services: ApiServices, token: str) -> Principal:
    try:
        speaker = await read_token(services, token, now())
    except TokenError as error:
        # A token that was good once is no guess: every client sends one when its time is up.
        if not error.is_ours:
            await Throttle.of(services).refused(address_of(request))
        raise ProblemError(UNAUTHENTICATED, _STALE, headers=_BAD_TOKEN) from None
    session = speaker.session
    return Principal(
        session.tenant_id,
        permissions_of(session.role),
        _actor(request, ActorKind.USER, session.user_id, session.email),
        session_id=speaker.session_id,
    )


def _actor(request: Request, kind: ActorKind, id_: int, name: str) -> Actor:
    request_id = getattr(request.state, "request_id", "")
    return Actor(kind, id_, name, address=address_of(request), request_id=request_id)


def _is_in_force(key: ApiKey) -> bool:
    if key.revoked_at is not None:
        return False
    return key.expires_at is None or key.expires_at > now()


AnyCaller = Annotated[Principal, Depends(authenticate)]
StoresReader = Annotated[Principal, Depends(Require(Permission.STORES_READ))]
StoresWriter = Annotated[Principal, Depends(Require(Permission.STORES_WRITE))]
SyncsReader = Annotated[Principal, Depends(Require(Permission.SYNCS_READ))]
SyncsWriter = Annotated[Principal, Depends(Require(Permission.SYNCS_WRITE))]
RecordsReader = Annotated[Principal, Depends(Require(Permission.RECORDS_READ))]
RecordsWriter = Annotated[Principal, Depends(Require(Permission.RECORDS_WRITE))]
KeysReader = Annotated[Principal, Depends(Require(Permission.KEYS_READ))]
KeysWriter = Annotated[Principal, Depends(Require(Permission.KEYS_WRITE))]
AuditReader = Annotated[Principal, Depends(Require(Permission.AUDIT_READ))]
