"""`reads`: pages of 50 products out of a million, against bare FastAPI with one SELECT.

Nothing is kept between requests (`ENTREPOT_CACHE_RECORDS_S=0`), and each is authenticated anew.
"""

import itertools
import json
import os
import platform
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from api.paging import encode_cursor
from bench.reads_catalogue import fill, make_caller
from bench.rig import BenchError, start_rig
from bench.servers import Served, Server, load_server, run, serving_api, serving_floor
from bench.webhook_load import send_for

Say = Callable[[str], None]
Headers = Mapping[str, str]

_PAGE: Final = 50
_DEEP_PAGE: Final = 10_000
_CONNECTIONS: Final = 8
_WARM_UP_S: Final = 1.0
_SETTINGS: Final = {
    "ENTREPOT_CACHE_RECORDS_S": "0",
    "ENTREPOT_REQUESTS_PER_MINUTE": "1000000",
}


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
class Reads:
    """Rounds of the three loads, one after the other."""

    first: Sequence[Served]
    deep: Sequence[Served]
    floor: Sequence[Served]


def measure_reads(options: ReadsOptions, say: Say) -> Reads:
    """Measure.

    Raises:
        CommandError: a part did not start, or a page was not what it should be.
    """
    first: list[Served] = []
    deep: list[Served] = []
    floor: list[Served] = []
    with start_rig() as rig, rig.database("reads") as database:
        say(f"writing {options.products:,} products")
        tenant_id, headers = run(make_caller(database))
        fill(rig, database, tenant_id, options.products)
        with (
            serving_api(rig, database, **_SETTINGS) as hub,
            serving_floor(rig, "bench.reads_floor", database.app_url) as bare,
        ):
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
        "cpu_us_per_request": round(median(one.cpu_us for one in measured.first)),
        "floor_cpu_us_per_request": round(median(one.cpu_us for one in measured.floor)),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


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


def _load(server: Server, requests: Iterator[bytes], options: ReadsOptions) -> Served:
    run(send_for(server.url, requests, seconds=_WARM_UP_S, connections=_CONNECTIONS))
    return load_server(server, requests, seconds=options.seconds, connections=_CONNECTIONS)
