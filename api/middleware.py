"""What wraps every request: its id, its line in the log, the size of its body, the last net."""

import asyncio
import re
import time
from secrets import token_hex

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.problems import ProblemError

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_WEBHOOK_CODE = re.compile(r"(/webhooks/)[^/]+")
_LONGEST_PATH = 200


def masked(path: str) -> str:
    """A path for logs: without webhook codes, which are as good as passwords, and bounded."""
    return _WEBHOOK_CODE.sub(r"\1***", path)[:_LONGEST_PATH]


class RequestLog:
    """Gives each request an id (`X-Request-Id`, the client's if it is sane) and one log line.

    Queries are never logged: they may hold secrets. An error that nobody handled is logged here
    and answered with a problem.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._log = structlog.get_logger("api.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"cache-control", b"no-store"),
                ]
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
            self._log.info(
                "request",
                method=scope["method"],
                path=masked(scope["path"]),
                status=status,
                duration_ms=round((time.perf_counter() - started) * 1_000, 1),
                tenant_id=scope.get("state", {}).get("tenant_id"),
            )


class BodyLimit:
    """Reads the body before the application does, and no more than it may have.

    What counts is what arrives, not what Content-Length says.
    """

    def __init__(self, app: ASGIApp, *, limit_bytes: int, timeout_s: float) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                body = await self._read(receive)
        except TimeoutError:
            problem = ProblemError(
                problems.REQUEST_TIMEOUT,
                f"The body did not arrive within {self._timeout_s:g} s. Send it again.",
                headers={"Connection": "close"},
            )
        except ProblemError as error:
            problem = error
        else:
            await self._app(scope, _replay(body, receive), send)
            return
        await problems.render(problem, instance=scope["path"])(scope, receive, send)

    async def _read(self, receive: Receive) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b"".join(chunks)
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self._limit_bytes:
                raise ProblemError(
                    problems.TOO_LARGE,
                    f"A body has at most {self._limit_bytes} bytes.",
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
