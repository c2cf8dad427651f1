"""Secrets move from one master key to the next: all of them, whatever happens meanwhile."""

import asyncio
from dataclasses import asdict
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from db.crypto import SecretBox, store_context
from db.rotation import reseal_batch
from db.sealed_tables import SEALED_TABLES
from db.session import Database
from db.tables.base import METADATA
from runtime.cli.administration import Databases
from runtime.cli.errors import CliError
from runtime.cli.master_key import drop, move_all
from runtime.embedded.keys import KEY_FILE, ensure_key_file
from runtime.key_file import KeyFile
from tests.db.room import Room, new_room
from tests.db.sealed_rooms import WHOLE, Installation, fill, keys_in_use, opened

BATCH = 10
STORES = SEALED_TABLES[0]


@pytest.fixture
def installation(
    tmp_path: Path,
    app: Database,
    owner: Database,
    app_url: str,
    superuser: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Installation:
    """With no secret of another test in its database."""
    monkeypatch.setattr("db.rotation.BATCH", BATCH)
    with psycopg.connect(superuser, autocommit=True) as connection:
        for one in SEALED_TABLES:
            if one.table.c.key_id.nullable:
                connection.execute(f"update {one.table.name} set key_id = null")
            else:
                connection.execute(f"delete from {one.table.name}")
    return Installation(tmp_path, Databases(owner, app), app_url)


def test_every_table_with_secrets_is_known() -> None:
    keeping = {name for name, table in METADATA.tables.items() if "encrypted_data" in table.c}
    assert {one.table.name for one in SEALED_TABLES} == keeping == set(WHOLE)


async def test_every_secret_of_every_tenant_moves(
    installation: Installation, app: Database, owner: Database
) -> None:
    rooms = [await new_room(app, owner) for _ in range(2)]
    old = installation.box()
    running = installation.box()
    for room in rooms:
        await fill(room, old, answers=BATCH + 5)
        assert await opened(room, old) == WHOLE
    before = old.newest_key_id
    assert await installation.rotate() >= 2 * (len(SEALED_TABLES) + BATCH + 4)
    assert "Made a new master key" in installation.told[0]
    newest = SecretBox(KeyFile(installation.data_dir / KEY_FILE).read()[:1])
    assert newest.newest_key_id != before
    for room in rooms:
        assert await keys_in_use(room) == {newest.newest_key_id}
        # With the new key alone, and by a process that was running all the time.
        assert await opened(room, newest) == await opened(room, running) == WHOLE


async def test_a_rotation_that_was_killed_half_way_goes_on_with_the_same_key(
    installation: Installation, room: Room
) -> None:
    await fill(room, installation.box(), answers=2 * BATCH)
    box = await installation.begin()
    made = KeyFile(installation.data_dir / KEY_FILE).read()
    answers = SEALED_TABLES[-1]
    async with room.database.tenant(room.tenant_id) as connection:
        first = await reseal_batch(connection, answers, box, after=None)
    assert first.moved == BATCH
    assert len(await keys_in_use(room)) == 2
    assert await opened(room, installation.box()) == WHOLE
    assert await installation.rotate() == BATCH + len(SEALED_TABLES) - 1
    assert "Going on with the rotation that was not finished." in installation.told
    assert KeyFile(installation.data_dir / KEY_FILE).read() == made
    assert await keys_in_use(room) == {installation.box().newest_key_id}
    assert await opened(room, installation.box()) == WHOLE


async def test_who_seals_meanwhile_loses_nothing(installation: Installation, room: Room) -> None:
    """A process that was running before writes all the while, and so do two rotations."""
    running = installation.box()
    await fill(room, running, answers=BATCH)
    box, done = await installation.begin(), asyncio.Event()
    written = 0

    async def write() -> None:
        nonlocal written
        while not done.is_set() or written < 20:
            written += 1
            sealed = running.seal(b"%d" % written, context=store_context(room.store_id))
            await room.rows(
                "update stores set encrypted_data = :encrypted_data, iv = :iv, tag = :tag,"
                " key_id = :key_id where id = :store",
                **asdict(sealed),
            )

    async def move() -> None:
        tell = installation.told.append
        await asyncio.gather(*(move_all(installation.databases, box, tell) for _ in range(2)))
        done.set()

    await asyncio.gather(write(), move())
    assert await opened(room, installation.box()) == {**WHOLE, "stores": {b"%d" % written}}
    assert await keys_in_use(room) == {box.newest_key_id}


async def test_a_row_that_was_written_since_it_was_read_is_left_as_it_is(
    installation: Installation, room: Room
) -> None:
    old = installation.box()
    await fill(room, old)
    box = await installation.begin()
    newer = box.seal(b"entered anew", context=store_context(room.store_id))
    async with (
        room.database.tenant(room.tenant_id) as writer,
        asyncio.TaskGroup() as tasks,
    ):
        await writer.execute(
            text(
                "update stores set encrypted_data = :encrypted_data, iv = :iv, tag = :tag,"
                " key_id = :key_id where id = :store"
            ),
            {**asdict(newer), "store": room.store_id},
        )

        async def reseal() -> int:
            async with room.database.tenant(room.tenant_id) as connection:
                return (await reseal_batch(connection, STORES, box, after=None)).moved

        moving = tasks.create_task(reseal())
        while not (
            await room.rows("select 1 from pg_stat_activity where wait_event_type = 'Lock'")
        ):
            assert not moving.done()
        await writer.commit()
    assert moving.result() == 0
    assert (await opened(room, box))["stores"] == {b"entered anew"}


async def test_what_was_being_written_with_the_old_key_is_waited_for(
    installation: Installation, room: Room
) -> None:
    late = installation.box().seal(b"late", context=store_context(room.store_id))
    async with (
        room.database.tenant(room.tenant_id) as writer,
        asyncio.TaskGroup() as tasks,
    ):
        await writer.execute(
            text(
                "update stores set encrypted_data = :encrypted_data, iv = :iv, tag = :tag,"
                " key_id = :key_id where id = :store"
            ),
            {**asdict(late), "store": room.store_id},
        )
        box = await installation.begin()
        moving = tasks.create_task(move_all(installation.databases, box, installation.told.append))
        done, _ = await asyncio.wait({moving}, timeout=0.5)
        assert not done
        await writer.commit()
    assert moving.result()["stores"] == 1
    assert await keys_in_use(room) == {box.newest_key_id}


async def test_a_secret_that_does_not_open_is_named_and_holds_up_no_other(
    installation: Installation, app: Database, owner: Database
) -> None:
    rooms = [await new_room(app, owner) for _ in range(2)]
    for room in rooms:
        await fill(room, installation.box())
    await rooms[0].rows("update stores set tag = reverse(tag) where id = :store")
    with pytest.raises(CliError) as caught:
        await installation.rotate()
    assert f"stores {rooms[0].store_id}: " in str(caught.value)
    assert "1 could not be re-encrypted" in str(caught.value)
    newest = installation.box().newest_key_id
    assert await keys_in_use(rooms[1]) == {newest}
    assert len(await keys_in_use(rooms[0])) == 2
    # What was done is on record, though it was not all.
    entry = "select action, details from audit_log order by id"
    numbers = [{"moved": len(WHOLE) - left, "left": left} for left in (1, 0)]
    for room, told in zip(rooms, numbers, strict=True):
        assert await room.rows(entry) == [("master_key.rotated", told)]
    await rooms[0].rows("update stores set tag = reverse(tag) where id = :store")
    assert await installation.rotate() == 1
    told = {"moved": 1, "left": 0}
    assert (await rooms[0].rows(entry))[1:] == [("master_key.rotated", told)]
    assert await opened(rooms[0], installation.box()) == WHOLE


async def test_old_keys_are_dropped_only_when_nothing_needs_them(
    installation: Installation, room: Room
) -> None:
    old = installation.box()
    await fill(room, old)
    await installation.rotate()
    path = installation.data_dir / KEY_FILE
    assert len(KeyFile(path).read()) == 2
    # Sealed before the key was replaced, written after everything had moved.
    late = SecretBox(KeyFile(path).read()[1:]).seal(b"late", context=store_context(room.store_id))
    await room.rows(
        "update stores set encrypted_data = :encrypted_data, iv = :iv, tag = :tag,"
        " key_id = :key_id where id = :store",
        **asdict(late),
    )
    tell = installation.told.append
    await drop(installation.databases, installation.box(), installation.data_dir, tell, settle_s=0)
    assert len(KeyFile(path).read()) == 1
    assert await opened(room, installation.box()) == {**WHOLE, "stores": {b"late"}}


async def test_the_next_rotation_keeps_the_key_before_and_no_older(
    installation: Installation, room: Room
) -> None:
    path = ensure_key_file(installation.data_dir)
    (first,) = KeyFile(path).read()
    await fill(room, installation.box())
    await installation.rotate()
    second, kept = KeyFile(path).read()
    assert kept == first
    await installation.rotate()
    third, kept = KeyFile(path).read()
    assert kept == second
    assert third not in {first, second}
    assert await opened(room, SecretBox([third])) == WHOLE


async def test_two_rotations_in_a_row_lose_nothing_that_was_sealed_before_the_first(
    installation: Installation, room: Room
) -> None:
    late = installation.box().seal(b"late", context=store_context(room.store_id))
    await installation.rotate()
    (installation.data_dir / KEY_FILE).touch()
    second = asyncio.create_task(installation.rotate(settle_s=1))
    while not installation.told[-1].startswith("Waiting"):
        assert not second.done()
        await asyncio.sleep(0)
    await room.rows(
        "update stores set encrypted_data = :encrypted_data, iv = :iv, tag = :tag,"
        " key_id = :key_id where id = :store",
        **asdict(late),
    )
    await second
    assert (await opened(room, installation.box()))["stores"] == {b"late"}
