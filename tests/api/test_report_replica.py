"""Reports and exports read from a standby that really follows its primary."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from psycopg import errors as driver
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from api.app import create_app
from api.config import ApiConfig
from api.routers import health
from api.woocommerce_sync import reports
from db import export
from db.session import Database
from runtime.embedded.postgres import APP_ROLE, EmbeddedPostgres
from tests.api.hub import Caller, Hub
from tests.api.reported_shop import SYNC, Shop, told
from tests.api.test_export import EXPORT, PEOPLE, drain, exported, served
from tests.servers import TestDatabase
from tests.standby import Standby, standby_of

AWAY = "The replica that reports are read from does not answer."
REPORTS = (f"{SYNC}/analytics", f"{SYNC}/history", f"{EXPORT}/customers")


@pytest.fixture(scope="module")
def standby(
    postgres: EmbeddedPostgres, database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Standby]:
    """A copy of the server with this module's database."""
    assert database.name
    with standby_of(postgres, tmp_path_factory.mktemp("standby")) as running:
        yield running


@pytest.fixture
def config() -> ApiConfig:
    """Answers about records are kept, reports are not."""
    return ApiConfig(cache_analytics_s=0, cache_status_s=0)


@pytest.fixture
async def hub(hub: Hub, standby: Standby, database: TestDatabase) -> AsyncIterator[Hub]:
    await hub.show_process()
    async with reading_from(hub, standby.url(APP_ROLE, database.name)) as reading:
        yield reading


@asynccontextmanager
async def reading_from(hub: Hub, url: str) -> AsyncIterator[Hub]:
    """The API with one connection to a replica, so that every tenant uses the same."""
    replica = Database(url, pool_size=1, is_replica=True)
    services = replace(hub.services, replica=replica)
    app = create_app(services)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.internal") as http:
        yield replace(hub, services=services, http=http)
    await app.state.ingress.close()
    await replica.close()


async def shown(caller: Caller) -> tuple[int, int, int]:
    """How many products analytics have seen, entries history has, customers an export has."""
    records = (await told(caller, "analytics"))["total"]["records"]
    entries = (await told(caller, "history"))["data"]
    people = await exported(caller, "customers")
    return records.get("products", {"seen": 0})["seen"], len(entries), len(people)


async def add_customer(caller: Caller, email: str) -> None:
    assert (await caller.post("/api/customers", json={"email": email})).status_code == 201


async def customers(caller: Caller) -> int:
    return len((await caller.get("/api/customers")).json()["data"])


async def test_reports_are_as_old_as_the_replica_and_all_else_is_new(
    hub: Hub, caller: Caller, standby: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await Shop.new(hub, caller)
    await shop.log(details={"seen": 1})
    await add_customer(caller, "one@example.com")
    standby.catch_up()
    assert (await shown(caller), await customers(caller)) == ((1, 1, 1), 1)
    assert await replica_state(caller) == "healthy"
    standby.pause()
    try:
        await shop.log(details={"seen": 2})
        await add_customer(caller, "two@example.com")
        assert (await shown(caller), await customers(caller)) == ((1, 1, 1), 2)
        standby.receive()
        monkeypatch.setattr(health, "_REPLICA_LAG_S", 0.0)
        assert await replica_state(caller) == "degraded"
        trail = (await caller.get("/api/audit", params={"action": "export.started"})).json()
        assert len(trail["data"]) == 2
    finally:
        standby.resume()
    # The primary's revision is the one it was: nothing old was kept under it.
    assert (await shown(caller), await customers(caller)) == ((3, 2, 2), 2)


async def test_tenants_are_apart_on_the_replica(hub: Hub, caller: Caller, standby: Standby) -> None:
    stranger = await hub.new_caller()
    for one, seen in ((caller, 5), (stranger, 7)):
        await (await Shop.new(hub, one)).log(details={"seen": seen})
        await add_customer(one, "own@example.com")
    standby.catch_up()
    for one, seen in ((caller, 5), (stranger, 7), (caller, 5)):
        assert await shown(one) == (seen, 1, 1)
    async with hub.services.reports.lookup() as connection:
        assert await connection.scalar(text("select count(*) from customers")) == 0


async def test_nothing_is_written_through_a_replica_whatever_the_server_is(
    hub: Hub, caller: Caller, app_url: str
) -> None:
    primary = Database(app_url, pool_size=1, is_replica=True)
    try:
        for database in (hub.services.reports, primary):
            with pytest.raises(DBAPIError) as refused:
                async with database.tenant(caller.tenant.id) as connection:
                    await connection.execute(text(PEOPLE), {"owner": caller.tenant.id})
            assert isinstance(refused.value.orig, driver.ReadOnlySqlTransaction)
    finally:
        await primary.close()


async def test_a_replica_that_is_away_is_told_and_takes_nothing_else_along(
    hub: Hub, caller: Caller, standby: Standby
) -> None:
    standby.stop()
    try:
        for path in REPORTS:
            answer = await caller.get(path)
            assert (path, answer.status_code) == (path, 503)
            assert answer.json()["detail"].startswith(AWAY)
            assert answer.headers["retry-after"] == "30"
        for path in ("status", "conflicts"):
            assert (await caller.get(f"{SYNC}/{path}")).status_code == 200
        assert await replica_state(caller) == "unhealthy"
    finally:
        standby.start()
    standby.catch_up()
    assert await shown(caller) == (0, 0, 0)


async def test_a_replica_that_the_migrations_have_not_reached_says_so(
    hub: Hub, caller: Caller, postgres: EmbeddedPostgres
) -> None:
    async with reading_from(hub, postgres.url(APP_ROLE, "postgres")) as reading:
        told = [await replace(caller, http=reading.http).get(path) for path in REPORTS]
    assert [one.status_code for one in told] == [503] * 3
    assert all("does not have the schema" in one.json()["detail"] for one in told)


async def test_a_report_that_is_in_the_way_of_replay_says_so(
    hub: Hub, caller: Caller, standby: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def figures(connection: AsyncConnection, *_: Any) -> None:
        await connection.execute(text("select from store_sync_logs limit 1"))
        await asyncio.gather(
            lock(hub, "store_sync_logs"), connection.execute(text("select pg_sleep(20)"))
        )

    monkeypatch.setattr(reports, "load_figures", figures)
    with standby.impatient():
        answer = await caller.get(f"{SYNC}/analytics")
    assert answer.status_code == 503
    assert "gave this one up to keep pace" in answer.json()["detail"]


async def test_an_export_that_is_in_the_way_of_replay_breaks_off(
    hub: Hub, caller: Caller, standby: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hub.execute(caller.tenant, PEOPLE, owner=caller.tenant.id)
    standby.catch_up()
    bound = export._bound

    async def slow(connection: Any, walk: Any, after: int, keys: int) -> tuple[int, int] | None:
        found = await bound(connection, walk, after, keys)
        if after:
            await asyncio.gather(lock(hub, "customers"), connection.execute("select pg_sleep(20)"))
        return found

    monkeypatch.setattr(export, "_bound", slow)
    # Traces are not rendered: they would take seconds.
    with standby.impatient(), capture_logs() as logs:
        async with served(hub) as url, httpx.AsyncClient(base_url=url) as http:
            path = f"{EXPORT}/customers"
            async with http.stream("GET", path, headers=caller.headers) as answer:
                assert answer.status_code == 200
                with pytest.raises(httpx.RemoteProtocolError):
                    await drain(answer.aiter_raw())
    assert "request_failed" in {one["event"] for one in logs}


async def lock(hub: Hub, table: str) -> None:
    """What a migration does, and the standby does after it: cancelling who reads the table."""
    async with hub.owner.lookup() as connection:
        await connection.execute(text(f"lock table {table} in access exclusive mode"))


async def replica_state(caller: Caller) -> Any:
    answer = await caller.get("/api/health", params={"detailed": "true"})
    assert (answer.status_code, answer.json()["status"]) == (200, "healthy")
    return answer.json()["services"]["reports"]
