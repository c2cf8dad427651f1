"""Databases as the application and as their owner: one pool for each module, in its event loop."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pytest_asyncio import is_async_test

from db.session import Database
from tests.db.room import Room, new_room
from tests.servers import TestDatabase


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of a module in one event loop, where its connections live."""
    for item in items:
        if Path(__file__).parent in item.path.parents and is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(app_url: str) -> AsyncIterator[Database]:
    """This module's database as the application role."""
    database = Database(app_url, pool_size=6)
    yield database
    await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner(owner_url: str) -> AsyncIterator[Database]:
    """This module's database as the owner of its tables."""
    database = Database(owner_url, pool_size=1)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def room(app: Database, owner: Database) -> Room:
    """A new tenant with a store."""
    return await new_room(app, owner)


@pytest.fixture
def superuser(database: TestDatabase) -> str:
    """This module's database as the server's superuser."""
    return database.superuser_url
