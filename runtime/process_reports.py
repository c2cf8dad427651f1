"""Each process of ours says in the database that it runs, and what it uses.

A process that is killed says no more, and is taken for dead after a minute (`db.processes`). One
that the database is away for works on: what was not written is the next report's.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import structlog

from db.processes import ProcessKind, ProcessRow, forget_process, report_process
from db.recurring import Outage, repeat
from db.session import Database
from runtime.process_use import ProcessMeter, began_at

REPORT_EVERY_S: Final = 10.0
_PATIENCE_S: Final = 20.0
_LAST_PATIENCE_S: Final = 3.0  # a process that ends is waited for

_log = structlog.get_logger(__name__)


class ProcessReports:
    """The reports of one process: `run` while it works, then `leave`."""

    def __init__(self, database: Database, kind: ProcessKind, queues: Sequence[str] = ()) -> None:
        """Args: queues: the task queues that a worker serves."""
        self.id = secrets.token_hex(8)
        self._database = database
        self._kind = kind
        self._queues = tuple(queues)
        self._began_at = began_at()
        self._meter = ProcessMeter()
        self._outage = Outage("process_not_reported")

    async def run(self) -> None:
        """Report at once and every ten seconds, until cancelled."""
        _log.info("process_known_as", name=self._row().name)
        await repeat(self.report, every_s=REPORT_EVERY_S)

    async def report(self) -> None:
        """Write down how this process stands, if the database is there."""
        await self._outage.bear(self._write)

    async def _write(self) -> None:
        row = self._row()
        async with asyncio.timeout(_PATIENCE_S), self._database.lookup() as connection:
            await report_process(connection, row)

    def _row(self) -> ProcessRow:
        return ProcessRow(
            id=self.id,
            kind=self._kind,
            queues=self._queues,
            started_at=self._began_at,
            connections_in_use=self._database.connections_in_use,
            connections_max=self._database.pool_size,
            **asdict(self._meter.read()),
        )

    async def leave(self) -> None:
        """Take the row away, so that nobody takes this process for one that works. Call it when
        `run` is over; without the database the row stays until it is swept."""
        await self._outage.bear(self._forget)

    async def _forget(self) -> None:
        async with asyncio.timeout(_LAST_PATIENCE_S), self._database.lookup() as connection:
            await forget_process(connection, self.id)
