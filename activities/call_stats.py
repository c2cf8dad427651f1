"""Counting requests to stores: in memory at each request, in the database every few seconds.

Seconds of counts are lost when a process is killed: they are statistics, and worth no write per
request. What the database could not take is kept and tried again, up to a bound.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

from db.provider_calls import CallCount, StoreHealth, add_calls, show_health
from db.recurring import AWAY, Outage, repeat
from db.session import Database
from domain import latencies
from domain.errors import (
    AddressRefusedError,
    CredentialsError,
    PermissionDeniedError,
    RateLimitedError,
    StoreError,
    StoreUnavailableError,
    StoreUnreachableError,
)
from providers._kit.answers import Answer

FLUSH_EVERY_S: Final = 5.0
MOST_KEYS: Final = 20_000
"""So many stores, hours and outcomes are kept while the database is away; more is dropped."""

OK: Final = "ok"
OUTCOMES: Final = (
    *(OK, "unauthorized", "forbidden", "not_found", "conflict", "rejected", "rate_limited"),
    *("server_error", "timeout", "unreachable", "unreadable", "refused"),
)
"""What can come of a request: an answer below 400; 401; 403; 404; 409; another 4xx; 429; 5xx; no
answer in time; no connection; an answer that is none; an address that may not be called."""

_OF_STATUS: Final = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    429: "rate_limited",
}
_OF_ERROR: Final = (
    (CredentialsError, "unauthorized"),
    (PermissionDeniedError, "forbidden"),
    (RateLimitedError, "rate_limited"),
    (AddressRefusedError, "refused"),
    (StoreUnreachableError, "unreachable"),
    (StoreUnavailableError, "unreadable"),
)
_FAR: Final = frozenset(
    ("unauthorized", "forbidden", "server_error", "timeout", "unreachable", "unreadable", "refused")
)
_SAID: Final = {
    "unauthorized": "The store does not accept the credentials (401): enter new ones.",
    "forbidden": "The store forbids the request (403): give the credentials more rights.",
    "server_error": "The store answers with an error of its own ({status}).",
    "timeout": "The store does not answer in time.",
    "unreachable": "The store cannot be reached.",
    "unreadable": "The store does not answer as its API does.",
    "refused": "The store's address may not be called.",
}


@dataclass(frozen=True, slots=True)
class _Key:
    tenant_id: int
    store_id: int
    hour: datetime
    method: str
    outcome: str


@dataclass(slots=True)
class _Count:
    calls: int = 0
    total_ms: float = 0.0
    buckets: list[int] = field(default_factory=latencies.empty)


class CallStats:
    """The requests of one process, until they are in the database."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Args: ticks: seconds that only go forward, for how long requests take."""
        self._now = now
        self.ticks = ticks
        self._counts: dict[_Key, _Count] = {}
        self._health: dict[tuple[int, int], StoreHealth] = {}
        self._outage = Outage("call_stats_kept")

    def answered(
        self, tenant_id: int, store_id: int, method: str, answer: Answer, took_s: float
    ) -> None:
        """Count a request that was answered."""
        self._note(tenant_id, store_id, method, outcome_of(answer.status), took_s, answer.status)

    def failed(
        self, tenant_id: int, store_id: int, method: str, error: StoreError, took_s: float
    ) -> None:
        """Count a request that came to no answer."""
        outcome = outcome_of_error(error)
        self._note(tenant_id, store_id, method, outcome, took_s, error.status)

    async def flush(self, database: Database) -> None:
        """Write down what was counted, a transaction for each tenant."""
        failure: BaseException | None = None
        for tenant_id in sorted({key.tenant_id for key in self._counts}):
            counts = self._take_out(tenant_id)
            found = [self._health.pop(key) for key in list(self._health) if key[0] == tenant_id]
            try:
                async with database.tenant(tenant_id) as connection:
                    await add_calls(connection, tenant_id, [_row(*one) for one in counts.items()])
                    await show_health(connection, tenant_id, found)
            except (*AWAY, asyncio.CancelledError) as error:
                self._take_back(tenant_id, counts, found)
                if isinstance(error, asyncio.CancelledError):
                    raise
                failure = error
        self._outage.tell(failure)

    async def run(self, database: Database) -> None:
        """Flush every few seconds until cancelled; what is left then is for `flush`."""
        await repeat(partial(self.flush, database), every_s=FLUSH_EVERY_S)

    def _take_out(self, tenant_id: int) -> "dict[_Key, _Count]":
        mine = [key for key in self._counts if key.tenant_id == tenant_id]
        return {key: self._counts.pop(key) for key in mine}

    def _note(
        self,
        tenant_id: int,
        store_id: int,
        method: str,
        outcome: str,
        took_s: float,
        status: int | None,
    ) -> None:
        at, took_ms = self._now(), took_s * 1_000
        hour = at.replace(minute=0, second=0, microsecond=0)
        key = _Key(tenant_id, store_id, hour, method, outcome)
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= MOST_KEYS:
                return
            count = self._counts[key] = _Count()
        count.calls += 1
        count.total_ms += took_ms
        count.buckets[latencies.bucket_of(took_ms)] += 1
        is_far = outcome in _FAR
        self._health[tenant_id, store_id] = StoreHealth(
            store_id,
            not is_far,
            _SAID[outcome].format(status=status) if is_far else "",
            round(took_ms),
            at,
        )

    def _take_back(
        self, tenant_id: int, counts: "dict[_Key, _Count]", found: list[StoreHealth]
    ) -> None:
        for key, one in counts.items():
            newer = self._counts.get(key)
            if newer is None:
                if len(self._counts) < MOST_KEYS:
                    self._counts[key] = one
                continue
            newer.calls += one.calls
            newer.total_ms += one.total_ms
            newer.buckets = latencies.add(newer.buckets, one.buckets)
        for health in found:
            self._health.setdefault((tenant_id, health.store_id), health)


def outcome_of(status: int) -> str:
    """What an answer with this status is counted as."""
    if status >= 500:
        return "server_error"
    return _OF_STATUS.get(status, "rejected" if status >= 400 else OK)


def outcome_of_error(error: StoreError) -> str:
    """What a request without an answer is counted as."""
    if isinstance(error, StoreUnreachableError) and error.is_timeout:
        return "timeout"
    if error.status is not None:
        return outcome_of(error.status)
    return next((name for kind, name in _OF_ERROR if isinstance(error, kind)), "rejected")


def _row(key: _Key, count: _Count) -> CallCount:
    return CallCount(
        key.store_id,
        key.hour,
        key.method,
        key.outcome,
        count.calls,
        round(count.total_ms),
        count.buckets,
    )
