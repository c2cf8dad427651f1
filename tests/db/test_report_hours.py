import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from db import runs
from db.session import Database
from domain.entities import Entity
from domain.latencies import bucket_of
from domain.statuses import SyncStatus
from tests.db.room import Room, new_room, new_store
from tests.servers import TestDatabase

HOUR = datetime(2026, 11, 20, 16, tzinfo=UTC)
EVENT = """
insert into webhook_events
  (tenant_id, store_id, event_type, topic, entity, route, body, received_at)
values (:tenant, :store, 'order_created', 'order.created', 'orders', 'generic', '{}', :at)
"""
LOG = """
insert into store_sync_logs (tenant_id, store_id, action, status, details, created_at)
values (:tenant, :store, 'sync_products', :status, :details, :at)
"""


@pytest.fixture
async def room(database: TestDatabase) -> AsyncIterator[Room]:
    app, owner = Database(database.app_url, pool_size=4), Database(database.owner_url, pool_size=1)
    yield await new_room(app, owner)
    await app.close()
    await owner.close()


async def logged(room: Room, status: str, details: str | None, minute: int = 5) -> None:
    at = HOUR.replace(minute=minute)
    await room.rows(LOG, tenant=room.tenant_id, status=status, details=details, at=at)


async def log_hours(room: Room) -> list[tuple[Any, ...]]:
    return await room.rows(
        "select direction, status, logs, seen, created, failed from sync_log_hours"
        " where logs > 0 order by direction, status"
    )


async def event_hours(room: Room) -> dict[tuple[str, str, int], int]:
    rows = await room.rows(
        "select status, outcome, bucket, events from webhook_hours where events > 0"
    )
    return {(status, outcome, bucket): events for status, outcome, bucket, events in rows}


async def test_logs_are_summed_up_by_hour(room: Room) -> None:
    push = json.dumps({"direction": "push", "created": 2, "errors": [{"reason": "x"}]})
    webhook = json.dumps({"direction": "webhook", "created": 1, "failed": 1})
    await logged(room, "success", '{"seen": 5, "created": 3}')
    await logged(room, "success", '{"seen": 7, "created": 4}', minute=59)
    await logged(room, "failed", push)
    await logged(room, "failed", webhook)
    assert await log_hours(room) == [
        ("pull", "success", 2, 12, 7, 0),
        ("push", "failed", 1, 0, 2, 0),
        ("webhook", "failed", 1, 0, 1, 1),
    ]
    hours = await room.rows("select distinct hour from sync_log_hours")
    assert [hour.astimezone(UTC) for (hour,) in hours] == [HOUR]


@pytest.mark.parametrize(
    "details",
    [None, "", "no JSON", "[1]", '"x"', '{"seen": "many"}', '{"x": "\\u0000"}', '{"seen": 1e999}'],
)
async def test_a_log_is_kept_whatever_it_says(room: Room, details: str | None) -> None:
    await logged(room, "success", details)
    ((direction, status, logs, seen, _, _),) = await log_hours(room)
    assert (direction, status, logs) == ("pull", "success", 1)
    assert seen in {0, 10**15}


async def test_a_log_that_is_closed_again_is_counted_as_it_ended(room: Room) -> None:
    key = runs.RunKey(room.tenant_id, room.store_id, "import", "import/1", "r")
    for status in (SyncStatus.FAILED, SyncStatus.SUCCESS):
        async with room.database.tenant(room.tenant_id) as connection:
            run_id, _ = await runs.begin_run(connection, key)
            await runs.open_logs(connection, key, run_id, [Entity.PRODUCTS, Entity.ORDERS])
        await room.rows(
            "insert into sync_ranges (tenant_id, run_id, entity, name, resume, seen, pages)"
            " values (:tenant, :run, 'products', :name, '', 100, 2)",
            tenant=room.tenant_id,
            run=run_id,
            name=status.value,
        )
        async with room.database.tenant(room.tenant_id) as connection:
            await runs.close_logs(connection, run_id, status=status, error=None)
    sums = "select action, status, logs, seen, pages from sync_log_hours where logs <> 0 order by 1"
    assert await room.rows(sums) == [
        ("sync_orders", "success", 1, 0, 0),
        ("sync_products", "success", 1, 200, 4),
    ]
    rest = "select sum(seen), sum(pages), sum(logs) from sync_log_hours where status <> 'success'"
    assert await room.rows(rest) == [(0, 0, 0)]


async def test_what_a_dry_run_says_is_not_counted(room: Room) -> None:
    await room.rows(
        "insert into sync_runs (tenant_id, store_id, kind, workflow_id, workflow_run_id, status,"
        " is_dry) values (:tenant, :store, 'demand', 'demand/1', 'r', 'success', true)",
        tenant=room.tenant_id,
    )
    await room.rows(
        "insert into store_sync_logs (tenant_id, store_id, run_id, action, status, details)"
        " select :tenant, :store, id, 'sync_products', 'success', '{\"created\": 9}'"
        " from sync_runs",
        tenant=room.tenant_id,
    )
    assert await log_hours(room) == []


async def test_webhooks_are_counted_by_what_became_of_them(room: Room) -> None:
    for _ in range(3):
        await room.rows(EVENT, tenant=room.tenant_id, at=HOUR)
    assert await event_hours(room) == {}
    await room.rows(
        "update webhook_events set status = 'processed', outcome = 'created',"
        " processed_at = received_at + interval '250 milliseconds'"
    )
    assert await event_hours(room) == {("processed", "created", bucket_of(250)): 3}
    # One is put back and fails: it is counted once, as it is now.
    first = "id = (select min(id) from webhook_events)"
    await room.rows(
        f"update webhook_events set status = 'pending', processed_at = null where {first}"
    )
    assert await event_hours(room) == {("processed", "created", bucket_of(250)): 2}
    await room.rows(
        "update webhook_events set status = 'failed', outcome = null,"
        f" processed_at = received_at + interval '1 hour' where {first}"
    )
    assert await event_hours(room) == {
        ("processed", "created", bucket_of(250)): 2,
        ("failed", "", bucket_of(3_600_000)): 1,
    }
    hours = await room.rows("select distinct hour, entity from webhook_hours")
    assert [(hour.astimezone(UTC), entity) for hour, entity in hours] == [(HOUR, "orders")]


@pytest.mark.parametrize("ms", [0, 0.5, 1, 1.001, 2, 3, 17.3, 1_000, 1_024, 60_000, 10**9])
async def test_buckets_are_those_of_the_domain(room: Room, ms: float) -> None:
    await room.rows(EVENT, tenant=room.tenant_id, at=HOUR)
    await room.rows(
        "update webhook_events set status = 'processed', outcome = 'x',"
        " processed_at = received_at + make_interval(secs => cast(:ms as float8) / 1000)",
        ms=ms,
    )
    assert list(await event_hours(room)) == [("processed", "x", bucket_of(ms))]


async def test_stores_and_tenants_are_counted_apart(room: Room, database: TestDatabase) -> None:
    owner = Database(database.owner_url, pool_size=1)
    stranger = await new_room(room.database, owner)
    await owner.close()
    second = Room(room.database, room.tenant_id, await new_store(room.database, room.tenant_id))
    for one in (room, second, stranger):
        await logged(one, "success", '{"created": 1}')
    rows = await room.rows("select store_id, created from sync_log_hours order by 1")
    assert rows == [(room.store_id, 1), (second.store_id, 1)]
    assert await stranger.rows("select store_id from sync_log_hours") == [(stranger.store_id,)]
