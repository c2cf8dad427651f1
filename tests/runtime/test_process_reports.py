"""Every process of the hub is seen while it runs, and not afterwards."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from db.processes import ProcessKind, SeenProcess, discard_lost_processes, list_processes
from db.session import Database
from db.tables.processes import PROCESSES
from runtime.process_reports import ProcessReports
from runtime.sweeper import sweep_once

QUEUES = ("pull", "import")


@pytest.fixture
async def own(app_url: str) -> AsyncIterator[Database]:
    database = Database(app_url, pool_size=3)
    yield database
    async with database.lookup() as connection:
        await connection.execute(text("delete from processes"))
    await database.close()


async def seen(database: Database) -> list[SeenProcess]:
    async with database.lookup() as connection:
        return list(await list_processes(connection))


async def silence(database: Database, process: ProcessReports, seconds: int) -> None:
    """As if it had said nothing for so long."""
    async with database.lookup() as connection:
        await connection.execute(
            text("update processes set seen_at = now() - make_interval(secs => :s) where id = :id"),
            {"s": seconds, "id": process.id},
        )


async def test_each_process_keeps_its_own_row(own: Database) -> None:
    api = ProcessReports(own, ProcessKind.API)
    worker = ProcessReports(own, ProcessKind.WORKER, QUEUES)
    for one in (api, worker, worker):
        await one.report()
    first, second = await seen(own)
    assert [(one.id, one.kind, tuple(one.queues)) for one in (first, second)] == [
        (api.id, "api", ()),
        (worker.id, "worker", QUEUES),
    ]
    assert 20e6 < first.memory_bytes <= first.peak_memory_bytes
    assert first.cpu_s > 0
    assert (first.connections_in_use, first.connections_max) == (0, 3)
    assert first.started_at < first.seen_at
    await worker.leave()
    assert [one.id for one in await seen(own)] == [api.id]


async def test_the_row_is_of_now(own: Database) -> None:
    process = ProcessReports(own, ProcessKind.API)
    await process.report()
    (before,) = await seen(own)
    sum(range(3_000_000))
    async with own.lookup():
        await process.report()
    (after,) = await seen(own)
    assert after.seen_at > before.seen_at
    assert after.cpu_s > before.cpu_s
    assert after.connections_in_use == 1
    assert after.started_at == before.started_at


async def test_a_killed_process_is_seen_for_a_minute_and_then_swept(own: Database) -> None:
    alive, killed = (ProcessReports(own, ProcessKind.WORKER) for _ in range(2))
    for one in (alive, killed):
        await one.report()
        await silence(own, one, 50)
    assert len(await seen(own)) == 2
    await silence(own, killed, 61)
    assert [one.id for one in await seen(own)] == [alive.id]
    with capture_logs() as log:
        assert await sweep_once(own)
    assert [one["count"] for one in log if one["event"] == "processes_lost"] == [1]
    async with own.lookup() as connection:
        assert await discard_lost_processes(connection) == 0
    # It was only slow: it is back with its next report.
    await killed.report()
    assert len(await seen(own)) == 2


async def test_a_database_that_is_away_is_told_once_and_stops_nobody(
    own: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    process = ProcessReports(gone, ProcessKind.API)
    with capture_logs() as log:
        for _ in range(3):
            await process.report()
        monkeypatch.setattr(process, "_database", own)
        await process.report()
        await process.report()
        monkeypatch.setattr(process, "_database", gone)
        await process.leave()
    await gone.close()
    assert [one["event"] for one in log] == [
        *("process_not_reported", "works_again", "process_not_reported"),
    ]
    assert [one.id for one in await seen(own)] == [process.id]


def test_no_column_is_for_anything_of_a_tenant() -> None:
    """Whoever adds one has to put the table under row-level security."""
    assert set(PROCESSES.columns.keys()) == {
        *("id", "kind", "queues", "started_at", "seen_at", "cpu_s", "cpu_percent"),
        *("memory_bytes", "peak_memory_bytes", "connections_in_use", "connections_max"),
    }
