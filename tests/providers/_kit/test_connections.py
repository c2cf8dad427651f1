import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from domain.errors import AddressRefusedError, StoreUnreachableError
from providers._kit.http import HttpLimits, StoreSession

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LIMITS = HttpLimits(connect_timeout_s=0.2, read_timeout_s=0.2, deadline_s=2.0)


class Server:
    def __init__(self, *answers: bytes, closes: bool = False) -> None:
        self.answers = list(answers)
        self.closes = closes
        self.connections = 0
        self.requests: list[bytes] = []
        self.handling: set[asyncio.Task[None]] = set()

    def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.handling.add(asyncio.create_task(self._answer(reader, writer)))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
                self.requests.append(head + await reader.readexactly(length))
                answer = self.answers.pop(0)
                if not answer:
                    await reader.read()
                writer.write(answer)
                await writer.drain()
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            # The other side is done.
            writer.transport.abort()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def _serving(server: Server) -> AsyncIterator[tuple[StoreSession, str]]:
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        async with StoreSession.open(allow_private_addresses=True, limits=LIMITS) as session:
            yield session, f"http://127.0.0.1:{port}/shop/wp-json/wc/v3/orders"
    finally:
        listening.close()
        await asyncio.gather(*server.handling)


def _whole(body: bytes) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def test_connection_is_kept_for_the_next_request() -> None:
    server = Server(_whole(b"[1]"), _whole(b"[2]"), _whole(b"[3]"))

    async with _serving(server) as (session, url):
        bodies = [(await session.request("GET", url)).body for _ in range(3)]

    assert (bodies, server.connections) == ([b"[1]", b"[2]", b"[3]"], 1)


async def test_request_as_it_goes_over_the_wire() -> None:
    server = Server(_whole(b"{}"))

    async with _serving(server) as (session, url):
        await session.request("GET", url, params=(("a", "ü b"),))
        host = url.split("/")[2]

    assert server.requests == [
        b"GET /shop/wp-json/wc/v3/orders?a=%C3%BC%20b HTTP/1.1\r\n"
        b"Host: " + host.encode() + b"\r\n"
        b"accept: application/json\r\n"
        b"accept-encoding: gzip\r\n"
        b"user-agent: entrepot/1 (+commerce sync)\r\n"
        b"\r\n"
    ]


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n", b"[1,2]"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + _whole(b"[]"), b"[]"),
        (OK + b"Connection: close\r\n\r\n[1]", b"[1]"),
        (b"HTTP/1.0 200 OK\r\n\r\n[1]", b"[1]"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (_whole(b"x" * 1_000_000), b"x" * 1_000_000),
    ],
    ids=["chunked", "early-hints", "close", "http-1.0", "no-content", "large"],
)
async def test_forms_of_a_body(answer: bytes, body: bytes) -> None:
    async with _serving(Server(answer, closes=True)) as (session, url):
        assert (await session.request("GET", url)).body == body


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Le",
        OK + b"Content-Length: 100\r\n\r\n[1,2",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[1",
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1_000_000,
    ],
    ids=["head", "length", "chunk", "not-http", "endless-head"],
)
async def test_answer_that_breaks_off_may_come_whole_next_time(answer: bytes) -> None:
    server = Server(answer, _whole(b"[1]"), closes=True)

    async with _serving(server) as (session, url):
        with pytest.raises(StoreUnreachableError, match="broke before"):
            await session.request("GET", url)
        assert (await session.request("GET", url)).body == b"[1]"
    assert server.connections == 2


async def test_store_that_never_answers() -> None:
    async with _serving(Server(b"")) as (session, url):
        with pytest.raises(StoreUnreachableError, match="no answer in time"):
            await session.request("GET", url)


async def test_nobody_listens() -> None:
    async with _serving(Server()) as (session, url):
        pass
    async with StoreSession.open(allow_private_addresses=True, limits=LIMITS) as session:
        with pytest.raises(StoreUnreachableError, match="Is the server up, and the URL right"):
            await session.request("GET", url)


async def test_closed_connection_is_not_used_again() -> None:
    server = Server(_whole(b"[1]"), _whole(b"[2]"), closes=True)

    async with _serving(server) as (session, url):
        bodies = []
        for _ in range(2):
            bodies.append((await session.request("GET", url)).body)
            # Lets the server's end reach this side.
            await asyncio.sleep(0.01)

    assert (bodies, server.connections) == ([b"[1]", b"[2]"], 2)


async def test_plain_answer_where_tls_is_due() -> None:
    async with _serving(Server(_whole(b"[]"))) as (session, url):
        with pytest.raises(StoreUnreachableError):
            await session.request("GET", url.replace("http:", "https:"))


async def test_several_at_once_have_their_own_connections() -> None:
    server = Server(*[_whole(b"[%d]" % number) for number in range(8)])

    async with _serving(server) as (session, url):
        answers = await asyncio.gather(*(session.request("GET", url) for _ in range(8)))

    assert {answer.body for answer in answers} == {b"[%d]" % number for number in range(8)}


async def test_private_address_is_refused_before_a_connection_is_made() -> None:
    server = Server(_whole(b"[]"))

    async with _serving(server) as (_, url), StoreSession.open() as session:
        with pytest.raises(AddressRefusedError, match="ENTREPOT_ALLOW_PRIVATE_ADDRESSES"):
            await session.request("GET", url)
    assert server.connections == 0
