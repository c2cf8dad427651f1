"""The request budget of a store, kept by every request that goes to it.

A store with a known limit is asked at that pace by all workers together. A store without one is
asked freely until it complains: 429, or 503 with `Retry-After` (RFC 9110, 15.6.4; RFC 6585, 4).
From then on everybody waits as long as it said, and after a 429 goes on slower for a while.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from activities.call_stats import CallStats
from db import budgets
from db.budgets import Pace, Slot
from db.session import Database
from domain.errors import RateLimitedError, StoreError
from providers._kit.answers import Answer, parse_retry_after
from providers._kit.protocols import HttpSession, Params, SignRequest

LOOK_EVERY_S = 1.0
"""How long a look at what a store without a limit asked for is good."""

UNTOLD_WAIT_S = 2.0
"""The pause after a 429 that names none."""

LONGEST_BLOCK_S = 6 * 3600.0

UNKNOWN_INTERVAL_S = 0.1
"""The pace from which a store without a known limit is slowed down, once it complained."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time comes from. `now` None: from the database, the same for all workers."""

    now: Callable[[], datetime | None] = lambda: None
    ticks: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(slots=True)
class _Known:
    """What this process knows of one store. `turn` lets its requests queue up in order, so that
    they do not reserve slots far ahead of each other."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    pace: Pace = field(default_factory=Pace)
    looked_at: float = float("-inf")


class Budgets:
    """The budgets of all stores, for one process."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or Clock()
        self._known: dict[int, _Known] = {}

    async def wait(self, tenant_id: int, store_id: int, per_minute: float | None) -> None:
        """Return when the store may be asked.

        Raises:
            RateLimitedError: that is more than a few seconds from now; it says when.
        """
        known = self._known.setdefault(store_id, _Known())
        if per_minute is None and await self._is_free(tenant_id, store_id, known):
            return
        async with known.turn:
            slot = await self._reserve(tenant_id, store_id, known, per_minute)
            if not slot.is_reserved:
                raise RateLimitedError(
                    f"The store may be asked again in {slot.wait_s:.0f} s.",
                    retry_after_s=slot.wait_s,
                )
            if slot.wait_s > 0:
                await self._clock.sleep(slot.wait_s)

    async def learn(self, tenant_id: int, store_id: int, answer: Answer) -> None:
        """Take note when the store complains."""
        raw = answer.headers.get("retry-after")
        is_too_fast = answer.status == 429
        if not is_too_fast and not (answer.status == 503 and raw):
            return
        told = parse_retry_after(raw, now=self._clock.now() or datetime.now(UTC))
        if told is None and not is_too_fast:
            return
        wait_s = min(UNTOLD_WAIT_S if told is None else told, LONGEST_BLOCK_S)
        async with self._database.tenant(tenant_id) as connection:
            await budgets.slow_down(
                connection,
                tenant_id,
                store_id,
                wait_s=wait_s,
                is_too_fast=is_too_fast,
                now=self._clock.now(),
            )
        if (known := self._known.get(store_id)) is not None:
            known.looked_at = float("-inf")

    async def _is_free(self, tenant_id: int, store_id: int, known: _Known) -> bool:
        """Whether a store without a limit has no wish: a look at its row at most once a second."""
        if self._clock.ticks() - known.looked_at >= LOOK_EVERY_S:
            known.looked_at = self._clock.ticks()
            async with self._database.tenant(tenant_id) as connection:
                known.pace = await budgets.load_pace(connection, store_id, now=self._clock.now())
        return known.pace.is_free

    async def _reserve(
        self, tenant_id: int, store_id: int, known: _Known, per_minute: float | None
    ) -> Slot:
        if per_minute is not None:
            interval_s = 60.0 / per_minute
        else:
            interval_s = UNKNOWN_INTERVAL_S if known.pace.slowdown > 1 else 0.0
        async with self._database.tenant(tenant_id) as connection:
            return await budgets.reserve_slot(
                connection, tenant_id, store_id, interval_s=interval_s, now=self._clock.now()
            )


class BudgetedSession:
    """An HTTP session for one store that keeps to its budget.

    Redirects that a request follows count as one request: the few rules that let one through
    (`providers._kit.http`) make them rare.
    """

    def __init__(
        self,
        session: HttpSession,
        budgets: Budgets,
        *,
        tenant_id: int,
        store_id: int,
        requests_per_minute: float | None,
        calls: CallStats | None = None,
    ) -> None:
        """Args: calls: counts what leaves here; None: nothing is counted."""
        self._session = session
        self._calls = calls
        self._budgets = budgets
        self._tenant_id = tenant_id
        self._store_id = store_id
        self._requests_per_minute = requests_per_minute
        self._writes = 0

    def writes_sent(self) -> int:
        """How many requests that may change something left here, whatever came of them."""
        return self._writes

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params = (),
        auth: SignRequest | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Send one request when the budget allows. Raises StoreError, as the session does."""
        await self._budgets.wait(self._tenant_id, self._store_id, self._requests_per_minute)
        self._writes += method != "GET"
        answer = await self._counted(
            method, self._session.request(method, url, params=params, auth=auth, content=content)
        )
        await self._budgets.learn(self._tenant_id, self._store_id, answer)
        return answer

    async def _counted(self, method: str, sent: Awaitable[Answer]) -> Answer:
        if self._calls is None:
            return await sent
        started = self._calls.ticks()
        try:
            answer = await sent
        except StoreError as error:
            took_s = self._calls.ticks() - started
            self._calls.failed(self._tenant_id, self._store_id, method, error, took_s)
            raise
        took_s = self._calls.ticks() - started
        self._calls.answered(self._tenant_id, self._store_id, method, answer, took_s)
        return answer
