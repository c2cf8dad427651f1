"""What the ingress does after it has answered: counting, and waking inbox lanes.

Neither holds up an answer, and neither may fail one: counts that could not be written are tried
again, and a lane that was not woken is found by the sweeper.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from activities.lanes import Waker
from db.ingress import StoreKey, count_webhooks, list_sleeping_inboxes
from db.session import Database
from domain.lanes import LaneKind

# Statements of the ingress go to the driver itself, whose errors nobody wraps.
_DATABASE_ERRORS: Final = (SQLAlchemyError, psycopg.Error)
_COUNT_EVERY_S: Final = 0.5
_WAKES: Final = 16

_log = structlog.get_logger(__name__)


class WebhookCounters:
    """Counts per store and name, gathered for a moment and written together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: Counter[tuple[int, int, str]] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()

    def add(self, tenant_id: int, store_id: int, name: str) -> None:
        """Count one."""
        self._counts[tenant_id, store_id, name] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush_later())

    async def flush(self) -> None:
        """Write what was counted by now; it is written when this returns, whoever did it."""
        async with self._flushing:
            counts, self._counts = self._counts, Counter()
            if not counts:
                return
            try:
                async with self._database.lookup() as connection:
                    await count_webhooks(connection, counts)
            except BaseException:
                self._counts.update(counts)
                raise

    async def close(self) -> None:
        """Write what is left."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        with suppress(*_DATABASE_ERRORS):
            await self.flush()

    async def _flush_later(self) -> None:
        while self._counts:
            await asyncio.sleep(_COUNT_EVERY_S)
            try:
                await self.flush()
            except _DATABASE_ERRORS as error:
                _log.warning("webhooks_not_counted", error_type=type(error).__name__)


class InboxBell:
    """Wakes the inbox lanes of stores that have new events: at most once while a wake is due."""

    def __init__(self, database: Database, waker: Waker) -> None:
        self._database = database
        self._waker = waker
        self._stores: set[StoreKey] = set()
        self._task: asyncio.Task[None] | None = None

    def ring(self, stores: Iterable[StoreKey]) -> None:
        """After the commit of their events. Returns at once."""
        self._stores.update(stores)
        if self._stores and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._wake())

    async def close(self) -> None:
        """Wait until those that were rung for are awake."""
        if self._task is not None:
            await self._task

    async def _wake(self) -> None:
        while self._stores:
            stores, self._stores = self._stores, set()
            try:
                async with self._database.lookup() as connection:
                    sleeping = await list_sleeping_inboxes(connection, stores)
            except _DATABASE_ERRORS as error:
                _log.warning("inboxes_not_woken", error_type=type(error).__name__)
                return
            for start in range(0, len(sleeping), _WAKES):
                await asyncio.gather(
                    *(
                        self._waker.wake(tenant_id, LaneKind.INBOX, store_id)
                        for tenant_id, store_id in sleeping[start : start + _WAKES]
                    )
                )
