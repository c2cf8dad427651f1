"""Who is calling, and what may they do: `X-API-Key` with `X-API-Secret`."""

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader
from starlette.requests import Request

from api.problems import FORBIDDEN, UNAUTHENTICATED, ProblemError
from api.services import Services, now
from db.audit import Actor, ActorKind
from db.keys import ApiKey, Permission, find_key, hash_secret

_KEY_HEADER = APIKeyHeader(name="X-API-Key", scheme_name="apiKey", auto_error=False)
_SECRET_HEADER = APIKeyHeader(name="X-API-Secret", scheme_name="apiSecret", auto_error=False)

_FORM = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOBODY = "nobody"
_NO_HASH = hash_secret("nothing has this digest")
_LONGEST_SECRET = 256

_REFUSED = (
    "Send the key in X-API-Key and its secret in X-API-Secret. A key that is wrong, revoked or "
    "expired is not accepted: make a new one with `entrepot keys create`."
)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: a key, or a person who logged in. `actor` is how the audit trail names them."""

    tenant_id: int
    permissions: frozenset[str]
    actor: Actor

    def may(self, permission: Permission) -> bool:
        """Whether the key has this permission, or all."""
        return permission in self.permissions or Permission.EVERYTHING in self.permissions


async def authenticate(
    request: Request,
    services: Services,
    key: Annotated[str | None, Security(_KEY_HEADER)] = None,
    secret: Annotated[str | None, Security(_SECRET_HEADER)] = None,
) -> Principal:
    """The caller of this request.

    Nothing is cached, so a revoked key stops working with the next request. A key that does not
    exist takes the same steps as one with a wrong secret.

    Raises:
        ProblemError: 401.
    """
    principal = None
    if key and secret:
        principal = await _verify(request, services, key, secret)
    if principal is None:
        raise ProblemError(UNAUTHENTICATED, _REFUSED, headers={"WWW-Authenticate": "ApiKey"})
    request.state.tenant_id = principal.tenant_id
    return principal


async def authenticate_if_given(
    request: Request,
    services: Services,
    key: Annotated[str | None, Security(_KEY_HEADER)] = None,
    secret: Annotated[str | None, Security(_SECRET_HEADER)] = None,
) -> Principal | None:
    """The caller, or None when no key was sent. Raises ProblemError (401) for a wrong one."""
    if key is None and secret is None:
        return None
    return await authenticate(request, services, key, secret)


def require(permission: Permission) -> Callable[..., Awaitable[Principal]]:
    """A dependency: the caller, who must have this permission (403 otherwise)."""

    async def allowed(principal: Annotated[Principal, Depends(authenticate)]) -> Principal:
        if not principal.may(permission):
            raise ProblemError(
                FORBIDDEN,
                f"The key lacks the permission {permission.value!r}. Use a key that has it.",
            )
        return principal

    return allowed


async def _verify(request: Request, services: Services, key: str, secret: str) -> Principal | None:
    wanted = key if _FORM.fullmatch(key) else _NOBODY
    async with services.database.lookup() as connection:
        found = await find_key(connection, wanted)
    expected = found.secret_hash if found else _NO_HASH
    matches = hmac.compare_digest(hash_secret(secret[:_LONGEST_SECRET]), expected)
    if found is None or not matches or not _is_in_force(found):
        return None
    actor = Actor(
        ActorKind.KEY,
        found.id,
        found.name,
        address=request.client.host if request.client else "",
        request_id=getattr(request.state, "request_id", ""),
    )
    return Principal(found.tenant_id, found.permissions, actor)


def _is_in_force(key: ApiKey) -> bool:
    if key.revoked_at is not None:
        return False
    return key.expires_at is None or key.expires_at > now()


StoresReader = Annotated[Principal, Depends(require(Permission.STORES_READ))]
StoresWriter = Annotated[Principal, Depends(require(Permission.STORES_WRITE))]
SyncsReader = Annotated[Principal, Depends(require(Permission.SYNCS_READ))]
SyncsWriter = Annotated[Principal, Depends(require(Permission.SYNCS_WRITE))]
RecordsReader = Annotated[Principal, Depends(require(Permission.RECORDS_READ))]
RecordsWriter = Annotated[Principal, Depends(require(Permission.RECORDS_WRITE))]
KeysReader = Annotated[Principal, Depends(require(Permission.KEYS_READ))]
KeysWriter = Annotated[Principal, Depends(require(Permission.KEYS_WRITE))]
AuditReader = Annotated[Principal, Depends(require(Permission.AUDIT_READ))]
