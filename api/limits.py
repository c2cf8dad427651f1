"""How often something may happen: counted over a sliding window, in memory or on a server.

The window is the library's: the count of the current span plus the part of the one before that
still lies within the window. It needs two numbers a key however high the rate is.
"""

import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from redis.asyncio import BlockingConnectionPool

from api.shared_server import Breaker, connection_pool, redis_url

T = TypeVar("T")

_SWEEP_S = 1.0
_MAX_KEYS = 100_000
_Storage = MemoryStorage | RedisStorage


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` within any `seconds`."""

    count: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left.

    Attributes:
        remaining: how many more are allowed at once.
        reset_s: seconds until one more than that is allowed; 0 when nothing is used up.
    """

    is_allowed: bool
    remaining: int
    reset_s: float


class Limits:
    """Counts per key. Keys are kept as digests: they may be e-mail addresses.

    With a server that fails, each process counts in its own memory: what protects logins stays
    closed, and nobody is refused because of it. Nothing here raises.
    """

    def __init__(self, redis_url: str | None = None) -> None:
        """Args: redis_url: the server to share counts on; without one they are this process's."""
        self._memory = _BoundedMemory()
        self._breaker = Breaker("limits")
        self._pool: BlockingConnectionPool | None = None
        self._server: RedisStorage | None = None
        if redis_url is not None:
            self._pool = connection_pool(redis_url)
            self._server = _on_server(redis_url, self._pool)

    async def take(self, rate: Rate, *key: str) -> Allowance:
        """Count one, unless that is too many: what is refused is not counted."""

        async def count(storage: _Storage) -> Allowance:
            item, name = _item(rate), _digest(key)
            is_allowed = await storage.acquire_sliding_window_entry(
                item.key_for(name), rate.count, rate.seconds
            )
            return await _allowance(storage, rate, item.key_for(name), is_allowed=is_allowed)

        return await self._on_storage(count)

    async def look(self, rate: Rate, *key: str) -> Allowance:
        """What `take` would say, counting nothing."""

        async def read(storage: _Storage) -> Allowance:
            return await _allowance(storage, rate, _item(rate).key_for(_digest(key)))

        return await self._on_storage(read)

    async def clear(self, rate: Rate, *key: str) -> None:
        """Forget what was counted."""

        async def forget(storage: _Storage) -> None:
            await storage.clear_sliding_window(_item(rate).key_for(_digest(key)), rate.seconds)

        await self._on_storage(forget)

    async def close(self) -> None:
        """Close the connections to the server."""
        if self._pool is not None:
            await self._pool.disconnect()

    async def _on_storage(self, work: Callable[[_Storage], Awaitable[T]]) -> T:
        server = self._server
        if server is None:
            return await work(self._memory)
        return await self._breaker.ask(lambda: work(server), lambda: work(self._memory))


class _BoundedMemory(MemoryStorage):
    """The library's memory, which looks at every key at every count: here once a second.

    Many addresses, which cost a sender nothing, are not to fill the memory either: with too many
    keys the half that ends first begins anew. Those of logins are kept longest.
    """

    def __init__(self) -> None:
        super().__init__()
        self._next_sweep = 0.0

    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, without an await in between, so that no lock is needed."""
        now = time.time()
        if now >= self._next_sweep:
            self._next_sweep = now + _SWEEP_S
            self._sweep(now)
        if key not in self.expirations or self.expirations[key] <= now:
            self.storage[key] = 0
            self.expirations[key] = now + expiry
        self.storage[key] += amount
        return self.storage[key]

    def _sweep(self, now: float) -> None:
        gone = [key for key, expires in self.expirations.items() if expires <= now]
        if len(self.storage) > _MAX_KEYS:
            gone = sorted(self.expirations, key=self.expirations.__getitem__)
            del gone[len(gone) // 2 + 1 :]
        for key in gone:
            self.storage.pop(key, None)
            self.expirations.pop(key, None)


def _on_server(url: str, pool: BlockingConnectionPool) -> RedisStorage:
    return RedisStorage(
        f"async+{redis_url(url)}",
        implementation="redispy",
        key_prefix="entrepot:limits",
        connection_pool=pool,  # type: ignore[arg-type]
    )


def _item(rate: Rate) -> RateLimitItem:
    return RateLimitItemPerSecond(rate.count, rate.seconds)


def _digest(key: tuple[str, ...]) -> str:
    text = "\x1f".join(key)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


async def _allowance(
    storage: _Storage, rate: Rate, name: str, *, is_allowed: bool | None = None
) -> Allowance:
    before, before_ends_s, current, current_ends_s = await storage.get_sliding_window(
        name, rate.seconds
    )
    weighted = before * before_ends_s / rate.seconds + current
    used = min(rate.count, int(weighted))
    return Allowance(
        is_allowed=used < rate.count if is_allowed is None else is_allowed,
        remaining=rate.count - used,
        reset_s=_falls_below(
            used, rate.seconds, (before, before_ends_s), (current, current_ends_s)
        ),
    )


def _falls_below(
    used: int, span_s: int, before: tuple[int, float], current: tuple[int, float]
) -> float:
    """Seconds until the weighted count is less than `used`.

    The older span's part shrinks evenly until it ends; from then on the current one's does.
    """
    if used == 0:
        return 0.0
    older, older_ends_s = before
    newer, newer_ends_s = current
    if newer < used and older:
        return max(0.0, older_ends_s - span_s * (used - newer) / older)
    return max(0.0, newer_ends_s - span_s) + span_s * max(0.0, 1 - used / newer)
