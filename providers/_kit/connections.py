"""HTTP/1.1 over kept connections to checked addresses.

h11 reads and writes the protocol (RFC 9112); the sockets are asyncio's. It costs a quarter of the
processor time of httpx with httpcore (0.3 against 1.3 ms a request, measured), which an import of
small pages spends mostly there, and the guard sits where the connection is made.

A request is sent once. One that meets a connection which its server has just closed fails like
any other broken connection, and is signed anew when its caller tries again: an OAuth nonce that
might have been seen must not be sent twice.
"""

import asyncio
import contextlib
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult

import h11
import httpx

from providers._kit.ssrf import resolve

Headers = list[tuple[bytes, bytes]]
Origin = tuple[str, str, int]

# Shorter than the keep-alive of common servers (5 s), so a connection is rarely closed under us.
_KEEPALIVE_S: Final = 4.0
_READ_BYTES: Final = 256 * 1024
_HEAD_BYTES: Final = 64 * 1024
_OWN_PORT: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The bounds of every request."""

    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    deadline_s: float = 60.0
    max_body_bytes: int = 32 * 1024 * 1024
    max_redirects: int = 3
    max_connections: int = 100


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request that is ready to be sent: `url` is split and without query, `target` has it."""

    method: str
    url: SplitResult
    target: str
    headers: dict[str, str]
    content: bytes = b""

    @property
    def origin(self) -> Origin:
        """Scheme, host and port."""
        return origin_of(self.url)


@dataclass(frozen=True, slots=True)
class Incoming:
    """The head of an answer, and its body as it comes."""

    status: int
    headers: Headers
    body: AsyncIterator[bytes]


def origin_of(url: SplitResult) -> Origin:
    """Scheme, host and port of a URL (RFC 6454)."""
    return url.scheme, url.hostname or "", url.port or _OWN_PORT[url.scheme]


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    protocol: h11.Connection
    idle_since: float = 0.0

    def is_fresh(self, now: float) -> bool:
        return now - self.idle_since < _KEEPALIVE_S and not self.reader.at_eof()

    def close(self) -> None:
        self.writer.transport.abort()


@dataclass(slots=True)
class ConnectionPool:
    """Connections of one event loop, kept by origin."""

    limits: HttpLimits
    allow_private_addresses: bool
    tls: ssl.SSLContext
    _idle: defaultdict[Origin, list[_Connection]] = field(default_factory=lambda: defaultdict(list))
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.limits.max_connections)

    @contextlib.asynccontextmanager
    async def send(self, request: Outgoing) -> AsyncIterator[Incoming]:
        """Send a request; the answer's body is read inside the context.

        Raises:
            httpx.TransportError: no connection, or it broke.
            AddressRefusedError: the host is not one we call.
        """
        origin = request.origin
        async with self._slots:
            connection = self._take(origin) or await self._open(origin)
            try:
                yield await self._exchange(connection, request)
            except (h11.ProtocolError, OSError) as error:
                raise httpx.RemoteProtocolError(type(error).__name__) from None
            finally:
                self._put_back(origin, connection)

    async def aclose(self) -> None:
        """Close all connections."""
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()
        # Lets asyncio finish with the sockets.
        await asyncio.sleep(0)

    def _take(self, origin: Origin) -> _Connection | None:
        kept = self._idle[origin]
        now = time.monotonic()
        while kept:
            connection = kept.pop()
            if connection.is_fresh(now):
                return connection
            connection.close()
        return None

    def _put_back(self, origin: Origin, connection: _Connection) -> None:
        protocol = connection.protocol
        if protocol.our_state is h11.DONE and protocol.their_state is h11.DONE:
            protocol.start_next_cycle()
            connection.idle_since = time.monotonic()
            self._idle[origin].append(connection)
        else:
            connection.close()

    async def _open(self, origin: Origin) -> _Connection:
        scheme, host, port = origin
        tls = self.tls if scheme == "https" else None
        try:
            async with asyncio.timeout(self.limits.connect_timeout_s):
                addresses = await resolve(host, port, allow_private=self.allow_private_addresses)
                reader, writer = await self._connect(addresses, port, tls, host)
        except TimeoutError:
            raise httpx.ConnectTimeout("connecting took too long") from None
        except socket.gaierror:
            raise httpx.ConnectError("the name does not resolve") from None
        except ssl.SSLError:
            raise httpx.ConnectError("TLS failed") from None
        except OSError:
            raise httpx.ConnectError("no connection") from None
        protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
        return _Connection(reader, writer, protocol)

    @staticmethod
    async def _connect(
        addresses: tuple[str, ...], port: int, tls: ssl.SSLContext | None, host: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        failure: OSError = OSError("no address")
        for address in addresses:
            try:
                return await asyncio.open_connection(
                    address,
                    port,
                    limit=_READ_BYTES,
                    ssl=tls,
                    server_hostname=host if tls is not None else None,
                )
            except ssl.SSLError:
                raise
            except OSError as error:
                failure = error
        raise failure

    async def _exchange(self, connection: _Connection, request: Outgoing) -> Incoming:
        protocol, writer = connection.protocol, connection.writer
        head = h11.Request(
            method=request.method,
            target=request.target,
            headers=[*request.headers.items()],
        )
        data = protocol.send(head) or b""
        if request.content:
            data += protocol.send(h11.Data(data=request.content)) or b""
        writer.write(data + (protocol.send(h11.EndOfMessage()) or b""))
        if request.content:
            await writer.drain()
        while True:
            event = await self._next_event(connection)
            # 1xx answers (RFC 9110, 15.2) come before the one that counts.
            if isinstance(event, h11.Response):
                return Incoming(event.status_code, list(event.headers), self._body(connection))

    async def _body(self, connection: _Connection) -> AsyncIterator[bytes]:
        while True:
            event = await self._next_event(connection)
            if not isinstance(event, h11.Data):
                return
            yield bytes(event.data)

    async def _next_event(self, connection: _Connection) -> h11.Event:
        protocol = connection.protocol
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                try:
                    async with asyncio.timeout(self.limits.read_timeout_s):
                        received = await connection.reader.read(_READ_BYTES)
                except TimeoutError:
                    raise httpx.ReadTimeout("reading took too long") from None
                protocol.receive_data(received)
            elif isinstance(event, h11.ConnectionClosed) or not isinstance(event, h11.Event):
                raise httpx.RemoteProtocolError("closed before the answer was whole")
            else:
                return event


def trusted_authorities(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later, the public authorities, and those of `ca_file` (PEM)."""
    context = httpx.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
