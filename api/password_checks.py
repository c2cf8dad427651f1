"""Passwords are hashed in few threads: each takes much memory and time, by design."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from pydantic import SecretStr

from api.problems import UNAVAILABLE, ProblemError
from db import passwords

T = TypeVar("T")

_AT_A_TIME: Final = 2
_MOST_WAITING: Final = 40  # about a second of work


class PasswordChecks:
    """Checks passwords off the event loop, a few at a time."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="password")
        self._waiting = 0
        self._under_way: Counter[str] = Counter()

    async def matches(self, password: SecretStr, stored: str | None) -> bool:
        """Whether it is the stored password. Without a stored one it takes as long, and is not.

        Raises:
            ProblemError: 503, too many wait already.
        """
        stored = passwords.NOBODYS_HASH if stored is None else stored
        return await self._run(lambda: passwords.matches(password, stored))

    async def hash(self, password: SecretStr) -> str:
        """What is to be stored of it. Raises ProblemError (503)."""
        return await self._run(lambda: passwords.hash_password(password))

    @contextmanager
    def under_way(self, place: str) -> Iterator[int]:
        """Note a login from a place for the time of the block; how many began before it there."""
        before = self._under_way[place]
        self._under_way[place] += 1
        try:
            yield before
        finally:
            self._under_way[place] -= 1
            if not self._under_way[place]:
                del self._under_way[place]

    def check_room(self) -> None:
        """Raise ProblemError (503) when too many wait already."""
        if self._waiting >= _MOST_WAITING:
            raise ProblemError(
                UNAVAILABLE,
                "Too many people log in at this moment. Try again in a few seconds.",
                headers={"Retry-After": "2"},
            )

    async def _run(self, work: Callable[[], T]) -> T:
        self.check_room()
        self._waiting += 1
        try:
            # A thread goes on when its request is gone, so the pool is the bound, not this count.
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
