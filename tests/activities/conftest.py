"""The activities as a worker has them, over a store that is served in this process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from temporalio.client import Client

from db.session import Database
from domain.entities import Entity
from runtime.hub import Hub
from runtime.settings import Settings
from sandbox.woocommerce.seed import ShopSeed
from tests.activities.bench import Bench
from tests.activities.demand_desk import Desk
from tests.activities.inbox_room import Inbox
from tests.activities.push_room import PushRoom, new_push_room, off
from tests.db.factories import customer, order
from tests.servers import TestDatabase
from tests.workflows.scene import Scene, served_store

OpenScene = Callable[..., Awaitable[Scene]]


@pytest.fixture
async def open_scene(
    settings: Settings, database: TestDatabase, temporal_client: Client
) -> AsyncIterator[OpenScene]:
    """Call it with the members of a `ShopSeed` for a store that is connected to such a shop."""
    owner = Database(database.owner_url, pool_size=1)
    async with AsyncExitStack() as stack:
        hub = Hub.build(settings, pool_size=4)
        stack.push_async_callback(owner.close)
        stack.push_async_callback(hub.close)

        async def open_one(**seed: Any) -> Scene:
            shop = served_store(hub, owner, temporal_client, ShopSeed(**seed))
            return await stack.enter_async_context(shop)

        yield open_one


@pytest.fixture
async def bench(open_scene: OpenScene) -> Bench:
    """A store with 450 orders, which has 5 pages of them, and a run that has begun."""
    return await Bench.begin(await open_scene(products=5, orders=450, customers=5))


@pytest.fixture
async def inbox(open_scene: OpenScene) -> Inbox:
    """A store whose webhooks come in."""
    return Inbox(await open_scene(products=12, orders=3, customers=2))


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
