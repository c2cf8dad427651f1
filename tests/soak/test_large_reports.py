"""Reports over a million log lines and a million webhooks are as quick as over a few.

`SOAK_RECORDS` is how many of each there are.
"""

import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.reports_analytics import load_figures
from db.reports_history import HistoryFilter, list_history
from db.session import Database
from tests.db.room import Room, new_room
from tests.servers import TestDatabase

ROWS = int(os.environ.get("SOAK_RECORDS", "1000000"))
BATCH = 50_000
FEW = 5_000
"""Rows of the two large tables that a report may read, however many there are."""

_log = structlog.get_logger(__name__)

LOGS = """
insert into store_sync_logs (tenant_id, store_id, action, status, details, created_at)
select :tenant, :store, (array['sync_products', 'receive_order', 'update_inventory'])[1 + n % 3],
  case when n % 50000 = 7 then 'failed' else 'success' end,
  '{"direction": "webhook", "created": 1, "unchanged": 2}', now() - n * interval '2.5 seconds'
from generate_series(cast(:first as int), cast(:last as int)) n
"""
EVENTS = """
insert into webhook_events
  (tenant_id, store_id, event_type, topic, entity, route, body, received_at, status, outcome,
   processed_at)
select :tenant, :store, 'order_created', 'order.created', 'orders', 'generic', '{}', x.at,
  'processed', 'created', x.at + (n % 900) * interval '1 millisecond'
from generate_series(cast(:first as int), cast(:last as int)) n
cross join lateral (select now() - n * interval '2.5 seconds' as at) x
"""


READ = text("""
select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) from pg_stat_xact_user_tables
where relname like 'store_sync_logs%' or relname like 'webhook_events%'
""")


async def rows_read(connection: AsyncConnection) -> int:
    """How many rows of the two large tables this connection has read so far."""
    return int((await connection.execute(READ)).scalar_one())


@pytest.fixture
async def room(database: TestDatabase) -> AsyncIterator[Room]:
    app, owner = Database(database.app_url, pool_size=2), Database(database.owner_url, pool_size=1)
    yield await new_room(app, owner)
    await app.close()
    await owner.close()


@pytest.mark.soak
async def test_reports_are_quick_however_much_happened(room: Room, database: TestDatabase) -> None:
    for first in range(1, ROWS + 1, BATCH):
        for statement in (LOGS, EVENTS):
            last = min(first + BATCH - 1, ROWS)
            await room.rows(statement, tenant=room.tenant_id, first=first, last=last)
    owner = Database(database.owner_url, pool_size=1)
    async with owner.tenant(room.tenant_id) as connection:
        await connection.execute(text("analyze"))
    await owner.close()
    since = datetime.now(UTC) - timedelta(days=90)
    async with room.database.tenant(room.tenant_id) as connection:
        # What the workers of a parallel scan read would not be counted.
        await connection.execute(text("set local max_parallel_workers_per_gather = 0"))
        before, started = await rows_read(connection), time.perf_counter()
        found = await load_figures(connection, [room.store_id], since)
        analytics_s = time.perf_counter() - started
        assert sum(row["created"] for row in found.logs) == ROWS
        assert sum(row["events"] for row in found.webhooks) == ROWS
        between, started = await rows_read(connection), time.perf_counter()
        for wanted in (
            HistoryFilter([room.store_id]),
            HistoryFilter([room.store_id], status="failed"),
            HistoryFilter([room.store_id], status="cancelled"),
            HistoryFilter([room.store_id], is_rejected_only=True),
        ):
            await list_history(connection, room.tenant_id, wanted, limit=51)
        history_s = time.perf_counter() - started
        after = await rows_read(connection)
        await connection.execute(text("select count(details) from store_sync_logs"))
        assert await rows_read(connection) - after >= ROWS  # what reads them all is noticed
    _log.info("reports_read", rows=ROWS, analytics_s=analytics_s, history_s=history_s)
    assert between - before < FEW
    assert after - between < FEW
