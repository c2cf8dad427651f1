"""Sends signed webhooks as fast as they are answered, or at a rate, over kept connections."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from bench.rig import BenchError

_ANSWER: Final = b"HTTP/1.1 200"
_PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load. `latencies_s` are sorted."""

    seconds: float
    latencies_s: Sequence[float] = field(repr=False)

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return len(self.latencies_s) / self.seconds

    def percentile_ms(self, percent: float) -> float:
        """So many percent of the answers came within this time."""
        place = min(len(self.latencies_s) - 1, int(len(self.latencies_s) * percent / 100))
        return self.latencies_s[place] * 1000


@dataclass(frozen=True, slots=True)
class Connection:
    """A kept connection to one server."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[Self]:
        """Connected to the host of the address for as long as the block lasts."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()

    async def send(self, data: bytes) -> None:
        """Send one request and read its answer whole. Raises BenchError if that is not 200."""
        self._writer.write(data)
        async with asyncio.timeout(_PATIENCE_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            if not head.startswith(_ANSWER):
                raise BenchError(f"a webhook was answered {head[9:12].decode()}")
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    await self._reader.readexactly(int(line.partition(b":")[2]))
                    return
        raise BenchError("an answer without a length")


def request(url: str, headers: dict[str, str], body: bytes) -> bytes:
    """A whole HTTP/1.1 request, as bytes."""
    parts = urlsplit(url)
    lines = [
        f"POST {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def send_for(
    url: str, requests: Iterator[bytes], *, seconds: float, connections: int
) -> Load:
    """Send one behind the other on each connection, for so long.

    Raises:
        BenchError: an answer was not 200.
    """
    latencies: list[float] = []
    started = time.perf_counter()
    ends = started + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_send(url, requests, ends, latencies))
    return Load(time.perf_counter() - started, sorted(latencies))


async def send_at(
    url: str, requests: Iterator[bytes], *, per_s: float, seconds: float, connections: int
) -> Load:
    """Send so many a second, whether or not the answers keep up; the latency counts from the
    moment a request was due.

    Raises:
        BenchError: an answer was not 200.
    """
    latencies: list[float] = []
    due: asyncio.Queue[float | None] = asyncio.Queue()
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_send_due(url, requests, due, latencies))
        for number in range(int(per_s * seconds)):
            moment = started + number / per_s
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            due.put_nowait(moment)
        for _ in range(connections):
            due.put_nowait(None)
    return Load(time.perf_counter() - started, sorted(latencies))


async def _send_due(
    url: str,
    requests: Iterator[bytes],
    due: "asyncio.Queue[float | None]",
    latencies: list[float],
) -> None:
    async with Connection.open(url) as connection:
        while (moment := await due.get()) is not None:
            await connection.send(next(requests))
            latencies.append(time.perf_counter() - moment)


async def _send(url: str, requests: Iterator[bytes], ends: float, latencies: list[float]) -> None:
    async with Connection.open(url) as connection:
        while time.perf_counter() < ends:
            data, sent = next(requests), time.perf_counter()
            await connection.send(data)
            latencies.append(time.perf_counter() - sent)
