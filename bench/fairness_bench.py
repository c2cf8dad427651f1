"""`fairness`: how long one tenant's webhooks take while another tenant imports a large shop."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from bench.import_run import Connected, connected, start_import
from bench.ingress_bench import CODE, connect_store, run, serving_api, signed_requests
from bench.rig import BenchDatabase, BenchError, Rig, start_rig
from bench.shop import BenchShop, ShopSize, start_shop
from bench.webhook_load import Connection

Say = Callable[[str], None]

FULL: Final = ShopSize(100_000, 100_000)
QUICK: Final = ShopSize(10_000, 10_000)
PACE_S: Final = 0.1
_WAIT_S: Final = 30.0

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
        rig.worker(database),
        serving_api(rig, database) as api,
    ):
        return run(_measure(rig, database, shop, api, seconds, say))


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


async def _measure(
    rig: Rig, database: BenchDatabase, shop: BenchShop, api: str, seconds: float, say: Say
) -> Fairness:
    _, store_id = await connect_store(rig, database)
    async with connected(rig, database, shop) as other:
        await _sent(database, api, store_id, 2.0)
        say(f"{seconds:.0f} s of webhooks, and nothing else to do")
        quiet = await _sent(database, api, store_id, seconds)
        say(f"the same while another tenant imports {shop.size}")
        handle = await start_import(other)
        await _imports(database, other)
        busy = await _sent(database, api, store_id, seconds)
        if (await handle.describe()).close_time is not None:
            raise BenchError("the import was over before the webhooks were: take a larger shop")
        await handle.cancel()
    return Fairness(quiet, busy)


async def _sent(
    database: BenchDatabase, api: str, store_id: int, seconds: float
) -> Sequence[float]:
    """Send for so long; the latencies, once all are worked off."""
    first = _last_event(database)
    requests = signed_requests(f"{api}/api/stores/webhooks/{CODE}")
    sent, until = 0, time.perf_counter() + seconds
    async with Connection.open(api) as connection:
        while time.perf_counter() < until:
            await connection.send(next(requests))
            sent += 1
            await asyncio.sleep(PACE_S)
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        found = _rows(database, _LATENCIES, store_id, first)
        if len(found) == sent:
            return [float(row[0]) for row in found]
        await asyncio.sleep(PACE_S)
    raise BenchError(f"{len(found)} of {sent} webhooks were worked off")


async def _imports(database: BenchDatabase, store: Connected) -> None:
    """Wait until the import is at its pages."""
    deadline = time.monotonic() + _WAIT_S
    pages = "select coalesce(sum(g.pages), 0) from sync_ranges g where g.tenant_id = %s"
    while time.monotonic() < deadline:
        if _rows(database, pages, store.tenant_id)[0][0] >= 5:
            return
        await asyncio.sleep(PACE_S)
    raise BenchError("the import does not begin")


def _last_event(database: BenchDatabase) -> int:
    return int(_rows(database, "select coalesce(max(id), 0) from webhook_events")[0][0])


def _high(latencies: Sequence[float]) -> float:
    return sorted(latencies)[int(0.99 * (len(latencies) - 1))]
