"""Asking something of a scene's store through the API, and what the shop was asked for it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import httpx
from temporalio.client import WorkflowFailureError

from api.app import create_app
from db.keys import NewKey, create_key
from runtime.api_process import build_services
from runtime.settings import Settings
from tests.workflows.scene import PATIENCE_S, Scene

_ROOT = "/wp-json/wc/v3/"
_SYNC = "/api/woocommerce-sync/sync/"
_SIGNATURE = ("consumer_key", "consumer_secret", "oauth_")


@dataclass(frozen=True)
class Asker:
    """A tool of the merchant's with a key that may do everything."""

    scene: Scene
    http: httpx.AsyncClient

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """What the API answers to `/api/woocommerce-sync/sync/{path}`."""
        return await self.http.post(f"{_SYNC}{path}", json=body)

    async def demand(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask for something and wait for its end; the run as `GET /api/syncs/{id}` shows it."""
        answer = await self.post(path, body)
        assert answer.status_code == 202, answer.text
        return await self.finished(answer.json()["statusUrl"])

    async def finished(self, status_url: str) -> dict[str, Any]:
        """A run once it is over."""
        workflow = self.scene.client.get_workflow_handle(status_url.removeprefix("/api/syncs/"))
        async with asyncio.timeout(PATIENCE_S):
            with suppress(WorkflowFailureError):
                await workflow.result()
        shown: dict[str, Any] = (await self.http.get(status_url)).json()
        assert shown["status"] in {"success", "failed", "cancelled"}, shown
        return shown

    def asked(self) -> list[tuple[str, str, dict[str, str]]]:
        """What the shop was asked since the last look: method, path and query."""
        journal = self.scene.shop.journal
        log = [entry for entry in journal.log() if entry["path"].startswith(_ROOT)]
        journal.clear()
        return [
            (one["method"], one["path"].removeprefix(_ROOT), _query(one["query"])) for one in log
        ]


@asynccontextmanager
async def asking(scene: Scene, settings: Settings) -> AsyncIterator[Asker]:
    """The API in this process, called by the scene's tenant."""
    services = build_services(settings, scene.client)
    async with services.database.tenant(scene.tenant_id) as connection:
        made = NewKey(name="tool", permissions=("*",), requests_per_minute=100_000)
        key, secret = await create_key(connection, scene.tenant_id, made)
    app = create_app(services)
    headers = {"X-API-Key": key, "X-API-Secret": secret.get_secret_value()}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://hub", headers=headers, timeout=30
    ) as http:
        yield Asker(scene, http)
    await app.state.ingress.close()
    await services.cache.close()
    await services.limits.close()
    await services.database.close()


def only(
    asked: Sequence[tuple[str, str, dict[str, str]]], path: str, *names: str
) -> list[dict[str, str]]:
    """The queries of one path, with these parameters alone."""
    found = (query for _, one, query in asked if one == path)
    return [{name: query[name] for name in names if name in query} for query in found]


def _query(text: str) -> dict[str, str]:
    return {name: value for name, value in parse_qsl(text) if not name.startswith(_SIGNATURE)}
