"""Which processes of the hub run, and what they use: each keeps its own row.

Times are the database's: the clocks of the machines need not agree on who was seen lately.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.processes import PROCESSES

LOST_AFTER: Final = timedelta(seconds=60)
"""A process that was not seen for so long is taken for dead."""
_SHORT: Final = 4


class ProcessKind(StrEnum):
    """What a process is for."""

    API = "api"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process and what it uses.

    `id` is random and its own; `queues` are the task queues a worker serves. `cpu_percent` is of
    one core, since the row was written before; `connections_…` are those to the database.
    """

    id: str
    kind: ProcessKind
    queues: Sequence[str]
    started_at: datetime
    cpu_s: float
    cpu_percent: float
    memory_bytes: int
    peak_memory_bytes: int
    connections_in_use: int
    connections_max: int

    @property
    def name(self) -> str:
        """What it is called in answers and logs: enough of its id to tell it from the others."""
        return f"{self.kind}-{self.id[:_SHORT]}"


@dataclass(frozen=True, slots=True)
class SeenProcess(ProcessRow):
    """A process as another one sees it."""

    seen_at: datetime


async def report_process(connection: AsyncConnection, process: ProcessRow) -> None:
    """Write the process's row, whether there is one or not."""
    values = {**asdict(process), "queues": list(process.queues), "seen_at": func.now()}
    changes = {name: value for name, value in values.items() if name != "id"}
    statement = insert(PROCESSES).values(values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))


async def forget_process(connection: AsyncConnection, process_id: str) -> None:
    """Delete the row of a process that ends; it is no error that there is none."""
    await connection.execute(delete(PROCESSES).where(PROCESSES.c.id == process_id))


async def list_processes(connection: AsyncConnection) -> Sequence[SeenProcess]:
    """Those that were seen lately, by kind and age."""
    columns = PROCESSES.c
    found = await connection.execute(
        select(PROCESSES)
        .where(columns.seen_at > func.now() - LOST_AFTER)
        .order_by(columns.kind, columns.started_at, columns.id)
    )
    return [
        SeenProcess(**{**row, "kind": ProcessKind(row["kind"])}) for row in found.mappings().all()
    ]


async def discard_lost_processes(connection: AsyncConnection) -> int:
    """Delete the rows of processes that were killed; how many. One that lives after all writes its
    row anew."""
    lost = await connection.execute(
        delete(PROCESSES).where(PROCESSES.c.seen_at <= func.now() - LOST_AFTER)
    )
    return lost.rowcount
