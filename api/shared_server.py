"""The Redis or Valkey server that several API processes share, and doing without it.

What lies there is never needed for an answer to be right, so a server that is slow or gone costs
a request a quarter of a second at most, and only the first one in a while.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from cashews.exceptions import CacheBackendInteractionError
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import RedisError

T = TypeVar("T")

TIMEOUT_S = 0.25
PAUSE_S = 5.0
_CONNECTIONS = 16

# A count that is no number is a ValueError: somebody else writes there.
_FAILURES = (RedisError, CacheBackendInteractionError, OSError, TimeoutError, ValueError)

_log = structlog.get_logger(__name__)


def client_options() -> dict[str, Any]:
    """How clients of the server behave: short waits, and one new try over a new connection.

    A pooled connection whose server was restarted breaks at its next use; that is no outage.
    """
    return {
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
        "max_connections": _CONNECTIONS,
        "health_check_interval": 0,
        "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionLostError,)),
    }


def redis_url(url: str) -> str:
    """The URL as the client knows it: Valkey speaks the same protocol under another scheme."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.replace('valkeys', 'rediss').replace('valkey', 'redis')}://{rest}"


def connection_pool(url: str) -> BlockingConnectionPool:
    """Connections to the server; none is opened yet."""
    return BlockingConnectionPool.from_url(redis_url(url), timeout=TIMEOUT_S, **client_options())


class Breaker:
    """Leaves a server alone for a while after it failed. One log line an outage, one at its end."""

    def __init__(self, used_for: str) -> None:
        """Args: used_for: names in the log what goes on without the server."""
        self._used_for = used_for
        self._is_down = False
        self._next_try = 0.0

    async def ask(
        self,
        call: Callable[[], Awaitable[T]],
        otherwise: Callable[[], Awaitable[T]],
    ) -> T:
        """What the server says, or `otherwise` when it fails, is too slow, or did so just now."""
        now = time.monotonic()
        if self._is_down:
            if now < self._next_try:
                return await otherwise()
            # Whoever asks meanwhile does not wait for this try.
            self._next_try = now + PAUSE_S
        try:
            async with asyncio.timeout(2 * TIMEOUT_S):
                answer = await call()
        except _FAILURES as error:
            self._failed(error)
            return await otherwise()
        if self._is_down:
            self._is_down = False
            _log.info("shared_server_is_back", used_for=self._used_for)
        return answer

    def _failed(self, error: Exception) -> None:
        self._next_try = time.monotonic() + PAUSE_S
        if not self._is_down:
            self._is_down = True
            # Its words may hold the address with the password, so only its kind is told.
            _log.warning(
                "shared_server_failed",
                used_for=self._used_for,
                error_type=type(error).__name__,
                effect="each process goes by its own memory until it answers again",
            )
