"""A hub at work in this process, with stores on demand."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from temporalio.client import Client

from db.session import Database
from runtime.hub import Hub
from runtime.settings import Settings
from sandbox.woocommerce.seed import ShopSeed
from tests.servers import TestDatabase
from tests.workflows.scene import Scene, served_store, working

OpenStore = Callable[..., Awaitable[Scene]]


@pytest.fixture
async def hub(settings: Settings) -> AsyncIterator[Hub]:
    """The parts of a worker process."""
    hub = Hub.build(settings, pool_size=10)
    yield hub
    await hub.close()


@pytest.fixture
async def open_store(
    hub: Hub, database: TestDatabase, temporal_client: Client
) -> AsyncIterator[OpenStore]:
    """Call it with the members of a `ShopSeed` for a store that is connected to such a shop."""
    owner = Database(database.owner_url, pool_size=1)
    async with AsyncExitStack() as stack:

        async def open_one(**seed: Any) -> Scene:
            shop = served_store(hub, owner, temporal_client, ShopSeed(**seed))
            return await stack.enter_async_context(shop)

        yield open_one
    await owner.close()


@pytest.fixture
async def workers(temporal_client: Client, hub: Hub, settings: Settings) -> AsyncIterator[None]:
    """Workers on all task queues of this module's namespace."""
    async with working(temporal_client, hub, settings):
        yield
