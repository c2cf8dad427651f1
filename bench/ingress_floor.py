"""The floor under the ingress: bare FastAPI that does one INSERT for a request, and nothing else.

`python -m bench.ingress_floor URL PORT READY_FILE`, served by uvicorn as the API is.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import uvicorn
import uvloop
from fastapi import FastAPI, Request
from psycopg_pool import AsyncConnectionPool

TABLE: Final = """
create table landed (
  id bigint generated always as identity primary key,
  received_at timestamptz not null default now(), body bytea not null)
"""
_CONNECTIONS: Final = 10
"""As many as the API has."""


def floor_app(url: str, ready: Path) -> FastAPI:
    """The application: a request is answered when its row is committed."""
    pool = AsyncConnectionPool(
        url,
        min_size=_CONNECTIONS,
        max_size=_CONNECTIONS,
        kwargs={"autocommit": True},
        open=False,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await pool.open(wait=True)
        ready.touch()  # noqa: ASYNC240 - once, before anything is served
        yield
        await pool.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/webhook")
    async def receive(request: Request) -> dict[str, bool]:
        body = await request.body()
        async with pool.connection() as connection:
            await connection.execute("insert into landed (body) values (%s)", (body,))
        return {"received": True}

    return app


def main(url: str, port: str, ready: str) -> None:
    """Serve until told to stop."""
    config = uvicorn.Config(
        floor_app(url, Path(ready)),
        host="127.0.0.1",
        port=int(port),
        log_config=None,
        access_log=False,
        ws="none",
        server_header=False,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main(*sys.argv[1:4])
