"""The floor under the reads: bare FastAPI with one SELECT of 50 whole products, and nothing else.

`python -m bench.reads_floor URL PORT READY_FILE`, served by uvicorn as the API is. A row has all
that the hub's answer has of a product, in one table: no joins, no tenants, nobody to recognise.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final

import orjson
import uvicorn
import uvloop
from fastapi import FastAPI, Response
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

_CONNECTIONS: Final = 10
"""As many as the API has."""
_PAGE: Final = "select * from shelf where id > %s order by id limit %s"


def floor_app(url: str, ready: Path) -> FastAPI:
    """The application."""
    pool = AsyncConnectionPool(
        url,
        min_size=_CONNECTIONS,
        max_size=_CONNECTIONS,
        kwargs={"autocommit": True, "row_factory": dict_row},
        open=False,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await pool.open(wait=True)
        ready.touch()  # noqa: ASYNC240 - once, before anything is served
        yield
        await pool.close()

    app = FastAPI(lifespan=lifespan)

    @app.get("/products")
    async def products(after: int = 0, limit: int = 50) -> Response:
        async with pool.connection() as connection:
            found = await connection.execute(_PAGE, (after, limit))
            rows = await found.fetchall()
        body = orjson.dumps({"data": rows}, default=_told)
        return Response(body, media_type="application/json")

    return app


def _told(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


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
