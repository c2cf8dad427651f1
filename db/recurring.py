"""What a process does with the database again and again, also while the database is away."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

AWAY: Final = (SQLAlchemyError, psycopg.Error, OSError)
"""What comes of a database that is down, or that does not do what it was asked (`TimeoutError`, as
an `OSError`, too)."""

Work = Callable[[], Awaitable[Any]]


async def repeat(work: Work, *, every_s: float, stop: asyncio.Event | None = None) -> None:
    """Do `work`, wait `every_s`, and so on: until cancelled or, between two times, `stop` is set.

    Whatever `work` raises ends it: see `Outage.bear`.
    """
    stop = stop or asyncio.Event()
    while not stop.is_set():
        await work()
        with suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await stop.wait()


class Outage:
    """Says once that something cannot be done for want of the database, and once that it can."""

    def __init__(self, event: str) -> None:
        """Args: event: what the log says of the first failure, like `sweep_failed`."""
        self._event = event
        self._log = structlog.get_logger(__name__)
        self._is_on = False

    async def bear(self, work: Work) -> None:
        """Do `work`; that the database is away is said and no more."""
        failure: BaseException | None = None
        try:
            await work()
        except AWAY as error:
            failure = error
        self.tell(failure)

    def tell(self, failure: BaseException | None) -> None:
        """Say how it went, if it went otherwise than the last time."""
        if failure is not None and not self._is_on:
            self._log.warning(self._event, error_type=type(failure).__name__)
        elif failure is None and self._is_on:
            self._log.info("works_again", after=self._event)
        self._is_on = failure is not None
