"""The one HTTP session of a process: guarded, bounded, without memory between stores.

No cookies, no proxies from the environment, no logging of URLs, no redirects but the few rules
below.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urljoin

import httpcore
import httpx

from domain.errors import RequestRejectedError, StoreUnavailableError, StoreUnreachableError
from providers._kit.answers import Answer
from providers._kit.connections import GuardedTransport, HttpLimits
from providers._kit.protocols import Params, SignRequest
from providers._kit.ssrf import check_url

__all__ = ["HttpLimits", "StoreSession"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CREDENTIAL_PARAMS: Final = ("oauth_", "consumer_key", "consumer_secret")
_BROKEN: Final = (
    httpx.TransportError,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ConnectionNotAvailable,
)
_BASE_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip",
    "user-agent": "entrepot/1 (+commerce sync)",
}


class StoreSession:
    """Sends requests to stores and reads whole answers. A process shares one."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport, *, limits: HttpLimits | None = None
    ) -> None:
        self._transport = transport
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
        transport = GuardedTransport(
            limits, allow_private_addresses=allow_private_addresses, ca_file=ca_file
        )
        return cls(transport, limits=limits)

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
        ends_at = asyncio.get_running_loop().time() + self._limits.deadline_s
        for _ in range(self._limits.max_redirects + 1):
            parts = check_url(url)
            signed, headers = (params, {}) if auth is None else auth(method, url, params)
            request = self._build(method, parts, signed, headers, content)
            answer = await self._exchange(asked, request, ends_at)
            if answer.status not in _REDIRECTS or method != "GET":
                return answer
            url, params = _redirected(url, parts, answer.headers.get("location", ""), asked=asked)
        raise StoreUnavailableError(f"{asked}: the store redirects again and again.")

    def _build(
        self,
        method: str,
        url: SplitResult,
        params: Params,
        headers: dict[str, str],
        content: bytes | None,
    ) -> httpx.Request:
        path = quote(url.path, safe="/%:@!$&'()*+,;=~-._") or "/"
        query = f"?{urlencode(params, safe=',:', quote_via=quote)}" if params else ""
        named = {**_BASE_HEADERS, **headers}
        if content is not None:
            named["content-type"] = "application/json"
        return httpx.Request(
            method,
            f"{url.scheme}://{url.netloc}{path}{query}",
            headers=named,
            content=content,
            extensions=self._limits.timeouts(),
        )

    async def _exchange(self, asked: str, request: httpx.Request, ends_at: float) -> Answer:
        started = time.perf_counter()
        try:
            async with asyncio.timeout_at(ends_at):
                response = await self._transport.handle_async_request(request)
                try:
                    body = await self._read(response, asked)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException, httpcore.TimeoutException):
            raise StoreUnreachableError(f"{asked}: no answer in time.", is_timeout=True) from None
        except (httpx.ConnectError, httpcore.ConnectError) as error:
            raise StoreUnreachableError(f"{asked}: {_connect_hint(error)}") from None
        except _BROKEN:
            raise StoreUnreachableError(
                f"{asked}: the connection broke before the answer was whole."
            ) from None
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in response.headers.raw
        }
        return Answer(response.status_code, headers, body, time.perf_counter() - started)

    async def _read(self, response: httpx.Response, asked: str) -> bytes:
        limit = self._limits.max_body_bytes
        stream = response.stream
        if not isinstance(stream, AsyncIterable):
            raise TypeError("the transport answered with a blocking body")
        encoding = response.headers.get("content-encoding", "")
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


def _origin(url: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port of a URL (RFC 6454)."""
    return url.scheme, url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def _redirected(url: str, here: SplitResult, location: str, *, asked: str) -> tuple[str, Params]:
    """Where a redirect leads, without the credentials its query may repeat."""
    target = check_url(urljoin(url, location))
    if _origin(target) != _origin(here):
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
    if "certificate" in text or "ssl" in text or "tls" in text:
        return "its TLS certificate or protocol is not one we trust."
    if "resolve" in text:
        return "its host name does not resolve. Is the URL right?"
    return "no connection. Is the server up, and the URL right?"
