"""`resync`: what importing a shop again costs when nothing in it has changed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import uvloop

from bench.import_run import ImportRun, connected, import_connected
from bench.rig import BenchDatabase, BenchError, Rig, pid_of, start_rig
from bench.shop import ShopSize, start_shop
from runtime.embedded.postgres import SUPERUSER

Say = Callable[[str], None]

FULL: Final = ShopSize(50_000, 50_000)
QUICK: Final = ShopSize(1_000, 1_000)

_KEPT: Final = (
    *("categories", "products", "product_variants", "customers", "orders", "order_lines"),
    *("inventory_levels", "inventory_movements", "store_levels", "links", "pushes", "changes"),
)


@dataclass(frozen=True, slots=True)
class Resync:
    """The first import and the one after it; `rows_written` by the second."""

    first: ImportRun
    second: ImportRun
    rows_written: int


def measure_resync(size: ShopSize, say: Say) -> Resync:
    """Import twice.

    Raises:
        CommandError: a part did not start, or did not do what it should.
    """
    with (
        start_rig() as rig,
        start_shop(rig.directory, size) as shop,
        rig.database("resync") as database,
        rig.worker(database) as worker,
    ):

        async def both() -> Resync:
            async with connected(rig, database, shop) as store:
                say(f"the first import: {size}")
                first = await import_connected(rig, store, shop, pid_of(worker))
                mark = _mark(rig, database)
                say("the same again")
                second = await import_connected(rig, store, shop, pid_of(worker))
                return Resync(first, second, _written_since(rig, database, mark))

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(both())


def resync_figures(measured: Resync) -> dict[str, Any]:
    """The object for `results.json`."""
    if measured.first.held != measured.second.held:
        raise BenchError("the hub holds something else after the second import")
    return {
        "rows_written": measured.rows_written,
        "time_ratio": round(measured.second.seconds / measured.first.seconds, 3),
        "records": measured.second.records,
        "seconds": round(measured.second.seconds, 2),
        "first_seconds": round(measured.first.seconds, 2),
        "history_events_per_1000": round(
            1000 * measured.second.history_events / measured.second.records, 1
        ),
    }


@dataclass(frozen=True, slots=True)
class _Mark:
    """A moment of a database: its next transaction, and how many rows each table has."""

    transaction: int
    rows: tuple[int, ...]


def _mark(rig: Rig, database: BenchDatabase) -> _Mark:
    with psycopg.connect(rig.postgres.url(SUPERUSER, database.name)) as connection:
        return _Mark(
            _number(connection, "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"),
            tuple(_number(connection, f"select count(*) from {table}") for table in _KEPT),
        )


def _written_since(rig: Rig, database: BenchDatabase, mark: _Mark) -> int:
    """Rows that a transaction since then inserted, updated (as new versions) or deleted."""
    with psycopg.connect(rig.postgres.url(SUPERUSER, database.name)) as connection:
        written = 0
        for table, before in zip(_KEPT, mark.rows, strict=True):
            newer = f"select count(*) from {table} where xmin::text::bigint >= {mark.transaction}"
            written += _number(connection, newer)
            written += max(0, before - _number(connection, f"select count(*) from {table}"))
        return written


def _number(connection: psycopg.Connection[Any], statement: str) -> int:
    found = connection.execute(statement.encode()).fetchone()
    return int(found[0]) if found else 0
