"""Two who save a field mapping at once."""

import asyncio

import pytest

from db.field_mappings import load_mapping, save_mapping
from domain.entities import Entity
from domain.errors import ConflictError
from domain.field_mapping import MappingRule
from tests.db.room import Room

FIRST = MappingRule(entity=Entity.PRODUCTS, target="title", expression="name")
SECOND = MappingRule(entity=Entity.PRODUCTS, target="title", expression="slug")


async def save_at_once(room: Room, *, expected: int | None) -> None:
    """Both begin when there are no rules; the first commits while the second waits for it."""
    async with room.database.tenant(room.tenant_id) as connection:
        await save_mapping(connection, room.tenant_id, room.store_id, [FIRST])
        later = asyncio.create_task(_save(room, expected=expected))
        async with asyncio.timeout(5):
            while not await room.rows(  # noqa: ASYNC110
                "select from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            ):
                await asyncio.sleep(0.01)
    await later


async def _save(room: Room, *, expected: int | None) -> None:
    async with room.database.tenant(room.tenant_id) as connection:
        await save_mapping(connection, room.tenant_id, room.store_id, [SECOND], expected=expected)


async def test_who_replaces_whatever_there_is_comes_last(room: Room) -> None:
    await save_at_once(room, expected=None)
    async with room.database.tenant(room.tenant_id) as connection:
        kept = await load_mapping(connection, room.store_id)
    assert (kept.rules, kept.version) == ((SECOND,), 2)


async def test_who_saw_none_is_told_that_there_are_some(room: Room) -> None:
    with pytest.raises(ConflictError):
        await save_at_once(room, expected=0)
