"""A provider written into a temporary folder: connected through the API and imported from."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import pytest_asyncio

from runtime.settings import Settings, load_settings
from sandbox.hosting import application
from sandbox.journal import Journal
from sandbox.server import listen, port_of, running
from sandbox.wire import Reply, Request, Send, send_reply
from scripts.new_provider import write_provider
from tests.workflows.two_stores import PairApi

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAME = "village_shop"
KEY = "a-key-of-the-village"
ROWS: list[dict[str, Any]] = [
    {"id": f"p{number}", "name": f"Thing {number}", "sku": f"T{number}", "price": 9.5, "stock": 3}
    for number in range(130)
]


@pytest.fixture(scope="module")
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Those of the hub, with one more folder of providers."""
    place: Path = tmp_path_factory.mktemp("new")
    write_provider(NAME, place)
    assert settings.provider_paths == ()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENTREPOT_PROVIDER_PATHS", str(place))
        yield load_settings(env_file=None)
    for name in [one for one in sys.modules if one.startswith(f"providers.{NAME}")]:
        del sys.modules[name]


async def answer(request: Request, send: Send) -> tuple[int, int]:
    """The shop that the templates are written for."""
    reply = Reply(401, b'{"message": "no"}')
    if request.headers.get("x-api-key") == KEY:
        query = {name: one[0] for name, one in parse_qs(request.query).items()}
        rows = ROWS
        if "ids" in query:
            rows = [row for row in ROWS if row["id"] in query["ids"].split(",")]
        size, page = int(query.get("limit", 100)), int(query.get("page", 1))
        shown = rows[(page - 1) * size : page * size]
        reply = Reply(200, json.dumps({"data": shown, "total": len(ROWS)}).encode())
    await send_reply(send, reply)
    return reply.status, len(reply.body)


@pytest_asyncio.fixture(loop_scope="module")
async def shop_url() -> AsyncIterator[str]:
    bound = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{port_of(bound)}"
    async with running(application(Journal(), answer), bound):
        yield url


@pytest_asyncio.fixture(loop_scope="module")
async def http(pair_api: PairApi, workers: None) -> httpx.AsyncClient:
    """The API of this hub, as a new tenant calls it."""
    return pair_api[0]


async def settled(http: httpx.AsyncClient, store_id: int) -> None:
    async with asyncio.timeout(30):
        while True:
            store = (await http.get(f"/api/stores/{store_id}")).json()
            if store["syncStatus"] == "success":
                return
            await asyncio.sleep(0.1)


async def test_new_folder_is_all_it_takes_to_connect_and_import(
    http: httpx.AsyncClient, shop_url: str
) -> None:
    offered = (await http.get("/api/providers")).json()["data"]
    body = {"name": "Village", "code": "village", "provider": NAME, "sync": True}
    config = {"storeUrl": shop_url, "apiKey": "a-wrong-key", "currency": "LKR"}
    refused = await http.post("/api/stores", json={**body, "config": config})
    config["apiKey"] = KEY
    connected = await http.post("/api/stores", json={**body, "config": config})
    store_id = connected.json()["id"]
    await settled(http, store_id)
    products = (await http.get("/api/products", params={"limit": 500})).json()["data"]

    assert NAME in {one["slug"] for one in offered}
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("store-credentials-refused")
    assert connected.status_code == 201, connected.text
    assert sorted(one["title"] for one in products) == sorted(row["name"] for row in ROWS)
    assert products[0]["variants"][0]["price"] == "9.50"
