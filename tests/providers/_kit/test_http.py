import asyncio
import gzip
import logging

import httpx
import pytest
from typing_extensions import override

from domain.errors import (
    AddressRefusedError,
    RequestRejectedError,
    StoreError,
    StoreUnavailableError,
    StoreUnreachableError,
)
from providers._kit.http import HttpLimits, StoreSession
from providers._kit.protocols import Params
from tests.providers.fake_store import FakeStore

URL = "https://shop.example/wp-json/wc/v3/orders"
PARAMS = (("per_page", "100"), ("search", "ü & b+c"), ("include", "1,2"))


class _Sign:
    def __init__(self) -> None:
        self.tries = 0

    def __call__(self, _method: str, _url: str, params: Params, /) -> tuple[Params, dict[str, str]]:
        self.tries += 1
        return (*params, ("oauth_nonce", f"n{self.tries}")), {"authorization": f"A{self.tries}"}


async def test_request_carries_parameters_and_headers_as_given() -> None:
    store = FakeStore(lambda _: httpx.Response(200, content=b"[]", headers={"X-WP-Total": "3"}))

    answer = await store.session().request("GET", URL, params=PARAMS, auth=_Sign())

    assert (answer.status, answer.body, answer.headers["x-wp-total"]) == (200, b"[]", "3")
    [request] = store.asked
    assert str(request.url) == (
        f"{URL}?per_page=100&search=%C3%BC%20%26%20b%2Bc&include=1,2&oauth_nonce=n1"
    )
    assert {name: request.headers[name] for name in ("accept", "accept-encoding", "host")} == {
        "accept": "application/json",
        "accept-encoding": "gzip",
        "host": "shop.example",
    }
    assert request.headers["authorization"] == "A1"


async def test_redirect_within_the_origin_is_signed_anew() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/orders"):
            location = "/wp-json/wc/v3/orders/?per_page=100&oauth_nonce=n1&consumer_key=ck"
            return httpx.Response(301, headers={"location": location})
        return httpx.Response(200, content=b"[]")

    store = FakeStore(answer)
    await store.session().request("GET", URL, params=(("per_page", "100"),), auth=_Sign())

    assert store.queries == [
        ("/wp-json/wc/v3/orders", {"per_page": "100", "oauth_nonce": "n1"}),
        ("/wp-json/wc/v3/orders/", {"per_page": "100", "oauth_nonce": "n2"}),
    ]
    assert [request.headers["authorization"] for request in store.asked] == ["A1", "A2"]


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/",
        "http://shop.example/wp-json/wc/v3/orders",
        "https://shop.example:8443/",
        "//evil.example/?q=1",
    ],
)
async def test_redirect_to_another_origin_is_not_followed(location: str) -> None:
    store = FakeStore(lambda _: httpx.Response(302, headers={"location": location}))

    with pytest.raises(RequestRejectedError, match="the store redirects to"):
        await store.session().request("GET", URL, auth=_Sign())
    assert len(store.asked) == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "https://a:b@shop.example/", "http://"])
async def test_redirect_passes_the_guard(location: str) -> None:
    store = FakeStore(lambda _: httpx.Response(302, headers={"location": location}))

    with pytest.raises(AddressRefusedError):
        await store.session().request("GET", URL)
    assert len(store.asked) == 1


async def test_redirects_end_after_three() -> None:
    store = FakeStore(lambda _: httpx.Response(302, headers={"location": URL}))

    with pytest.raises(StoreUnavailableError, match="again and again"):
        await store.session().request("GET", URL)
    assert len(store.asked) == 4


async def test_write_is_not_redirected() -> None:
    store = FakeStore(lambda _: httpx.Response(302, headers={"location": URL}))

    answer = await store.session().request("POST", URL, content=b"{}")

    assert (answer.status, len(store.asked)) == (302, 1)
    assert store.asked[0].headers["content-type"] == "application/json"


async def test_compressed_answer_is_read() -> None:
    body = gzip.compress(b"[1,2]" * 1000, mtime=0)
    store = FakeStore(
        lambda _: httpx.Response(200, stream=_Body(body), headers={"content-encoding": "gzip"})
    )

    assert (await store.session().request("GET", URL)).body == b"[1,2]" * 1000


class _Body(httpx.AsyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        for chunk in self._chunks:
            yield chunk


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_answer_larger_than_the_limit_is_refused(encoding: str) -> None:
    raw = b"x" * 3_000_000
    body = gzip.compress(raw, mtime=0) if encoding == "gzip" else raw
    store = FakeStore(
        lambda _: httpx.Response(200, stream=_Body(body), headers={"content-encoding": encoding})
    )

    with pytest.raises(StoreUnavailableError, match="larger than 2 MB"):
        await store.session(limits=HttpLimits(max_body_bytes=2 * 1_048_576)).request("GET", URL)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (gzip.compress(b"[1,2]" * 1000, mtime=0)[:-20], StoreUnreachableError),
        (b"plain", StoreUnavailableError),
    ],
)
async def test_broken_compression(body: bytes, kind: type[StoreError]) -> None:
    store = FakeStore(
        lambda _: httpx.Response(200, stream=_Body(body), headers={"content-encoding": "gzip"})
    )

    with pytest.raises(kind):
        await store.session().request("GET", URL)


@pytest.mark.parametrize(
    "raised",
    [
        httpx.ConnectError("boom"),
        httpx.ReadTimeout("boom"),
        httpx.ReadError("boom"),
        httpx.RemoteProtocolError("boom"),
        httpx.ConnectTimeout("boom"),
        httpx.WriteError("boom"),
        httpx.PoolTimeout("boom"),
        httpx.LocalProtocolError("boom"),
    ],
    ids=lambda raised: type(raised).__name__,
)
async def test_broken_connection_may_work_later_and_tells_no_secret(raised: Exception) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise raised

    with pytest.raises(StoreUnreachableError) as caught:
        await FakeStore(answer).session().request("GET", URL, params=PARAMS, auth=_Sign())
    assert str(caught.value).startswith(f"GET {URL}: ")
    assert not any(word in str(caught.value) for word in ("oauth", "n1", "per_page", "A1"))
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


class _Stalled(httpx.AsyncBaseTransport):
    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("nothing wakes this")


async def test_whole_request_has_a_deadline() -> None:
    session = StoreSession(_Stalled(), limits=HttpLimits(deadline_s=0.01))

    with pytest.raises(StoreUnreachableError, match="no answer in time"):
        await session.request("GET", URL)


async def test_redirects_do_not_give_a_request_more_time() -> None:
    class Leading(httpx.AsyncBaseTransport):
        @override
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.03)
            return httpx.Response(307, headers={"location": "/on"}, stream=httpx.ByteStream(b""))

    session = StoreSession(Leading(), limits=HttpLimits(deadline_s=0.05))

    with pytest.raises(StoreUnreachableError, match="no answer in time"):
        await session.request("GET", URL)


@pytest.mark.parametrize("text", ["TLS failed", "the name does not resolve", "no"])
async def test_reason_of_a_failed_connection_is_told(text: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(text)

    told = {"TLS ": "TLS certificate", "the ": "does not resolve", "no": "no connection"}
    with pytest.raises(StoreUnreachableError, match=told[text[:4]]):
        await FakeStore(answer).session().request("GET", URL)


async def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    store = FakeStore(lambda _: httpx.Response(200, content=b"[]"))

    await store.session().request("GET", URL, params=PARAMS, auth=_Sign())

    assert [record.name for record in caplog.records if record.name != "asyncio"] == []


async def test_cookies_of_one_store_are_not_kept() -> None:
    store = FakeStore(lambda _: httpx.Response(200, headers={"set-cookie": "a=b"}))
    session = store.session()

    await session.request("GET", URL)
    await session.request("GET", URL)

    assert ["cookie" in request.headers for request in store.asked] == [False, False]
