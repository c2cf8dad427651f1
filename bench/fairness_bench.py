"""`fairness`: how long one tenant's webhooks take while another tenant imports a large shop."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import psycopg

from bench.import_run import Connected, connected, start_import
from bench.rig import BenchDatabase, BenchError, Rig, start_rig
from bench.servers import run, serving_api
from bench.shop import BenchShop, ShopSize, start_shop
from bench.webhook_load import Connection
from bench.webhook_source import CODE, connect_store, signed_orders
from runtime.embedded.postgres import SUPERUSER

Say = Callable[[str], None]

FULL: Final = ShopSize(100_000, 100_000)
QUICK: Final = ShopSize(10_000, 10_000)
FULL_S: Final = 30.0
QUICK_S: Final = 5.0
PACE_S: Final = 0.1
_WAIT_S: Final = 30.0
_WARM_UP_S: Final = 2.0
_PAGES: Final = 5

_LATENCIES: Final = """
select extract(epoch from processed_at - received_at)::float8 from webhook_events
where store_id = %s and id > %s and status = 'processed' order by id
"""


@dataclass(frozen=True, slots=True)
class Fairness:
    """Seconds from received to processed, of webhooks sent ten a second."""

    quiet_s: Sequence[float]
    busy_s: Sequence[float]


def measure_fairness(size: ShopSize, seconds: float, say: Say) -> Fairness:
    """Measure with nothing else to do, then while another tenant imports.

    Raises:
        CommandError: a part did not start, or webhooks were not worked off.
    """
    with (
        start_rig() as rig,
        start_shop(rig.directory, size) as shop,
        rig.database("fairness") as database,
        rig.worker(database, queues="pull,import"),
        rig.worker(database, queues="interactive,events"),
        serving_api(rig, database) as api,
    ):
        return run(_measure(_Scene(rig, database, shop, api.url), seconds, say))


def fairness_figures(measured: Fairness) -> dict[str, Any]:
    """The object for `results.json`."""
    quiet, busy = median(measured.quiet_s), median(measured.busy_s)
    return {
        "latency_ratio": round(busy / quiet, 2),
        "quiet_p50_ms": round(1000 * quiet, 1),
        "busy_p50_ms": round(1000 * busy, 1),
        "quiet_p99_ms": round(1000 * _high(measured.quiet_s), 1),
        "busy_p99_ms": round(1000 * _high(measured.busy_s), 1),
        "webhooks": len(measured.quiet_s) + len(measured.busy_s),
    }


@dataclass(frozen=True, slots=True)
class _Scene:
    rig: Rig
    database: BenchDatabase
    shop: BenchShop
    api: str

    def rows(self, statement: str, *params: object) -> list[tuple[Any, ...]]:
        """As one who sees every tenant."""
        url = self.rig.postgres.url(SUPERUSER, self.database.name)
        with psycopg.connect(url) as connection:
            found: list[tuple[Any, ...]] = connection.execute(statement.encode(), params).fetchall()
            return found


async def _measure(scene: _Scene, seconds: float, say: Say) -> Fairness:
    _, store_id = await connect_store(scene.rig, scene.database)
    async with connected(scene.rig, scene.database, scene.shop) as other:
        await _sent(scene, store_id, _WARM_UP_S)
        say(f"{seconds:.0f} s of webhooks, and nothing else to do")
        quiet = await _sent(scene, store_id, seconds)
        say(f"the same while another tenant imports {scene.shop.size}")
        handle = await start_import(other)
        await _imports(scene, other)
        busy = await _sent(scene, store_id, seconds)
        if (await handle.describe()).close_time is not None:
            raise BenchError("the import was over before the webhooks were: take a larger shop")
        await handle.cancel()
    return Fairness(quiet, busy)


async def _sent(scene: _Scene, store_id: int, seconds: float) -> Sequence[float]:
    """Send for so long; the latencies, once all are worked off."""
    first = scene.rows("select coalesce(max(id), 0) from webhook_events")[0][0]
    requests = signed_orders(f"{scene.api}/api/stores/webhooks/{CODE}")
    sent, until = 0, time.perf_counter() + seconds
    async with Connection.open(scene.api) as connection:
        while time.perf_counter() < until:
            await connection.send(next(requests))
            sent += 1
            await asyncio.sleep(PACE_S)
    deadline = time.monotonic() + _WAIT_S
    found: list[tuple[Any, ...]] = []
    while len(found) < sent:
        if time.monotonic() > deadline:
            raise BenchError(f"{len(found)} of {sent} webhooks were worked off")
        await asyncio.sleep(PACE_S)
        found = scene.rows(_LATENCIES, store_id, first)
    return [float(row[0]) for row in found]


async def _imports(scene: _Scene, store: Connected) -> None:
    """Wait until the import is at its pages."""
    deadline = time.monotonic() + _WAIT_S
    pages = "select coalesce(sum(g.pages), 0) from sync_ranges g where g.tenant_id = %s"
    while scene.rows(pages, store.tenant_id)[0][0] < _PAGES:
        if time.monotonic() > deadline:
            raise BenchError("the import does not begin")
        await asyncio.sleep(PACE_S)


def _high(latencies: Sequence[float]) -> float:
    return sorted(latencies)[int(0.99 * (len(latencies) - 1))]
