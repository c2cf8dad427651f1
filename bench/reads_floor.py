"""The floor under the reads: bare FastAPI with one SELECT of 50 whole products, and nothing else.

`python -m bench.reads_floor URL PORT READY_FILE`, served by uvicorn as the API is. A row has all
that the hub's answer has of a product, in one table: no joins, no tenants, nobody to recognise.
"""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Final

import orjson
from fastapi import FastAPI, Response
from psycopg.rows import dict_row

from bench.bare_app import make_app, make_pool, serve

_PAGE: Final = "select * from shelf where id > %s order by id limit %s"


def floor_app(url: str, ready: Path) -> FastAPI:
    """The application."""
    pool = make_pool(url, row_factory=dict_row)
    app = make_app(pool, ready)

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


if __name__ == "__main__":
    serve(floor_app(sys.argv[1], Path(sys.argv[3])), sys.argv[2])
