"""Runs an application on sockets of this machine, plain and with TLS, in one event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from sandbox.tls import TlsFiles
from sandbox.wire import App

_READY_POLL_S = 0.005


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one."""
    # The protocol is named so that asyncio sets TCP_NODELAY on what it accepts; without it every
    # answer in chunks waits 40 ms for a delayed acknowledgement.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound


def port_of(bound: socket.socket) -> int:
    """The port a socket is bound to."""
    port: int = bound.getsockname()[1]
    return port


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave signals to whoever owns the loop."""
        yield


@asynccontextmanager
async def running(
    app: App, bound: socket.socket, tls: TlsFiles | None = None
) -> AsyncIterator[None]:
    """Serve `app` on a bound socket for as long as the context is open."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="none",
        # The headers are the shop's own, and a forwarded scheme is nobody's business (measured).
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        ssl_certfile=str(tls.certificate) if tls else None,
        ssl_keyfile=str(tls.key) if tls else None,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        while not server.started:
            if task.done():
                await task
                raise RuntimeError("the server ended before it began")
            await asyncio.sleep(_READY_POLL_S)
        yield
    finally:
        server.should_exit = True
        await task
        bound.close()
