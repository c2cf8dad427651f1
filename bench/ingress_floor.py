"""The floor under the ingress: bare FastAPI that does one INSERT for a request, and nothing else.

`python -m bench.ingress_floor URL PORT READY_FILE`, served by uvicorn as the API is.
"""

import sys
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request

from bench.bare_app import make_app, make_pool, serve

TABLE: Final = """
create table landed (
  id bigint generated always as identity primary key,
  received_at timestamptz not null default now(), body bytea not null)
"""


def floor_app(url: str, ready: Path) -> FastAPI:
    """The application: a request is answered when its row is committed."""
    pool = make_pool(url)
    app = make_app(pool, ready)

    @app.post("/webhook")
    async def receive(request: Request) -> dict[str, bool]:
        body = await request.body()
        async with pool.connection() as connection:
            await connection.execute("insert into landed (body) values (%s)", (body,))
        return {"received": True}

    return app


if __name__ == "__main__":
    serve(floor_app(sys.argv[1], Path(sys.argv[3])), sys.argv[2])
