"""`export`: a million products as CSV through the API, against `COPY (SELECT …) TO STDOUT` of them.

Both run as the application role under row-level security, one after the other, and are read to
their end by this process. The copy is one statement without what the API adds: no guard against
formulas, no amounts in the places of their currency, no batches.
"""

import http.client
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

from bench.processes import peak_mb
from bench.reads_catalogue import fill, make_caller
from bench.rig import BenchDatabase, BenchError, Rig, start_rig
from bench.servers import Server, run, serving_api
from runtime.embedded.postgres import SUPERUSER

Say = Callable[[str], None]

_PATH: Final = "/api/woocommerce-sync/export/products"
_CHUNK: Final = 1 << 20

_STORE: Final = """
insert into stores (tenant_id, id, name, code, webhook_code, provider, store_url)
overriding system value
values (%(tenant)s, 1, 'Shop', 'shop', 'bench', 'woocommerce', 'https://shop.example')
"""
_COPY: Final = """
copy (
  select p.id, v.id, l.external_id, o.external_id, l.store_id, p.title, p.slug, p.status,
    p.raw_status, p.kind, v.title, v.sku, v.barcode, v.price, v.compare_at_price, v.currency,
    v.option_values, v.tracks_stock, v.in_stock, v.allows_backorder, i.on_hand,
    i.on_hand - i.reserved, v.weight, v.is_active, p.category_ids, p.tags, p.short_description,
    p.description, p.images, p.options, p.listed_at, v.created_at, v.updated_at
  from product_variants v
  join products p on p.tenant_id = v.tenant_id and p.id = v.product_id
  left join links l on l.tenant_id = p.tenant_id and l.record_id = p.id
    and l.entity = 'products' and l.store_id = 1 and l.deleted_at is null
  left join links o on o.tenant_id = v.tenant_id and o.record_id = v.id
    and o.entity = 'variants' and o.store_id = 1 and o.deleted_at is null
  left join inventory_levels i on i.tenant_id = v.tenant_id and i.variant_id = v.id
  where v.deleted_at is null and p.deleted_at is null
  order by v.id)
to stdout (format csv)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What to measure."""

    products: int = 1_000_000
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Taken:
    """One file that was read whole."""

    rows: int
    size: int
    seconds: float

    @property
    def per_s(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


@dataclass(frozen=True, slots=True)
class Exports:
    """Rounds of each, and the most memory the API's process held: before, and after all."""

    csv: Sequence[Taken]
    json: Sequence[Taken]
    copy: Sequence[Taken]
    peak_before_mb: float
    peak_mb: float


def measure_export(options: ExportOptions, say: Say) -> Exports:
    """Measure.

    Raises:
        CommandError: a part did not start, or a file was not whole.
    """
    csv: list[Taken] = []
    json: list[Taken] = []
    copy: list[Taken] = []
    with start_rig() as rig, rig.database("export") as database:
        say(f"writing {options.products:,} products")
        tenant_id, headers = run(make_caller(database))
        fill(rig, database, tenant_id, options.products)
        _connect_store(rig, database, tenant_id)
        with serving_api(rig, database, ENTREPOT_REQUESTS_PER_MINUTE="1000000") as api:
            # A beginning, so that what is measured first pays for no start.
            _export(api, headers, f"{_PATH}?format=csv&storeId=1", most=_CHUNK)
            before = peak_mb(api.pid)
            for number in range(1, options.rounds + 1):
                say(f"round {number} of {options.rounds}: CSV, a bare COPY, JSON")
                csv.append(_export(api, headers, f"{_PATH}?format=csv"))
                copy.append(_copy(database, tenant_id))
                json.append(_export(api, headers, f"{_PATH}?format=ndjson"))
            peak = peak_mb(api.pid)
    for one in csv:
        _check(one.rows == options.products + 1, f"{one.rows:,} lines of CSV")
    for one in (*json, *copy):
        _check(one.rows == options.products, f"{one.rows:,} rows")
    return Exports(csv, json, copy, before, peak)


def export_figures(measured: Exports) -> dict[str, Any]:
    """The object for `results.json`."""
    rate, json, copy = (
        median(one.per_s for one in rounds)
        for rounds in (measured.csv, measured.json, measured.copy)
    )
    return {
        "rows_per_s": round(rate),
        "copy_rows_per_s": round(copy),
        "ratio": round(rate / copy, 3),
        "ndjson_rows_per_s": round(json),
        "csv_mb_per_s": round(median(one.size / one.seconds for one in measured.csv) / 1e6, 1),
        "api_peak_mb": round(measured.peak_mb, 1),
        "api_peak_before_mb": round(measured.peak_before_mb, 1),
        "rows": measured.copy[0].rows,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


def _check(is_right: bool, found: str) -> None:
    if not is_right:
        raise BenchError(f"an export had {found}")


def _export(api: Server, headers: Mapping[str, str], path: str, *, most: int = 0) -> Taken:
    """Read a file; `most`: no more than so many bytes of it."""
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=600)
    started = time.perf_counter()
    rows = size = 0
    try:
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        _check(answer.status == 200, f"status {answer.status}")
        while chunk := answer.read(_CHUNK):
            rows += chunk.count(b"\n")
            size += len(chunk)
            if most and size >= most:
                break
    finally:
        connection.close()
    return Taken(rows, size, time.perf_counter() - started)


def _copy(database: BenchDatabase, tenant_id: int) -> Taken:
    with psycopg.connect(database.app_url) as connection, connection.cursor() as cursor:
        cursor.execute("select set_config('app.tenant', %s, true)", (str(tenant_id),))
        started = time.perf_counter()
        rows = size = 0
        with cursor.copy(_COPY) as copy:
            for chunk in copy:
                rows += 1
                size += len(chunk)
        return Taken(rows, size, time.perf_counter() - started)


def _connect_store(rig: Rig, database: BenchDatabase, tenant_id: int) -> None:
    with psycopg.connect(rig.postgres.url(SUPERUSER, database.name)) as connection:
        connection.execute(_STORE, {"tenant": tenant_id})
