"""`ingress`: how many webhooks are kept a second, against bare FastAPI with one INSERT."""

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import psycopg

from bench.ingress_floor import TABLE
from bench.rig import BenchDatabase, BenchError, Rig, start_rig
from bench.servers import Served, Server, load_server, run, serving_api, serving_floor
from bench.webhook_load import send_for
from bench.webhook_source import CODE, connect_store, signed_orders

Say = Callable[[str], None]

CONNECTIONS: Final = 32
_WARM_UP_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressOptions:
    """What to measure. `seconds` is how long each load lasts."""

    rounds: int = 3
    seconds: float = 5.0
    connections: int = CONNECTIONS


@dataclass(frozen=True, slots=True)
class Accepts:
    """Rounds of the two loads, one after the other."""

    hub: Sequence[Served]
    floor: Sequence[Served]


def measure_accepts(options: IngressOptions, say: Say) -> Accepts:
    """Measure durable accepts; nothing works them off meanwhile.

    Raises:
        CommandError: a part did not start, refused a webhook, or lost one.
    """
    hub: list[Served] = []
    floor: list[Served] = []
    with start_rig() as rig, rig.database("ingress") as database:
        run(connect_store(rig, database))
        with serving_api(rig, database) as api, _serving_floor(rig, database) as bare:
            hub_requests = signed_orders(f"{api.url}/api/stores/webhooks/{CODE}")
            floor_requests = signed_orders(f"{bare.url}/webhook")
            for number in range(1, options.rounds + 1):
                say(f"round {number} of {options.rounds}: the hub, then the floor")
                hub.append(_load(rig, api, hub_requests, options))
                floor.append(_load(rig, bare, floor_requests, options))
        _check(database, "webhook_events", hub)
        _check(database, "landed", floor)
    return Accepts(hub, floor)


def accept_figures(measured: Accepts) -> dict[str, Any]:
    """The part of the object for `results.json` that is about accepting."""
    rate = median(one.load.per_s for one in measured.hub)
    floor_rate = median(one.load.per_s for one in measured.floor)
    return {
        "accepts_per_s": round(rate),
        "floor_accepts_per_s": round(floor_rate),
        "ratio": round(rate / floor_rate, 3),
        "p99_ms": round(median(one.load.percentile_ms(99) for one in measured.hub), 1),
        "floor_p99_ms": round(median(one.load.percentile_ms(99) for one in measured.floor), 1),
        "cpu_us_per_accept": round(median(one.cpu_us for one in measured.hub)),
        "floor_cpu_us_per_accept": round(median(one.cpu_us for one in measured.floor)),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


@contextmanager
def _serving_floor(rig: Rig, database: BenchDatabase) -> Iterator[Server]:
    with psycopg.connect(database.owner_url) as connection:
        connection.execute(TABLE)
    with serving_floor(rig, "bench.ingress_floor", database.owner_url) as server:
        yield server


def _load(rig: Rig, server: Server, requests: Iterator[bytes], options: IngressOptions) -> Served:
    rig.write_back()
    many = options.connections
    run(send_for(server.url, requests, seconds=_WARM_UP_S, connections=many))
    time.sleep(_WARM_UP_S)
    return load_server(server, requests, seconds=options.seconds, connections=many)


def _check(database: BenchDatabase, table: str, served: Sequence[Served]) -> None:
    """Every answer stands for a row. The warm-ups' rows come on top."""
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("select set_config('app.tenant', '1', false)")
        found = connection.execute(f"select count(*) from {table}".encode()).fetchone()
    answered = sum(len(one.load.latencies_s) for one in served)
    if found is None or found[0] < answered:
        raise BenchError(f"{answered} webhooks were answered, and {found} are in {table}")
