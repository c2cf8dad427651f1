"""What wraps every request: its id, its line in the log, the size of its body, the last net."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from secrets import token_hex

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.problems import ProblemError
from api.rate_limits import rate_limit_headers
from api.webhook_paths import WEBHOOK, is_delivery

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_WEBHOOK_CODE = re.compile(r"(/webhooks/)[^/]+")
# No provider's slug is as long as a token.
_CONNECT_TOKEN = re.compile(r"(/stores/connect/)[^/]{20,}")
_LONGEST_PATH = 200
_OK = 200
_LOGINS = "/api/auth/"
_LOGIN_BYTES = 8_192  # whoever sends them need not be known


def masked(path: str) -> str:
    """A path for logs: without codes and tokens, which are as good as passwords, and bounded."""
    return _CONNECT_TOKEN.sub(r"\1***", _WEBHOOK_CODE.sub(r"\1***", path))[:_LONGEST_PATH]


class RequestLog:
    """Gives each request an id (`X-Request-Id`, the client's if it is sane) and one log line.

    Queries are never logged: they may hold secrets. An error that nobody handled is logged here
    and answered with a problem.
    """

    def __init__(self, app: ASGIApp, *, count: Callable[[Scope, int], None]) -> None:
        """Args: count: is told every request that is being answered, with its status."""
        self._app = app
        self._count = count
        self._log = structlog.get_logger("api.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._count(scope, status)
                headers = [
                    *message["headers"],
                    *rate_limit_headers(scope),
                    (b"x-request-id", request_id.encode()),
                ]
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            # The last net: whatever it is, the client gets a problem and the log gets the trace.
            except Exception:
                self._log.exception("request_failed", path=masked(scope["path"]))
                if status:
                    raise
                failure = ProblemError(
                    problems.INTERNAL,
                    f"The failure was logged as {request_id}. Try again later.",
                )
                answer = problems.render(failure, instance=scope["path"])
                await answer(scope, receive, send_with_id)
            # A webhook that was taken has its row: thousands of lines would say no more.
            is_kept = status == _OK and is_delivery(scope["path"])
            log = self._log.debug if is_kept else self._log.info
            log(
                "request",
                method=scope["method"],
                path=masked(scope["path"]),
                status=status,
                duration_ms=round((time.perf_counter() - started) * 1_000, 1),
                tenant_id=scope.get("state", {}).get("tenant_id"),
            )


@dataclass(frozen=True, slots=True)
class WebhookBodies:
    """Bodies of webhooks have a limit of their own.

    Attributes:
        on_too_large: is told the code in the path of a body that was refused, after the answer.
    """

    limit_bytes: int
    on_too_large: Callable[[str], Awaitable[None]]


class BodyLimit:
    """Reads the body before the application does, and no more than it may have.

    What counts is what arrives, not what Content-Length says. A body that breaks off is no
    request: whoever sent it is gone.
    """

    def __init__(
        self, app: ASGIApp, *, limit_bytes: int, timeout_s: float, webhooks: WebhookBodies
    ) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._timeout_s = timeout_s
        self._webhooks = webhooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_webhook = WEBHOOK.match(scope["path"])
        limit_bytes = self._webhooks.limit_bytes if is_webhook else self._limit_bytes
        if scope["path"].startswith(_LOGINS):
            limit_bytes = min(limit_bytes, _LOGIN_BYTES)
        try:
            async with asyncio.timeout(self._timeout_s):
                body = await _read(receive, limit_bytes)
        except TimeoutError:
            problem = ProblemError(
                problems.REQUEST_TIMEOUT,
                f"The body did not arrive within {self._timeout_s:g} s. Send it again.",
                headers={"Connection": "close"},
            )
        except ProblemError as error:
            problem = error
        else:
            if body is not None:
                await self._app(scope, _replay(body, receive), send)
            return
        await problems.render(problem, instance=scope["path"])(scope, receive, send)
        if problem.kind is problems.TOO_LARGE and is_webhook and (code := is_webhook["code"]):
            await self._webhooks.on_too_large(code)


async def _read(receive: Receive, limit_bytes: int) -> bytes | None:
    """The whole body; None when the client went away. Raises ProblemError (413)."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit_bytes:
            raise ProblemError(
                problems.TOO_LARGE,
                f"A body has at most {limit_bytes} bytes.",
                headers={"Connection": "close"},
            )
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    pending = True

    async def replay() -> Message:
        nonlocal pending
        if pending:
            pending = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replay


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value.decode("latin-1")):
            return str(value, "latin-1")
    return token_hex(8)
