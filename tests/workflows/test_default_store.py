"""The default store with everything real: PostgreSQL, Temporal, a worker, a shop."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.client import Client

from api.app import create_app
from db.session import Database
from db.tenants import create_tenant
from runtime.api_process import build_services
from runtime.default_store import keep_default_store
from runtime.default_store_settings import DefaultStoreSettings
from runtime.settings import Settings
from sandbox.woocommerce.seed import ShopSeed
from sandbox.woocommerce.serving import Options, Ready, serving
from tests.servers import TestDatabase

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/woocommerce-sync/connection/test"


@pytest_asyncio.fixture(loop_scope="module")
async def shop() -> AsyncIterator[Ready]:
    options = Options(prerender=False)
    async with serving(ShopSeed(products=5, orders=5), options=options) as (ready, _box):
        yield ready


async def whole_history(client: Client) -> str:
    """Everything that Temporal remembers of this module."""
    handles = [
        client.get_workflow_handle(one.id, run_id=one.run_id)
        async for one in client.list_workflows("")
    ]
    return "".join([(await one.fetch_history()).to_json() for one in handles])


async def test_variables_become_one_store_that_the_connection_test_finds(
    settings: Settings, database: TestDatabase, temporal_client: Client, workers: None, shop: Ready
) -> None:
    owner = Database(database.owner_url, pool_size=1)
    async with owner.lookup() as connection:
        tenant = await create_tenant(connection, "The only one")
    wanted = DefaultStoreSettings(
        shop.url, SecretStr(shop.consumer_key), SecretStr(shop.consumer_secret)
    )
    processes = [
        build_services(settings, temporal_client, default_store_url=shop.url) for _ in range(2)
    ]

    async def soon(_seconds: float) -> None:
        await asyncio.sleep(0.05)

    first, second = await asyncio.gather(
        *(keep_default_store(one, wanted, sleep=soon) for one in processes)
    )
    broken = replace(wanted, consumer_secret=SecretStr("cs_" + "0" * 40))
    app = create_app(processes[0])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://hub", timeout=30
    ) as http:
        answer = await http.get(PATH)
    pauses: list[float] = []

    async def give_up(seconds: float) -> None:
        pauses.append(seconds)
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await keep_default_store(processes[1], broken, sleep=give_up)
    async with processes[0].database.tenant(tenant.id) as connection:
        stores = (await connection.exec_driver_sql("select code, provider from stores")).all()
    everything = await whole_history(temporal_client)
    await app.state.ingress.close()
    for one in processes:
        await one.database.close()
    await owner.close()

    assert first.id == second.id
    assert [tuple(row) for row in stores] == [("default", "woocommerce")]
    assert (answer.status_code, answer.json()) == (200, {"connected": True})
    assert len(pauses) == 1
    assert "CheckStoreWorkflow" in everything
    assert shop.consumer_secret not in everything
    assert shop.consumer_key not in everything
