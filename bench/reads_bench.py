"""`reads`: pages of 50 products out of a million, against bare FastAPI with one SELECT.

Nothing is kept between requests (`ENTREPOT_CACHE_RECORDS_S=0`), and each is authenticated anew.
"""

import itertools
import json
import os
import platform
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from api.paging import encode_cursor
from bench.ingress_bench import Server, _program, _says, run
from bench.processes import cpu_seconds
from bench.reads_catalogue import fill, make_caller
from bench.rig import BenchDatabase, BenchError, Rig, pid_of, running, start_rig
from bench.webhook_load import Load, send_for
from runtime.embedded.ports import choose_port

Say = Callable[[str], None]
Headers = Mapping[str, str]

_PAGE: Final = 50
_DEEP_PAGE: Final = 10_000
_CONNECTIONS: Final = 8
_WARM_UP_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadsOptions:
    """What to measure. `seconds` is how long each load lasts."""

    products: int = 1_000_000
    rounds: int = 3
    seconds: float = 5.0

    @property
    def deep_id(self) -> int:
        """The product before the 10,000th page, or before the last tenth of fewer products."""
        return min(_PAGE * (_DEEP_PAGE - 1), self.products * 9 // 10)


@dataclass(frozen=True, slots=True)
class Read:
    """A load, and the CPU time that its server used, of PostgreSQL apart."""

    load: Load
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Reads:
    """Rounds of the three loads, one after the other."""

    first: Sequence[Read]
    deep: Sequence[Read]
    floor: Sequence[Read]


def measure_reads(options: ReadsOptions, say: Say) -> Reads:
    """Measure.

    Raises:
        CommandError: a part did not start, or a page was not what it should be.
    """
    first: list[Read] = []
    deep: list[Read] = []
    floor: list[Read] = []
    with start_rig() as rig, rig.database("reads") as database:
        say(f"writing {options.products:,} products")
        tenant_id, headers = run(make_caller(database))
        fill(rig, database, tenant_id, options.products)
        with _serving_hub(rig, database) as hub, _serving_floor(rig, database) as bare:
            pages = _pages(options, hub, bare)
            for url, after in ((pages[0], 0), (pages[1], options.deep_id), (pages[2], 0)):
                _check(url, headers, after)
            for number in range(1, options.rounds + 1):
                say(f"round {number} of {options.rounds}: the first page, a deep one, the floor")
                for server, url, kept in zip(
                    (hub, hub, bare), pages, (first, deep, floor), strict=True
                ):
                    kept.append(_load(server, _get(url, headers), options))
    return Reads(first, deep, floor)


def reads_figures(measured: Reads) -> dict[str, Any]:
    """The object for `results.json`."""
    rate, deep, floor = (
        median(one.load.per_s for one in rounds)
        for rounds in (measured.first, measured.deep, measured.floor)
    )
    return {
        "requests_per_s": round(rate),
        "floor_requests_per_s": round(floor),
        "ratio": round(rate / floor, 3),
        "deep_requests_per_s": round(deep),
        "deep_page_ratio": round(rate / deep, 3),
        "p99_ms": round(median(one.load.percentile_ms(99) for one in measured.first), 1),
        "floor_p99_ms": round(median(one.load.percentile_ms(99) for one in measured.floor), 1),
        "cpu_us_per_request": round(median(map(_cpu_us, measured.first))),
        "floor_cpu_us_per_request": round(median(map(_cpu_us, measured.floor))),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


def _cpu_us(read: Read) -> float:
    return 1e6 * read.cpu_s / len(read.load.latencies_s)


def _pages(options: ReadsOptions, hub: Server, bare: Server) -> tuple[str, str, str]:
    deep = urlencode({"limit": _PAGE, "cursor": encode_cursor("products", options.deep_id)})
    return (
        f"{hub.url}/api/products?limit={_PAGE}",
        f"{hub.url}/api/products?{deep}",
        f"{bare.url}/products?limit={_PAGE}",
    )


def _get(url: str, headers: Headers) -> Iterator[bytes]:
    parts = urlsplit(url)
    lines = [
        f"GET {parts.path}?{parts.query} HTTP/1.1",
        f"Host: {parts.netloc}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return itertools.repeat("\r\n".join(lines).encode() + b"\r\n\r\n")


def _check(url: str, headers: Headers, after: int) -> None:
    """The page is whole: what is quick because it is empty is not measured."""
    request = urllib.request.Request(url, headers=dict(headers))
    with urllib.request.urlopen(request) as answer:
        data = json.load(answer)["data"]
    ids = [one["id"] for one in data]
    if ids != list(range(after + 1, after + _PAGE + 1)) or not all(
        one["variants"][0].get("available") is not None for one in data
    ):
        raise BenchError(f"{urlsplit(url).path} did not answer with the page after {after}")


def _load(server: Server, requests: Iterator[bytes], options: ReadsOptions) -> Read:
    run(send_for(server.url, requests, seconds=_WARM_UP_S, connections=_CONNECTIONS))
    before = cpu_seconds(server.pid)
    load = run(send_for(server.url, requests, seconds=options.seconds, connections=_CONNECTIONS))
    return Read(load, cpu_seconds(server.pid) - before)


@contextmanager
def _serving_hub(rig: Rig, database: BenchDatabase) -> Iterator[Server]:
    port = choose_port()
    log = rig.directory / "logs" / "api-reads.log"
    settings = {
        **rig.settings(database),
        "ENTREPOT_PORT": str(port),
        "ENTREPOT_CACHE_RECORDS_S": "0",
        "ENTREPOT_REQUESTS_PER_MINUTE": "1000000",
    }
    program = _program(("runtime.api_process",), log, settings, lambda: _says(log, "api_ready"))
    with running(program):
        yield Server(f"http://127.0.0.1:{port}", pid_of(program))


@contextmanager
def _serving_floor(rig: Rig, database: BenchDatabase) -> Iterator[Server]:
    port, ready = choose_port(), rig.directory / "floor.ready"
    words = ("bench.reads_floor", database.app_url, str(port), str(ready))
    program = _program(words, rig.directory / "logs" / "floor.log", {}, ready.exists)
    with running(program):
        yield Server(f"http://127.0.0.1:{port}", pid_of(program))
