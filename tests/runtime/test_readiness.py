import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
import structlog
from structlog.testing import capture_logs
from temporalio.client import Client

from db.schema_version import newest_revision
from db.session import Database
from runtime import readiness
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.readiness import (
    database_problem,
    schema_problem,
    temporal_problem,
    wait_until_ready,
)
from tests.servers import TestDatabase, new_database


@pytest.fixture
async def fresh(postgres: EmbeddedPostgres) -> AsyncIterator[tuple[TestDatabase, Database]]:
    """A migrated database of this test alone."""
    made = new_database(postgres)
    database = Database(made.app_url, pool_size=1)
    yield made, database
    await database.close()
    postgres.drop_database(made.name)


async def connect_nowhere() -> Client:
    return await Client.connect("127.0.0.1:1")


async def test_a_migrated_database_is_ready(fresh: tuple[TestDatabase, Database]) -> None:
    _, database = fresh
    assert await database_problem(database) is None
    assert await schema_problem(database) is None


@pytest.mark.parametrize(
    ("revision", "problem"),
    [
        ("0001", f"at 0001 instead of {newest_revision()}: run `entrepot migrate`"),
        ("9999", None),  # a newer release migrated it, and this one is about to be replaced
    ],
)
async def test_only_an_older_schema_is_waited_for(
    revision: str, problem: str | None, fresh: tuple[TestDatabase, Database]
) -> None:
    made, database = fresh
    with psycopg.connect(made.superuser_url) as connection:
        connection.execute("update alembic_version set version_num = %s", [revision])
    assert await schema_problem(database) == problem


async def test_what_is_away_says_so_in_one_line_without_secrets(
    postgres: EmbeddedPostgres,
) -> None:
    missing = Database(postgres.url("entrepot_app", f"none_{uuid4().hex}"), pool_size=1)
    closed = Database("postgresql://app:hunter2@127.0.0.1:1/hub", pool_size=1)
    problems = [
        await database_problem(missing),
        await schema_problem(missing),
        await database_problem(closed),
        await temporal_problem(connect_nowhere),
    ]
    assert [len((problem or "").splitlines()) for problem in problems] == [1, 1, 1, 1]
    assert "does not exist" in (problems[0] or "")
    assert problems[3] == "no connection (connection refused)"
    assert "hunter2" not in str(problems)


async def test_a_server_that_is_there_is_no_problem(temporal_client: Client) -> None:
    async def connected() -> Client:
        return temporal_client

    assert await temporal_problem(connected) is None


async def test_waiting_says_what_for_whenever_that_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "_PAUSE_S", 0.0)
    monkeypatch.setattr(readiness, "_log", structlog.get_logger())
    answers = iter(["no socket", "no socket", "starting up", None])

    async def look() -> str | None:
        return next(answers)

    with capture_logs() as logs:
        assert await wait_until_ready("the database", look, asyncio.Event())
    assert logs == [
        {"event": "waiting", "until": "the database", "reason": one, "log_level": "warning"}
        for one in ("no socket", "starting up")
    ] + [{"event": "waited", "until": "the database", "log_level": "info"}]


async def test_waiting_ends_when_the_process_is_told_to_stop() -> None:
    stop = asyncio.Event()

    async def look() -> str | None:
        stop.set()
        return "no socket"

    assert not await wait_until_ready("the database", look, stop)
