"""`Idempotency-Key`: the same request sent twice is done once and answered twice the same.

The header is that of draft-ietf-httpapi-idempotency-key-header-07. Answers are kept for 24 hours,
encrypted, because one may show a generated secret. What failed on our side or the store's (5xx)
or met a conflict (409) is not kept, so that trying again can help.
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Annotated

import structlog
from fastapi import Depends, Header
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.auth import Principal
from api.problems import ProblemError
from api.services import ApiServices, Services, now
from db import idempotency
from db.audit import Actor
from db.crypto import Sealed
from db.idempotency import Attempt

_log = structlog.get_logger(__name__)

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("content-type", "location")
_MAKES_SENSE_TO_REPEAT = 409
_TAKEN_OVER = "Another request with this Idempotency-Key has taken over. Send it again in a moment."

Work = Callable[[], Awaitable[Response]]


class Idempotency:
    """A dependency of the routes that create or start something."""

    def __init__(
        self,
        request: Request,
        services: Services,
        key: Annotated[
            str | None,
            Header(
                alias="Idempotency-Key",
                # Told here, refused below (400, as the draft has it) rather than as other headers.
                json_schema_extra={"pattern": rf"^{_KEY.pattern}$"},
                description="Any text of 1 to 255 visible ASCII characters, new for each intent",
            ),
        ] = None,
    ) -> None:
        self._request = request
        self._services = services
        self._key = key
        self._held: Attempt | None = None
        self._is_kept = False

    async def run(self, principal: Principal, work: Work) -> Response:
        """Do the work, or answer as it was answered before.

        Raises:
            ProblemError: 400 for a bad key, 409 while the first request is worked on, 422 when the
                key came with another request before.
        """
        if self._key is None:
            return await work()
        attempt = await self._attempt(principal, self._key)
        known = await self._claim(attempt)
        if known is not None:
            return known
        self._held = attempt
        try:
            response = await self._answered(work)
        except Exception:
            await self._forget(attempt)
            raise
        if response.status_code >= 500 or response.status_code == _MAKES_SENSE_TO_REPEAT:
            await self._forget(attempt)
        elif not self._is_kept:
            await self._remember(attempt, response)
        return response

    async def keep(self, connection: AsyncConnection, response: Response) -> None:
        """Keep the answer in the transaction that does the work, inside `run`.

        Whoever is killed after it was committed has done it for good: the same key is answered
        with this. Without it that key would do the work again. Raises ProblemError 409 when
        another request has taken the key over.
        """
        if self._held is None:
            return
        answer = self._sealed(self._held, response)
        self._is_kept = await idempotency.remember(
            connection, self._held, status_code=response.status_code, answer=answer
        )
        if not self._is_kept:
            raise ProblemError(problems.BUSY, _TAKEN_OVER, headers={"Retry-After": "2"})

    async def _answered(self, work: Work) -> Response:
        try:
            return await work()
        except ProblemError as error:
            self._is_kept = False  # what was kept by an earlier try was rolled back
            return problems.render(error, instance=self._request.url.path)

    async def _attempt(self, principal: Principal, key: str) -> Attempt:
        if not _KEY.fullmatch(key):
            raise ProblemError(
                problems.BAD_REQUEST,
                "Idempotency-Key takes 1 to 255 visible ASCII characters, such as a UUID.",
            )
        route = f"{self._request.method} {self._request.scope['route'].path}"
        return Attempt(
            tenant_id=principal.tenant_id,
            route=route[:120],
            key=key,
            request_hash=_digest(
                principal.actor, _asked(self._request), await self._request.body()
            ),
            now=now(),
        )

    async def _claim(self, attempt: Attempt) -> Response | None:
        async with self._services.database.tenant(attempt.tenant_id) as connection:
            known = await idempotency.claim(connection, attempt)
        if known is None:
            return None
        if not known.is_same_request:
            raise ProblemError(
                problems.KEY_REUSED,
                "This Idempotency-Key came with another request, or from another caller, before. "
                "Use a new key for each intent, and the same only to send the same request again.",
            )
        if known.answer is None:
            raise ProblemError(
                problems.BUSY,
                "The first request with this Idempotency-Key is still being worked on. "
                "Send it again in a moment.",
                headers={"Retry-After": "2"},
            )
        return _open(self._services, attempt, known.answer)

    def _sealed(self, attempt: Attempt, response: Response) -> Sealed:
        kept = {
            "status": response.status_code,
            "headers": {name: response.headers.get(name) for name in _KEPT_HEADERS},
            "body": bytes(response.body).decode(),
        }
        context = idempotency.answer_context(attempt)
        return self._services.secrets.seal(json.dumps(kept).encode(), context=context)

    async def _remember(self, attempt: Attempt, response: Response) -> None:
        answer = self._sealed(attempt, response)
        try:
            async with self._services.database.tenant(attempt.tenant_id) as connection:
                await idempotency.remember(
                    connection, attempt, status_code=response.status_code, answer=answer
                )
        except SQLAlchemyError as error:  # what was asked for is done, and has to be told
            _log.warning("answer_not_remembered", error_type=type(error).__name__)

    async def _forget(self, attempt: Attempt) -> None:
        async with self._services.database.tenant(attempt.tenant_id) as connection:
            await idempotency.forget(connection, attempt)


def _open(services: ApiServices, attempt: Attempt, answer: Sealed) -> Response:
    kept = json.loads(services.secrets.open(answer, context=idempotency.answer_context(attempt)))
    headers = {name: value for name, value in kept["headers"].items() if value is not None}
    return Response(
        kept["body"].encode(),
        status_code=kept["status"],
        headers={**headers, "Idempotency-Replayed": "true"},
    )


def _asked(request: Request) -> str:
    """The path, with the query where there is one: it may name what is meant."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _digest(actor: Actor, path: str, body: bytes) -> bytes:
    """Same caller, path and JSON, however it is spaced and ordered, give the same digest.

    The caller, because what is kept may show a secret that another one may not have.
    """
    try:
        canonical = json.dumps(json.loads(body), sort_keys=True).encode() if body else b""
    except (ValueError, RecursionError):  # of a route that takes no body, so nobody read it
        canonical = body
    asked = f"{actor.kind.value}/{actor.id}\n{path}\n".encode()
    return hashlib.sha256(asked + canonical).digest()


Idempotent = Annotated[Idempotency, Depends(Idempotency)]
