"""What a sandbox does around its handlers: reading requests, the journal, serving until told."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from sandbox import wire
from sandbox.journal import Entry, Journal
from sandbox.wire import App, Receive, Reply, Request, Scope, Send

Handle = Callable[[Request, Send], Awaitable[tuple[int, int]]]
"""Answers one request; returns status and body size, status 0 for a dropped connection."""

ReadyT = TypeVar("ReadyT")


def application(journal: Journal, handle: Handle) -> App:
    """An ASGI application of a handler that sees whole requests and sends whole replies."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = time.time()
        journal.enter()
        status = size = 0
        path, query = scope["path"], scope["query_string"].decode("latin-1")
        try:
            request = await wire.read_request(scope, receive)
            status, size = await handle(request, send)
        except wire.TooLargeError:
            status = 413
            await wire.send_reply(send, Reply(413, b"Request Entity Too Large"))
        finally:
            entry = Entry(scope["method"], path, query, status, started, time.time(), size)
            journal.leave(entry)

    return app


def serve_until_told(
    serving: Callable[[], AbstractAsyncContextManager[ReadyT]], on_ready: Callable[[ReadyT], None]
) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` is called once it answers."""

    async def until_told() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        async with serving() as ready:
            on_ready(ready)
            await stop.wait()

    asyncio.run(until_told())
