"""The one HTTP session of a process: guarded, bounded, without memory between stores.

No cookies, no proxies from the environment, no logging of URLs, no redirects but the few rules
below.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urljoin

import httpx

from domain.errors import RequestRejectedError, StoreUnavailableError, StoreUnreachableError
from providers._kit.answers import Answer
from providers._kit.connections import (
    ConnectionPool,
    HttpLimits,
    Incoming,
    Outgoing,
    origin_of,
    trusted_authorities,
)
from providers._kit.protocols import Params, SignRequest
from providers._kit.ssrf import check_url

__all__ = ["HttpLimits", "StoreSession"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CREDENTIAL_PARAMS: Final = ("oauth_", "consumer_key", "consumer_secret")
_BASE_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip",
    "user-agent": "entrepot/1 (+commerce sync)",
}


class Transport(Protocol):
    """What carries requests: the network, or a fake one."""

    def send(self, request: Outgoing) -> AbstractAsyncContextManager[Incoming]:
        """Send a request; the body is read inside the context. Raises httpx.TransportError."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class HttpxTransport:
    """Any transport of httpx, such as its `MockTransport` for tests."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    @asynccontextmanager
    async def send(self, request: Outgoing) -> AsyncIterator[Incoming]:
        """Send a request."""
        url = f"{request.url.scheme}://{request.url.netloc}{request.target}"
        response = await self._inner.handle_async_request(
            httpx.Request(request.method, url, headers=request.headers, content=request.content)
        )
        stream = response.stream
        if not isinstance(stream, AsyncIterable):
            raise TypeError("the transport answered with a blocking body")
        try:
            yield Incoming(response.status_code, response.headers.raw, aiter(stream))
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close the transport."""
        await self._inner.aclose()


class StoreSession:
    """Sends requests to stores and reads whole answers. A process shares one."""

    def __init__(
        self, transport: Transport | httpx.AsyncBaseTransport, *, limits: HttpLimits | None = None
    ) -> None:
        self._transport: Transport = (
            HttpxTransport(transport)
            if isinstance(transport, httpx.AsyncBaseTransport)
            else transport
        )
        self._limits = limits or HttpLimits()

    @classmethod
    def open(
        cls,
        *,
        allow_private_addresses: bool = False,
        ca_file: Path | None = None,
        limits: HttpLimits | None = None,
    ) -> Self:
        """A session over the network. `ca_file` (PEM) is trusted besides the public authorities."""
        limits = limits or HttpLimits()
        tls = trusted_authorities(ca_file)
        return cls(ConnectionPool(limits, allow_private_addresses, tls), limits=limits)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params = (),
        auth: SignRequest | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        A GET follows redirects (RFC 9110, 15.4) that stay at the same scheme, host and port; each
        is signed anew. Nothing is tried twice and nothing waits: retries belong to the caller.

        Args:
            method: `GET`, `POST`, …
            url: without query; `params` are added to it.
            params: names and values in order.
            auth: makes the parameters and headers that prove who we are, anew for each try.
            content: a JSON body.

        Raises:
            StoreUnreachableError: connection, TLS, time-out, or an answer cut short.
            StoreUnavailableError: an answer larger than we read, or redirects without end.
            RequestRejectedError: a redirect to another origin.
            AddressRefusedError: the address is not one we call.
        """
        asked = f"{method} {url}"
        for _ in range(self._limits.max_redirects + 1):
            parts = check_url(url)
            signed, headers = (params, {}) if auth is None else auth(method, url, params)
            answer = await self._exchange(asked, _outgoing(method, parts, signed, headers, content))
            if answer.status not in _REDIRECTS or method != "GET":
                return answer
            url, params = _redirected(url, parts, answer.headers.get("location", ""), asked=asked)
        raise StoreUnavailableError(f"{asked}: the store redirects again and again.")

    async def _exchange(self, asked: str, request: Outgoing) -> Answer:
        started = time.perf_counter()
        try:
            async with (
                asyncio.timeout(self._limits.deadline_s),
                self._transport.send(request) as incoming,
            ):
                headers = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in incoming.headers
                }
                body = await self._read(incoming, headers.get("content-encoding", ""), asked)
        except (TimeoutError, httpx.TimeoutException):
            raise StoreUnreachableError(f"{asked}: no answer in time.") from None
        except httpx.ConnectError as error:
            raise StoreUnreachableError(f"{asked}: {_connect_hint(error)}") from None
        except httpx.TransportError:
            raise StoreUnreachableError(
                f"{asked}: the connection broke before the answer was whole."
            ) from None
        return Answer(incoming.status, headers, body, time.perf_counter() - started)

    async def _read(self, incoming: Incoming, encoding: str, asked: str) -> bytes:
        limit = self._limits.max_body_bytes
        # 47: gzip or zlib header, by itself (zlib manual, inflateInit2).
        inflate = zlib.decompressobj(47) if encoding in ("gzip", "x-gzip", "deflate") else None
        chunks: list[bytes] = []
        size = 0
        received = False
        async for raw in incoming.body:
            received = True
            chunk = raw
            if inflate is not None:
                try:
                    chunk = inflate.decompress(raw, limit - size + 1)
                except zlib.error:
                    raise StoreUnavailableError(
                        f"{asked}: the answer says it is compressed but is not."
                    ) from None
            size += len(chunk)
            if size > limit:
                raise StoreUnavailableError(
                    f"{asked}: the answer is larger than {limit // 1_048_576} MB."
                )
            chunks.append(chunk)
        if inflate is not None and received and not inflate.eof:
            raise StoreUnreachableError(f"{asked}: the answer was cut short.")
        return b"".join(chunks)


def _outgoing(
    method: str,
    url: SplitResult,
    params: Params,
    headers: dict[str, str],
    content: bytes | None,
) -> Outgoing:
    path = quote(url.path, safe="/%:@!$&'()*+,;=~-._") or "/"
    target = f"{path}?{urlencode(params, safe=',:', quote_via=quote)}" if params else path
    named = {"host": url.netloc, **_BASE_HEADERS, **headers}
    if content is not None:
        named["content-type"] = "application/json"
        named["content-length"] = str(len(content))
    return Outgoing(method, url, target, named, content or b"")


def _redirected(url: str, here: SplitResult, location: str, *, asked: str) -> tuple[str, Params]:
    """Where a redirect leads, without the credentials its query may repeat."""
    target = check_url(urljoin(url, location))
    if origin_of(target) != origin_of(here):
        raise RequestRejectedError(
            f"{asked}: the store redirects to {target.scheme}://{target.netloc}. If that is"
            " the shop, enter that address as the store URL."
        )
    params = tuple(
        (name, value)
        for name, value in parse_qsl(target.query, keep_blank_values=True)
        if not name.startswith(_CREDENTIAL_PARAMS)
    )
    return f"{target.scheme}://{target.netloc}{target.path or '/'}", params


def _connect_hint(error: Exception) -> str:
    text = str(error).lower()
    if "tls" in text:
        return "its TLS certificate or protocol is not one we trust."
    if "resolve" in text:
        return "its host name does not resolve. Is the store URL right?"
    return "no connection. Is the store up, and the store URL right?"
