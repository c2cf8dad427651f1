"""What is found out at a price, kept for a while: however many ask, one finds out."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Finding(Generic[T]):
    task: "asyncio.Future[T]"
    began: float

    def is_over(self, now: float, keep_s: float, keep_failure_s: float) -> bool:
        """Whether it has to be found out again. While it is being found out, it has not."""
        if not self.task.done():
            return False
        failed = self.task.cancelled() or self.task.exception() is not None
        return now - self.began >= (keep_failure_s if failed else keep_s)


class Remembered(Generic[T]):
    """Findings by key, in this process. At most 1,000: the oldest go first."""

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._found: dict[Hashable, _Finding[T]] = {}

    async def get(
        self,
        key: Hashable,
        make: Callable[[], Awaitable[T]],
        *,
        keep_s: float,
        keep_failure_s: float = 0.0,
    ) -> T:
        """What was found out less than `keep_s` ago, or is being found out, or will be now.

        Who gives up waiting takes nothing from the others. Raises what `make` raises, and for
        `keep_failure_s` from then on the same again.
        """
        now = self._ticks()
        known = self._found.get(key)
        if known is None or known.is_over(now, keep_s, keep_failure_s):
            self._found.pop(key, None)
            while len(self._found) >= _MOST:
                self._found.pop(next(iter(self._found)))
            known = self._found[key] = _Finding(asyncio.ensure_future(make()), now)
            # A failure that nobody waits for any more is no news.
            known.task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(known.task)
