"""Answers kept for whoever asks the same again, and not sent to whoever has them already.

What an answer is kept under names the tenant, the path, the query, what the caller may do, the
release that made it, and a version: for records the tenant's revision, which moves with every
change, so that an answer which is out of date is never found, by whichever process. Answers about
the passing of time (reports, tests of a connection) have no version and are as old as their time to
live at most.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import warnings
from collections.abc import Awaitable, Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from cashews import Cache
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.shared_server import Breaker, client_options, redis_url
from db.crypto import Sealed, SecretBox
from domain.errors import SecretError

if TYPE_CHECKING:
    from api.auth import Principal

CACHE_CONTROL: Final = "private, no-cache"
"""A browser may keep the answer, and asks each time whether it is still right."""
_VARY: Final = "Authorization, X-API-Key, X-API-Secret"
_JSON: Final = "application/json"
_NOT_MODIFIED: Final = 304

_KEPT_ANSWERS: Final = 500
_LONGEST_BYTES: Final = 256 * 1024
_MEMORY: Final = f"mem://?size={_KEPT_ANSWERS}&check_interval=0"

REVALIDATED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"headers": {"ETag": {"schema": {"type": "string"}, "description": "For If-None-Match"}}},
    304: {"description": "The answer is still the one whose ETag came in `If-None-Match`"},
}
"""`responses` of a route whose answers come from here."""


class AnswerCache:
    """Keeps at most 500 answers of at most 256 kB in memory, or all on a server.

    On a server they are sealed with the hub's key, with their place and their end, so whoever can
    read or write there learns and changes nothing, and cannot bring back what was true once. Bytes
    are all that is ever stored: nothing is unpickled.
    """

    def __init__(
        self, url: str | None = None, secrets: SecretBox | None = None, *, release: str = ""
    ) -> None:
        """Args:
        url: of the server to share answers on, sealed with `secrets`.
        release: what tells this release from others, which share no answers: an upgrade does not
            answer in the form of before.
        """
        self._release = release
        self._cache = Cache()
        self._secrets: SecretBox | None = None
        self._breaker = Breaker("cached answers")
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        if url is None:
            self._cache.setup(_MEMORY, pickle_type="null", check_repr=False)
            return
        if secrets is None:
            raise ValueError("answers on a server are sealed: `secrets` is needed")
        self._secrets = secrets
        self._cache.setup(
            redis_url(url),
            pickle_type="null",
            check_repr=False,
            suppress=False,
            **client_options(),
        )

    async def cached(
        self,
        request: Request,
        principal: Principal | None,
        *,
        name: str,
        ttl_s: float,
        make: Callable[[], Awaitable[BaseModel | bytes]],
        version: int | str = "",
    ) -> Response:
        """The answer to a GET: kept or made, with its ETag, or 304 without a body.

        Args:
            name: of the kind of answer; part of the key beside the path.
            ttl_s: how long it is kept; with 0 it is made each time.
            version: of what it is made from.
            make: makes the body, a model or its JSON. What it raises is passed on and not kept.
        """
        key = _key(request, principal, name, (self._release, version))
        if ttl_s <= 0:
            return conditional(request, await make())
        body = await self._find(key)
        if body is None:
            body = await self._make(key, ttl_s, make)
        return conditional(request, body)

    async def _make(
        self, key: str, ttl_s: float, make: Callable[[], Awaitable[BaseModel | bytes]]
    ) -> bytes:
        """Made once: whoever asks the same meanwhile waits for the first, and takes its answer."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        has_waited = lock.locked()
        async with lock:
            body = await self._find(key) if has_waited else None
            if body is None:
                body = _json(await make())
                await self._keep(key, body, ttl_s)
        return body

    async def close(self) -> None:
        """Close the connections to the server."""
        with warnings.catch_warnings():
            # The library closes its client in a way which that one calls deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            await self._cache.close()

    async def _find(self, key: str) -> bytes | None:
        if self._secrets is None:
            return await self._get(key)
        sealed = await self._breaker.ask(lambda: self._get(key), _nothing)
        return None if sealed is None else _opened(self._secrets, key, sealed)

    async def _get(self, key: str) -> bytes | None:
        found = await self._cache.get(key)
        return found if isinstance(found, bytes) else None

    async def _keep(self, key: str, body: bytes, ttl_s: float) -> None:
        if len(body) > _LONGEST_BYTES:
            return
        if self._secrets is None:
            await self._set(key, body, ttl_s)
            return
        sealed = _sealed(self._secrets, key, body, ends_at=time.time() + ttl_s)
        await self._breaker.ask(lambda: self._set(key, sealed, ttl_s), _nothing)

    async def _set(self, key: str, body: bytes, ttl_s: float) -> None:
        await self._cache.set(key, body, expire=ttl_s)


def conditional(request: Request, body: BaseModel | bytes) -> Response:
    """JSON with its ETag, or 304 where the caller has it already (RFC 9110, 13.1.2)."""
    content = _json(body)
    etag = f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": CACHE_CONTROL, "Vary": _VARY}
    if _has(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=_NOT_MODIFIED, headers=headers)
    return Response(content, media_type=_JSON, headers=headers)


def _has(conditions: list[str], etag: str) -> bool:
    """Compared weakly, as the RFC says of If-None-Match; our tags have no comma in them."""
    told = {one.strip().removeprefix("W/") for line in conditions for one in line.split(",")}
    return etag in told or "*" in told


def _json(body: BaseModel | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.model_dump_json(by_alias=True).encode()


def _key(request: Request, principal: Principal | None, name: str, version: object) -> str:
    tenant_id = principal.tenant_id if principal else 0
    permissions = sorted(principal.permissions) if principal else ()
    asked = (
        request.url.path,
        # By name alone: of one that is sent twice a route takes the last.
        sorted(request.query_params.multi_items(), key=itemgetter(0)),
        permissions,
        # Some answers tell addresses of ours, as the caller knows us.
        str(request.base_url),
        version,
    )
    digest = hashlib.blake2b(repr(asked).encode(), digest_size=16).hexdigest()
    return f"entrepot:answers:{tenant_id}:{name}:{digest}"


def _sealed(secrets: SecretBox, key: str, body: bytes, *, ends_at: float) -> bytes:
    sealed = secrets.seal(body, context=_context(key, f"{ends_at:.3f}"))
    parts = (f"{ends_at:.3f}", sealed.key_id, sealed.iv, sealed.tag, sealed.encrypted_data)
    return "|".join(parts).encode()


def _opened(secrets: SecretBox, key: str, stored: bytes) -> bytes | None:
    """What somebody else put there, or sealed with a key that is gone, is as good as nothing."""
    try:
        end, key_id, iv, tag, encrypted = stored.decode().split("|")
        body = secrets.open(Sealed(encrypted, iv, tag, key_id), context=_context(key, end))
        return body if time.time() < float(end) else None
    except (SecretError, ValueError):
        return None


def _context(key: str, end: str) -> str:
    return f"{key}|{end}"


async def _nothing() -> None:
    return None
