"""What the floors are made of: bare FastAPI over a pool, served by uvicorn as the API is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import uvicorn
import uvloop
from fastapi import FastAPI
from psycopg_pool import AsyncConnectionPool

_CONNECTIONS: Final = 10
"""As many as the API has."""


def make_pool(url: str, **connecting: Any) -> AsyncConnectionPool:
    """A pool that is not open yet; `connecting` goes to each connection."""
    return AsyncConnectionPool(
        url,
        min_size=_CONNECTIONS,
        max_size=_CONNECTIONS,
        kwargs={"autocommit": True, **connecting},
        open=False,
    )


def make_app(pool: AsyncConnectionPool, ready: Path) -> FastAPI:
    """An application without routes that has the pool open while it runs."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await pool.open(wait=True)
        ready.touch()  # noqa: ASYNC240 - once, before anything is served
        yield
        await pool.close()

    return FastAPI(lifespan=lifespan)


def serve(app: FastAPI, port: str) -> None:
    """Serve until told to stop."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=int(port),
        log_config=None,
        access_log=False,
        ws="none",
        server_header=False,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())
