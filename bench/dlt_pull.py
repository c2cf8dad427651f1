"""The same products and orders by dlt's REST source, merged into PostgreSQL.

A program of its own: `python -m bench.dlt_pull` reads what it is told as JSON from stdin and
answers with JSON. dlt is there only where the optional extra `bench` is installed.
"""

import json
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

PAGE_SIZE: Final = 100
RESOURCES: Final = ("products", "orders")


def pull(told: Mapping[str, Any]) -> dict[str, Any]:
    """Run one pipeline into an empty database.

    With `flat`, dlt is spared what it does by default, a table for every nested list, and loads by
    COPY of CSV: the fastest it was found to be.
    """
    dlt, rest_api = import_module("dlt"), import_module("dlt.sources.rest_api")
    source = rest_api.rest_api_source(_source(told))
    options = {}
    if told["flat"]:
        source.max_table_nesting = 0
        options["loader_file_format"] = "csv"
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.postgres(told["database_url"]),
        dataset_name="landed",
    )
    started, cpu = time.perf_counter(), time.process_time()
    pipeline.run(source, **options).raise_on_failed_jobs()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    with pipeline.sql_client() as client:
        held = {
            name: client.execute_sql(f"select count(*) from {name}")[0][0] for name in RESOURCES
        }
    return {"seconds": seconds, "cpu_s": cpu, "held": held, "version": dlt.__version__}


def _source(told: Mapping[str, Any]) -> dict[str, Any]:
    params = {"per_page": PAGE_SIZE, "orderby": "id", "order": "asc", "status": "any"}
    return {
        "client": {
            "base_url": told["base_url"],
            "auth": {"type": "http_basic", "username": told["key"], "password": told["secret"]},
            "paginator": {"type": "page_number", "base_page": 1, "total_path": None},
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "merge",
            "endpoint": {"params": params},
        },
        "resources": list(RESOURCES),
    }


if __name__ == "__main__":
    json.dump(pull(json.load(sys.stdin)), sys.stdout)
