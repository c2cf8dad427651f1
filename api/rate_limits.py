"""How many requests a minute: of a key, of a person, of an address where nobody is known.

Headers as in draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy` tells the limit (`q` in a
window of `w` seconds), `RateLimit` what is left of it (`r`) and when there is more (`t`, seconds).
"""

import ipaddress
import math
import re
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.limits import Allowance, Limits, Rate
from api.problems import TOO_MANY_REQUESTS, ProblemError, render
from api.services import ApiServices
from api.webhook_paths import is_delivery
from db.audit import ActorKind

if TYPE_CHECKING:
    from api.auth import Principal

WINDOW_S: Final = 60
_IPV6_NETWORK: Final = 64
_HEALTH: Final = "/api/health"
# Where credentials are not asked for, sending some does not make anybody known.
_OPEN: Final = re.compile(
    r"/(?:docs|openapi\.json|api/(?:auth/(?!me$)|stores/connect/[^/]+$|[^/]+-sync/connection/test))"
)
_CREDENTIALS: Final = frozenset((b"x-api-key", b"x-api-secret", b"authorization"))
_STATE: Final = "rate_limit_headers"


async def limit_principal(request: Request, services: ApiServices, principal: "Principal") -> None:
    """Count a request of a caller who is known. Raises ProblemError (429)."""
    actor = principal.actor
    kind = "person" if actor.kind is ActorKind.USER else "key"
    rate = Rate(principal.requests_per_minute or services.config.requests_per_minute, WINDOW_S)
    allowance = await services.limits.take(rate, kind, str(actor.id))
    _tell(request.scope, kind, rate, allowance)
    if not allowance.is_allowed:
        raise _refusal(kind, rate, allowance)


async def limit_unknown(request: Request, services: ApiServices) -> None:
    """Count a request whose credentials made nobody known, by its address.

    Some such are no guesses: a token whose time is up, a key from elsewhere, a proxy's own scheme.
    Without this any of them could be sent as often as one likes. Raises ProblemError (429).
    """
    if rate_limit_headers(request.scope):  # counted on its way in
        return
    rate = Rate(services.config.requests_per_minute, WINDOW_S)
    allowance = await services.limits.take(rate, "address", counted_address(address_of(request)))
    _tell(request.scope, "address", rate, allowance)
    if not allowance.is_allowed:
        raise _refusal("address", rate, allowance)


class AddressLimit:
    """Counts the requests that carry no credentials, or to where none are asked for, by address.

    Not those of shops that sign their webhooks: a sale makes many at once, and what is refused is
    lost to some. Not those to `/api/health`: a monitor behind a busy proxy has to be answered.
    Whether credentials are any good is seen later: those that are not count then.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, requests_per_minute: int) -> None:
        self._app = app
        self._limits = limits
        self._rate = Rate(requests_per_minute, WINDOW_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and _is_counted(scope):
            client = scope.get("client")
            address = counted_address(client[0] if client else "")
            allowance = await self._limits.take(self._rate, "address", address)
            _tell(scope, "address", self._rate, allowance)
            if not allowance.is_allowed:
                refusal = _refusal("address", self._rate, allowance)
                await render(refusal, instance=scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)


def address_of(request: Request) -> str:
    """Where a request comes from, as far as the trusted proxies say; empty if nothing does."""
    return request.client.host if request.client else ""


def counted_address(host: str) -> str:
    """What an address is counted as: itself, or its network; what is no address, as it is."""
    return network_of(host) or host


def network_of(host: str) -> str | None:
    """An IPv4 address, or the /64 of one of IPv6, which is the least that a customer gets.

    None if it is no address.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _IPV6_NETWORK), strict=False))


def rate_limit_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The headers of the answer to a request that was counted; none for another."""
    found: list[tuple[bytes, bytes]] = scope.get("state", {}).get(_STATE, [])
    return found


def _is_counted(scope: Scope) -> bool:
    if scope["path"] == _HEALTH or is_delivery(scope["path"]):
        return False
    if _OPEN.match(scope["path"]):
        return True
    return not any(name in _CREDENTIALS for name, _ in scope["headers"])


def _tell(scope: Scope, policy: str, rate: Rate, allowance: Allowance) -> None:
    left = f'"{policy}";r={allowance.remaining};t={math.ceil(allowance.reset_s)}'
    limit = f'"{policy}";q={rate.count};w={rate.seconds}'
    scope.setdefault("state", {})[_STATE] = [
        (b"ratelimit", left.encode()),
        (b"ratelimit-policy", limit.encode()),
    ]


def _refusal(kind: str, rate: Rate, allowance: Allowance) -> ProblemError:
    wait_s = max(1, math.ceil(allowance.reset_s))
    return ProblemError(
        TOO_MANY_REQUESTS,
        f"This {kind} may send {rate.count} requests in {rate.seconds} s, and did. "
        f"Wait {wait_s} s, and watch the RateLimit header.",
        headers={"Retry-After": str(wait_s)},
    )
