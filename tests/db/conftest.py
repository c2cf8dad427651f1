"""Databases as the application and as their owner."""

from collections.abc import AsyncIterator

import pytest

from db.session import Database
from tests.db.room import Room, new_room
from tests.servers import TestDatabase


@pytest.fixture
async def app(app_url: str) -> AsyncIterator[Database]:
    """This module's database as the application role."""
    database = Database(app_url, pool_size=6)
    yield database
    await database.close()


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[Database]:
    """This module's database as the owner of its tables."""
    database = Database(owner_url, pool_size=1)
    yield database
    await database.close()


@pytest.fixture
async def room(app: Database, owner: Database) -> Room:
    """A new tenant with a store."""
    return await new_room(app, owner)


@pytest.fixture
def superuser(database: TestDatabase) -> str:
    """This module's database as the server's superuser."""
    return database.superuser_url
