"""Keeping accepted deliveries: those that come at the same time share one commit.

A delivery waits for no timer. While one batch is being written the next one gathers, so a quiet
hub writes each delivery at once and a busy one writes many together. Each is answered only after
its own batch was committed.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from psycopg import errors
from sqlalchemy.exc import DBAPIError

from api import problems
from api.problems import ProblemError
from db.ingress import NewEvent, StoreKey, keep_events
from db.session import Database

_WRITERS: Final = 2
_BATCH: Final = 128
_BATCH_BYTES: Final = 8 * 1024 * 1024
_MOST_BYTES: Final = 128 * 1024 * 1024
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    event: NewEvent
    is_kept: "asyncio.Future[bool]"


class EventWriter:
    """Writes the events of one process."""

    def __init__(
        self,
        database: Database,
        on_kept: Callable[[Iterable[StoreKey]], None],
        *,
        writers: int = _WRITERS,
    ) -> None:
        """Args: on_kept: is told, after the commit, of the stores that have new events."""
        self._database = database
        self._writers = writers
        self._on_kept = on_kept
        self._queue: deque[_Waiting] = deque()
        self._bytes = 0
        self._writing: set[asyncio.Task[None]] = set()

    async def keep(self, event: NewEvent) -> bool:
        """Keep a delivery. When this returns True, it is durable.

        Returns False when the store was deleted or has other credentials by now.

        Raises:
            ProblemError: 503, more is waiting than this process wants to hold.
        """
        if len(self._queue) >= _MOST or self._bytes + len(event.body) > _MOST_BYTES:
            raise ProblemError(
                problems.UNAVAILABLE,
                "More webhooks are waiting than can be kept. Send it again in a moment.",
                headers={"Retry-After": "5"},
            )
        waiting = _Waiting(event, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._bytes += len(event.body)
        self._writing = {task for task in self._writing if not task.done()}
        if len(self._writing) < self._writers:
            self._writing.add(asyncio.create_task(self._write()))
        return await waiting.is_kept

    async def close(self) -> None:
        """Wait until everything that was handed over is written."""
        await asyncio.gather(*self._writing)

    async def _write(self) -> None:
        # Nothing is awaited between the last look at the queue and the end: who comes after finds
        # this writer done, and starts another.
        while self._queue:
            batch = self._next_batch()
            try:
                kept = await self._keep([one.event for one in batch])
            # Whatever it is, every request of the batch has to be told.
            except Exception as error:  # noqa: BLE001
                if len(batch) > 1 and _is_of_one(error):
                    await self._write_singly(batch)
                    continue
                for one in batch:
                    _fail(one, error)
                continue
            self._tell(batch, kept)

    async def _write_singly(self, batch: list[_Waiting]) -> None:
        """One of them cannot be kept: the others must not suffer for it."""
        for one in batch:
            try:
                kept = await self._keep([one.event])
            except Exception as error:  # noqa: BLE001
                _fail(one, error)
            else:
                self._tell([one], kept)

    async def _keep(self, events: list[NewEvent]) -> set[int]:
        async with self._database.lookup() as connection:
            return await keep_events(connection, events)

    def _tell(self, batch: list[_Waiting], kept: set[int]) -> None:
        for place, one in enumerate(batch):
            if not one.is_kept.done():
                one.is_kept.set_result(place in kept)
        self._on_kept({(batch[i].event.tenant_id, batch[i].event.store_id) for i in kept})

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._queue and len(batch) < _BATCH:
            size += len(self._queue[0].event.body)
            if batch and size > _BATCH_BYTES:
                break
            batch.append(self._queue.popleft())
        self._bytes -= sum(len(one.event.body) for one in batch)
        return batch


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.is_kept.done():
        waiting.is_kept.set_exception(error)


def _is_of_one(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, (errors.DataError, errors.IntegrityError, ValueError))
