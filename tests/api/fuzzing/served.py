"""The API as an application that is called from another thread, on a loop of its own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI
from sqlalchemy import text
from starlette.types import Receive, Scope, Send

from activities.mapping_preview import PreviewMappingInput, PreviewMappingResult
from api.app import create_app
from api.services import ApiServices
from db.mapping_previews import answer_preview
from db.session import Database
from domain.lanes import LaneKind


class ServedApi:
    """Opens the services at the start of its life, on the loop that serves, and closes them at its
    end: connections of a pool belong to the loop that opened them."""

    def __init__(self, open_services: Callable[[], ApiServices]) -> None:
        self._open_services = open_services
        self._app: FastAPI | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the whole life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        assert self._app is not None, "requests come after the start"
        await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        services = self._open_services()
        self._app = create_app(services)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        async with asyncio.timeout(10):
            await self._app.state.ingress.close()
            await services.database.close()
        await send({"type": "lifespan.shutdown.complete"})


@dataclass(frozen=True)
class DoneAtOnce:
    """A waker whose worker is done before the API asks: webhooks are processed."""

    database: Database

    async def wake(self, tenant_id: int, kind: LaneKind, key: int) -> None:
        """See `activities.lanes.Waker`."""
        if kind is LaneKind.INBOX:
            async with self.database.tenant(tenant_id) as connection:
                await connection.execute(_PROCESSED, {"store": key})


_PROCESSED: Final = text(
    "update webhook_events set status = 'processed', outcome = 'unchanged', processed_at = now()"
    " where store_id = :store and status = 'pending'"
)


async def found_a_record(database: Database, args: PreviewMappingInput) -> PreviewMappingResult:
    """A worker that tried a field mapping."""
    trace = {"external_id": "", "raw": {}, "before": {}, "after": {}, "errors": {}}
    found = {"external_id": "1", "record": trace, "variants": []}
    async with database.tenant(args.tenant_id) as connection:
        await answer_preview(connection, args.preview_id, found)
    return PreviewMappingResult()
