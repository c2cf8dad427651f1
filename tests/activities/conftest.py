"""The activities as a worker has them, over a store that is served in this process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from temporalio.client import Client

from db.session import Database
from domain.entities import Entity
from runtime.hub import Hub
from runtime.settings import Settings
from sandbox.woocommerce.seed import ShopSeed
from tests.activities.bench import Bench
from tests.activities.demand_desk import Desk
from tests.activities.push_room import PushRoom, new_push_room, off
from tests.db.factories import customer, order
from tests.servers import TestDatabase
from tests.workflows.scene import served_store


@pytest.fixture
async def bench(
    settings: Settings, database: TestDatabase, temporal_client: Client
) -> AsyncIterator[Bench]:
    """A store with 450 orders, which has 5 pages of them, and a run that has begun."""
    owner = Database(database.owner_url, pool_size=1)
    async with AsyncExitStack() as stack:
        hub = Hub.build(settings, pool_size=4)
        stack.push_async_callback(owner.close)
        stack.push_async_callback(hub.close)
        seed = ShopSeed(products=5, orders=450, customers=5)
        scene = await stack.enter_async_context(served_store(hub, owner, temporal_client, seed))
        yield await Bench.begin(scene)


@pytest.fixture
async def room(database: TestDatabase) -> AsyncIterator[PushRoom]:
    """Two stores of a new tenant, one with a shop in memory to be pushed to."""
    app, owner = Database(database.app_url, pool_size=4), Database(database.owner_url, pool_size=1)
    yield await new_push_room(app, owner)
    await app.close()
    await owner.close()


@pytest.fixture
async def desk(room: PushRoom) -> Desk:
    """Three customers and a guest of the home store."""
    room.opener.settings = off("customers")
    await room.come_in(
        Entity.CUSTOMERS, *(customer(str(one), f"c{one}@example.test") for one in range(1, 4))
    )
    await room.come_in(Entity.ORDERS, order("o1", email="guest@example.test"))
    desk = Desk(room)
    await desk.unasked()
    return desk
