"""Keeping answers: in memory, and sealed on a real server."""

from collections.abc import AsyncIterator
from time import time

import pytest
from pydantic import BaseModel
from starlette.requests import Request

from api.caching import AnswerCache
from db.crypto import SecretBox
from tests.api.hub import Caller
from tests.api.shared_servers import SharedServer

SECRETS = SecretBox([b"c" * 32])
OTHER_SECRETS = SecretBox([b"d" * 32])


class Told(BaseModel):
    number: int


class Counting:
    """Makes another answer each time."""

    def __init__(self) -> None:
        self.made = 0

    async def __call__(self) -> Told:
        self.made += 1
        return Told(number=self.made)


def request(path: str = "/api/things", query: str = "", **headers: str) -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "server": ("hub.example", 80),
            "path": path,
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
            ],
        }
    )


@pytest.fixture(params=["memory", "server"])
async def cache(
    request: pytest.FixtureRequest, shared_server: SharedServer
) -> AsyncIterator[AnswerCache]:
    url = shared_server.url if request.param == "server" else None
    made = AnswerCache(url, SECRETS)
    yield made
    await made.close()


async def test_that_an_answer_is_made_once_for_what_is_the_same(
    cache: AnswerCache, caller: Caller
) -> None:
    make = Counting()

    async def ask(query: str = "", version: str = "1") -> bytes:
        answer = await cache.cached(
            request(query=query),
            None,
            name=caller.tenant.name,
            ttl_s=60,
            version=version,
            make=make,
        )
        return bytes(answer.body)

    assert [await ask(), await ask()] == [b'{"number":1}'] * 2
    assert await ask("a=1&b=2") == await ask("b=2&a=1") == b'{"number":2}'
    assert await ask(version="2") == b'{"number":3}'
    assert await ask() == b'{"number":1}'


async def test_that_of_a_parameter_sent_twice_the_order_counts(
    cache: AnswerCache, caller: Caller
) -> None:
    """The last one of a name is what a route takes."""
    make = Counting()
    bodies = [
        (await cache.cached(request(query=query), None, name="twice", ttl_s=9, make=make)).body
        for query in ("limit=1&limit=2&a=3", "limit=2&limit=1&a=3", "a=3&limit=1&limit=2")
    ]

    assert bodies == [b'{"number":1}', b'{"number":2}', b'{"number":1}']


async def test_that_nothing_is_kept_without_a_time(cache: AnswerCache) -> None:
    make = Counting()
    for _ in range(2):
        await cache.cached(request(), None, name="never", ttl_s=0, make=make)
    assert make.made == 2


async def test_that_what_failed_is_not_kept(cache: AnswerCache) -> None:
    async def fail() -> Told:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await cache.cached(request(), None, name="failed", ttl_s=60, make=fail)
    answer = await cache.cached(request(), None, name="failed", ttl_s=60, make=Counting())
    assert answer.body == b'{"number":1}'


async def test_that_what_is_too_long_is_answered_and_not_kept(cache: AnswerCache) -> None:
    made: list[int] = []

    async def make() -> bytes:
        made.append(1)
        return b" " * 300_000

    for _ in range(2):
        answer = await cache.cached(request(), None, name="long", ttl_s=60, make=make)
        assert len(answer.body) == 300_000
    assert len(made) == 2


async def test_that_releases_share_no_answers(shared_server: SharedServer) -> None:
    make, bodies = Counting(), []
    for release in ("1", "2", "1"):
        cache = AnswerCache(shared_server.url, SECRETS, release=release)
        answer = await cache.cached(request(), None, name="releases", ttl_s=60, make=make)
        bodies.append(answer.body)
        await cache.close()
    assert bodies == [b'{"number":1}', b'{"number":2}', b'{"number":1}']


async def test_that_what_lies_on_the_server_is_sealed(shared_server: SharedServer) -> None:
    cache = AnswerCache(shared_server.url, SECRETS)

    async def make() -> bytes:
        return b'{"email":"ann@example.com"}'

    await cache.cached(request(), None, name="sealed", ttl_s=60, make=make)
    assert not any(b"ann" in value or b"616e6e" in value for value in shared_server.values())
    await cache.close()


@pytest.mark.parametrize(
    "planted", [b"bytes:no", b"cos\nsystem\n(S'false'\ntR.", b"a|b|c|d|e", b"1", b"\xff\xfe"]
)
async def test_that_what_somebody_puts_there_is_never_answered(planted: bytes) -> None:
    with SharedServer() as server:
        cache, make = AnswerCache(server.url, SECRETS), Counting()
        await cache.cached(request(), None, name="planted", ttl_s=60, make=make)
        assert server.replace_all(planted) == 1

        answer = await cache.cached(request(), None, name="planted", ttl_s=60, make=make)

        assert answer.body == b'{"number":2}'
        await cache.close()


async def test_that_an_answer_which_somebody_keeps_there_is_not_true_for_ever(
    shared_server: SharedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, make = AnswerCache(shared_server.url, SECRETS), Counting()
    bodies = []
    for later_s in (0, 59, 61):
        monkeypatch.setattr("api.caching.time.time", lambda later=later_s: time() + later)
        answer = await cache.cached(request(), None, name="put back", ttl_s=60, make=make)
        bodies.append(answer.body)
    await cache.close()
    assert bodies == [b'{"number":1}', b'{"number":1}', b'{"number":2}']


async def test_that_an_answer_moved_to_another_place_or_key_is_not_opened() -> None:
    with SharedServer() as server:
        cache, other = AnswerCache(server.url, SECRETS), AnswerCache(server.url, OTHER_SECRETS)
        make = Counting()
        await cache.cached(request(), None, name="one", ttl_s=60, make=make)
        await cache.cached(request(), None, name="two", ttl_s=60, make=make)
        server.replace_all(server.values()[0])
        again = Counting()
        for name in ("one", "two"):
            await cache.cached(request(), None, name=name, ttl_s=60, make=again)

        # One of the two is where it belongs, and the other was made anew.
        assert again.made == 1
        foreign = await other.cached(request(), None, name="one", ttl_s=60, make=Counting())
        assert foreign.body == b'{"number":1}'
        for one in (cache, other):
            await one.close()
