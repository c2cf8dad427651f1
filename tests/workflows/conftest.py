"""A hub at work in this process, with stores on demand. One per module: it takes a while to start.

Everything here lives in the module's event loop, and so do the tests:
`pytestmark = pytest.mark.asyncio(loop_scope="module")`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from db.session import Database
from providers.easyorder.manifest import MANIFEST
from runtime.hub import Hub
from runtime.settings import Settings, load_settings
from sandbox.woocommerce.seed import ShopSeed
from tests.db.room import new_room
from tests.servers import TestDatabase, environment
from tests.workflows.lanes import LADDER_S, Sending, Street
from tests.workflows.scene import Scene, served_store, working
from tests.workflows.two_stores import Pair, PairApi, hub_api, two_stores
from workflows.waking import LaneWaker

OpenStore = Callable[..., Awaitable[Scene]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a module in one process."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="module")
def settings(
    database: TestDatabase, temporal_address: str, temporal_namespace: str
) -> Iterator[Settings]:
    """The settings of a hub that uses this module's servers."""
    with pytest.MonkeyPatch.context() as patch:
        variables = environment(database, temporal_address, temporal_namespace)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield load_settings(env_file=None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def temporal_client(temporal_address: str, temporal_namespace: str) -> Client:
    """A client of this module's namespace."""
    return await Client.connect(
        temporal_address, namespace=temporal_namespace, data_converter=pydantic_data_converter
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(settings: Settings) -> AsyncIterator[Hub]:
    """The parts of a worker process."""
    hub = Hub.build(settings, pool_size=10)
    yield hub
    await hub.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers(temporal_client: Client, hub: Hub, settings: Settings) -> AsyncIterator[None]:
    """Workers on all task queues."""
    async with working(temporal_client, hub, settings):
        yield


@pytest_asyncio.fixture(loop_scope="module")
async def open_store(
    hub: Hub, database: TestDatabase, temporal_client: Client, workers: None
) -> AsyncIterator[OpenStore]:
    """Call it with the members of a `ShopSeed` for a store that is connected to such a shop."""
    owner = Database(database.owner_url, pool_size=1)
    async with AsyncExitStack() as stack:

        async def open_one(**seed: Any) -> Scene:
            shop = served_store(hub, owner, temporal_client, ShopSeed(**seed))
            return await stack.enter_async_context(shop)

        yield open_one
    await owner.close()


@pytest.fixture(scope="module")
def unhurried() -> Iterator[None]:
    """EasyOrder without its pace of 36 requests a minute, which has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        hasty = replace(MANIFEST, requests_per_minute=None)
        patch.setattr("providers.easyorder.provider.MANIFEST", hasty)
        yield


@pytest_asyncio.fixture(loop_scope="module")
async def pair_api(
    settings: Settings, database: TestDatabase, temporal_client: Client
) -> AsyncIterator[PairApi]:
    """The API of a new tenant, for `two_stores`."""
    async with hub_api(settings, database, temporal_client) as held:
        yield held


@pytest_asyncio.fixture(loop_scope="module")
async def pair(unhurried: None, workers: None, pair_api: PairApi) -> AsyncIterator[Pair]:
    """An empty WooCommerce shop and an empty EasyOrder store, kept in step both ways."""
    async with two_stores(pair_api) as held:
        yield held


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def databases(database: TestDatabase) -> AsyncIterator[tuple[Database, Database]]:
    """This module's database as the application and as its owner."""
    app, owner = Database(database.app_url, pool_size=12), Database(database.owner_url, pool_size=1)
    yield app, owner
    await app.close()
    await owner.close()


@pytest_asyncio.fixture(loop_scope="module")
async def street(databases: tuple[Database, Database]) -> Street:
    """A new tenant's store with a push lane."""
    room = await new_room(*databases)
    return Street(room, Sending(room.database))


@pytest_asyncio.fixture(loop_scope="module")
async def waker(street: Street, temporal_client: Client) -> LaneWaker:
    """Wakes the lanes of `street`."""
    return LaneWaker(street.room.database, temporal_client, ladder_s=LADDER_S)
