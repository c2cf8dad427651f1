"""The one HTTP session of a process: guarded, bounded, without memory between stores.

It goes to the transport directly: no cookies, no proxies from the environment, no logging of
URLs, no redirects but the few rules below. A request costs about half a millisecond of processor
time besides its body.
"""

import asyncio
import ssl
import time
import zlib
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

import httpcore
import httpx

from domain.errors import RequestRejectedError, StoreUnavailableError, StoreUnreachableError
from providers._kit.answers import Answer
from providers._kit.protocols import Params, SignRequest
from providers._kit.ssrf import GuardedBackend, check_url

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CREDENTIAL_PARAMS: Final = ("oauth_", "consumer_key", "consumer_secret")
_BASE_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip",
    "user-agent": "entrepot/1 (+commerce sync)",
}
# Shorter than the keep-alive of common servers (5 s), so a connection is rarely closed under us.
_KEEPALIVE_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The bounds of every request."""

    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    deadline_s: float = 60.0
    max_body_bytes: int = 32 * 1024 * 1024
    max_redirects: int = 3
    max_connections: int = 100


class _RawBody(httpx.AsyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        close = getattr(self._stream, "aclose", None)
        if close is not None:
            await close()


class GuardedTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 with kept connections, to checked addresses only."""

    def __init__(
        self, *, limits: HttpLimits, allow_private_addresses: bool, ca_file: Path | None
    ) -> None:
        tls = httpx.create_ssl_context(trust_env=False)
        if ca_file is not None:
            tls.load_verify_locations(cafile=ca_file)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_connections,
            keepalive_expiry=_KEEPALIVE_S,
            network_backend=GuardedBackend(
                httpcore.AnyIOBackend(), allow_private=allow_private_addresses
            ),
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
        return httpx.Response(answer.status, headers=answer.headers, stream=_RawBody(answer.stream))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class StoreSession:
    """Sends requests to stores and reads whole answers. A process shares one."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport, *, limits: HttpLimits | None = None
    ) -> None:
        self._transport = transport
        self._limits = limits or HttpLimits()
        self._timeouts = {
            "timeout": {
                "connect": self._limits.connect_timeout_s,
                "read": self._limits.read_timeout_s,
                "write": self._limits.read_timeout_s,
                "pool": self._limits.deadline_s,
            }
        }

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
        return cls(
            GuardedTransport(
                limits=limits, allow_private_addresses=allow_private_addresses, ca_file=ca_file
            ),
            limits=limits,
        )

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
            check_url(url)
            signed_params, headers = (params, {}) if auth is None else auth(method, url, params)
            answer = await self._exchange(
                asked, _build(method, url, signed_params, headers, content, self._timeouts)
            )
            if answer.status not in _REDIRECTS or method != "GET":
                return answer
            url, params = _redirected(url, answer.headers.get("location", ""), asked=asked)
        raise StoreUnavailableError(f"{asked}: the store redirects again and again.")

    async def _exchange(self, asked: str, request: httpx.Request) -> Answer:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._limits.deadline_s):
                response = await self._transport.handle_async_request(request)
                try:
                    headers = {
                        name.decode("latin-1").lower(): value.decode("latin-1")
                        for name, value in response.headers.raw
                    }
                    body = await self._read(response, headers.get("content-encoding", ""), asked)
                finally:
                    await response.aclose()
        except (TimeoutError, httpcore.TimeoutException, httpx.TimeoutException):
            raise StoreUnreachableError(f"{asked}: no answer in time.") from None
        except (httpcore.ConnectError, httpx.ConnectError) as error:
            raise StoreUnreachableError(f"{asked}: {_connect_hint(error)}") from None
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpx.NetworkError,
            httpx.ProtocolError,
        ):
            raise StoreUnreachableError(
                f"{asked}: the connection broke before the answer was whole."
            ) from None
        return Answer(response.status_code, headers, body, time.perf_counter() - started)

    async def _read(self, response: httpx.Response, encoding: str, asked: str) -> bytes:
        limit = self._limits.max_body_bytes
        stream = response.stream
        if not isinstance(stream, AsyncIterable):
            raise TypeError("the transport answered with a blocking body")
        # 47: gzip or zlib header, by itself (zlib manual, inflateInit2).
        inflate = zlib.decompressobj(47) if encoding in ("gzip", "x-gzip", "deflate") else None
        chunks: list[bytes] = []
        size = 0
        received = False
        async for raw in stream:
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


def _build(
    method: str,
    url: str,
    params: Params,
    headers: dict[str, str],
    content: bytes | None,
    timeouts: dict[str, dict[str, float]],
) -> httpx.Request:
    target = f"{url}?{urlencode(params, safe=',:', quote_via=quote)}" if params else url
    all_headers = {**_BASE_HEADERS, **headers}
    if content is not None:
        all_headers["content-type"] = "application/json"
    return httpx.Request(method, target, headers=all_headers, content=content, extensions=timeouts)


def _redirected(url: str, location: str, *, asked: str) -> tuple[str, Params]:
    """Where a redirect leads, without the credentials its query may repeat."""
    target = check_url(urljoin(url, location))
    here = urlsplit(url)
    if _origin(target.scheme, target.hostname, target.port) != _origin(
        here.scheme, here.hostname, here.port
    ):
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


def _origin(scheme: str, host: str | None, port: int | None) -> tuple[str, str, int]:
    return scheme, host or "", port or (443 if scheme == "https" else 80)


def _connect_hint(error: Exception) -> str:
    text = str(error).lower()
    if "certificate" in text or "ssl" in text or "tls" in text:
        return "its TLS certificate or protocol is not one we trust."
    if "resolve" in text:
        return "its host name does not resolve. Is the store URL right?"
    return "no connection. Is the store up, and the store URL right?"
