"""The transport below the session: httpx and httpcore, to checked addresses only."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import httpcore
import httpx

from providers._kit.ssrf import resolve

# Shorter than the keep-alive of common servers (5 s), so a connection is rarely closed under us.
_KEEPALIVE_S: Final = 4.0
_ROOM: Final = 1.5


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The bounds of every request. `deadline_s` is for the whole of it, redirects included."""

    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    deadline_s: float = 60.0
    max_body_bytes: int = 32 * 1024 * 1024
    max_redirects: int = 3
    max_connections: int = 100

    @classmethod
    def of_timeouts(
        cls, connect_s: float, read_s: float, *, at_most_s: float | None = None
    ) -> Self:
        """The limits with these time-outs, and a deadline that leaves room for both and for an
        answer that comes in pieces; never more than `at_most_s`."""
        deadline_s = _ROOM * (connect_s + read_s)
        if at_most_s is not None:
            deadline_s = min(deadline_s, at_most_s)
        return cls(connect_timeout_s=connect_s, read_timeout_s=read_s, deadline_s=deadline_s)

    def timeouts(self) -> dict[str, dict[str, float]]:
        """The bounds as httpx's extension of a request."""
        return {
            "timeout": {
                "connect": self.connect_timeout_s,
                "read": self.read_timeout_s,
                "write": self.read_timeout_s,
                "pool": self.deadline_s,
            }
        }


class GuardedTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 with kept connections.

    A request is sent once: an OAuth nonce that might have been seen must not be sent twice, so a
    connection that its server has just closed is the caller's to try again, signed anew.
    """

    def __init__(
        self, limits: HttpLimits, *, allow_private_addresses: bool, ca_file: Path | None
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_trusted_authorities(ca_file),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_connections,
            keepalive_expiry=_KEEPALIVE_S,
            network_backend=_GuardedBackend(allow_private=allow_private_addresses),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer's body is still to be read."""
        url = request.url
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        if not isinstance(answer.stream, AsyncIterable):
            raise TypeError("the connection pool answered with a blocking body")
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name itself, checks every address, and connects to what it checked."""

    def __init__(self, *, allow_private: bool) -> None:
        self._inner = httpcore.AnyIOBackend()
        self._allow_private = allow_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers. Raises AddressRefusedError."""
        try:
            async with asyncio.timeout(timeout):
                return await self._connect(host, port, local_address, socket_options)
        except TimeoutError:
            raise httpcore.ConnectTimeout("connecting took too long") from None

    async def _connect(
        self,
        host: str,
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await resolve(host, port, allow_private=self._allow_private)
        except socket.gaierror:
            raise httpcore.ConnectError("the name does not resolve") from None
        failure = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    address, port, local_address=local_address, socket_options=socket_options
                )
            except httpcore.ConnectError as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Sleep, as the connection pool asks."""
        await self._inner.sleep(seconds)


def _trusted_authorities(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later, the public authorities, and those of `ca_file` (PEM)."""
    context = httpx.create_ssl_context(trust_env=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
