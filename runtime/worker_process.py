"""The worker as a process of its own: `python -m runtime.worker_process`.

`--ready-file PATH` makes it write its process id there once it takes work.
"""

import asyncio
import gc
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from temporalio.client import Client

from db.session import Database
from runtime.connections import connect_temporal
from runtime.processes import run_process
from runtime.readiness import schema_problem, temporal_problem, wait_until_ready
from runtime.settings import Settings
from runtime.worker import run_worker

_READY_FILE = "--ready-file"
_COLLECTOR_THRESHOLDS = (50_000, 20, 20)


async def serve_worker(
    settings: Settings, stop: asyncio.Event, *, ready_file: Path | None = None
) -> None:
    """Wait for the database and Temporal, then work until `stop` is set."""
    settings.encryption_ring()
    if not await _wait_for_database(settings, stop):
        return
    if not await wait_until_ready("Temporal", partial(temporal_problem, connect_temporal), stop):
        return
    client: Client = await connect_temporal()
    await run_worker(client, settings, stop, on_ready=partial(_announce, ready_file))


async def _wait_for_database(settings: Settings, stop: asyncio.Event) -> bool:
    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    try:
        return await wait_until_ready("the database", partial(schema_problem, database), stop)
    finally:
        await database.close()


def _announce(ready_file: Path | None) -> None:
    _relieve_collector()
    if ready_file is not None:
        ready_file.write_text(f"{os.getpid()}\n")


def _relieve_collector() -> None:
    """Let the garbage collector look only at what comes from now on, and not so often.

    A page is tens of thousands of objects without cycles, gone when it is written. At Python's
    thresholds a quarter of the worker's time went into looking for garbage among its modules.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)


def main(arguments: Sequence[str] = ()) -> int:
    """Work until told to stop; returns the exit code."""
    given = dict(zip(arguments[::2], arguments[1::2], strict=False))
    path = given.get(_READY_FILE)
    return run_process("worker", partial(serve_worker, ready_file=Path(path) if path else None))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
