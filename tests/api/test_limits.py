"""Counting over a sliding window: in memory, on a real server, and when that is gone."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api.limits import Limits, Rate
from api.rate_limits import counted_address
from tests.api.shared_servers import SharedServer

FIVE = Rate(5, 60)


@pytest.fixture(params=["memory", "server"])
async def limits(
    request: pytest.FixtureRequest, shared_server: SharedServer
) -> AsyncIterator[Limits]:
    made = Limits(shared_server.url if request.param == "server" else None)
    yield made
    await made.close()


async def test_that_what_is_over_the_rate_is_refused(limits: Limits) -> None:
    taken = [await limits.take(FIVE, "a", "refused") for _ in range(6)]

    assert [one.is_allowed for one in taken] == [True] * 5 + [False]
    assert [one.remaining for one in taken] == [4, 3, 2, 1, 0, 0]
    assert 0 < taken[-1].reset_s <= 120
    assert (await limits.take(FIVE, "a", "another")).is_allowed


async def test_that_looking_counts_nothing_and_clearing_forgets(limits: Limits) -> None:
    for _ in range(5):
        await limits.take(FIVE, "cleared")

    assert [(await limits.look(FIVE, "cleared")).is_allowed for _ in range(2)] == [False, False]
    await limits.clear(FIVE, "cleared")
    found = await limits.look(FIVE, "cleared")
    assert (found.is_allowed, found.remaining, found.reset_s) == (True, 5, 0)


async def test_that_the_time_it_tells_is_when_one_more_is_allowed(limits: Limits) -> None:
    rate = Rate(2, 1)
    await limits.take(rate, "soon")
    await limits.take(rate, "soon")
    refused = await limits.take(rate, "soon")

    await asyncio.sleep(refused.reset_s + 0.05)

    assert not refused.is_allowed
    assert (await limits.take(rate, "soon")).is_allowed


async def test_that_at_once_no_more_than_the_rate_get_through(limits: Limits) -> None:
    taken = await asyncio.gather(*(limits.take(FIVE, "crowd") for _ in range(40)))

    assert sum(one.is_allowed for one in taken) == 5


async def test_that_two_processes_share_a_count(shared_server: SharedServer) -> None:
    one, other = Limits(shared_server.url), Limits(shared_server.url)
    for limits in (one, other, one, other, one):
        assert (await limits.take(FIVE, "shared")).is_allowed

    assert not (await other.take(FIVE, "shared")).is_allowed
    for limits in (one, other):
        await limits.close()


async def test_that_keys_on_the_server_do_not_tell_whose_they_are(
    shared_server: SharedServer,
) -> None:
    limits = Limits(shared_server.url)
    await limits.take(FIVE, "login", "ann@example.com")
    await limits.close()

    stored = shared_server.keys()
    assert any(b"entrepot:limits" in key for key in stored)
    assert not any(b"ann" in key for key in stored)


async def test_that_a_server_which_is_killed_and_comes_back_stops_nobody() -> None:
    with SharedServer() as server:
        limits = Limits(server.url)
        assert (await limits.take(FIVE, "a")).remaining == 4
        server.kill()
        started = asyncio.get_running_loop().time()

        # Counted in memory from here, and not without a limit.
        taken = [await limits.take(FIVE, "a") for _ in range(6)]

        assert [one.is_allowed for one in taken] == [True] * 5 + [False]
        assert asyncio.get_running_loop().time() - started < 1
        await limits.close()


async def test_that_a_server_which_hangs_holds_up_one_request_for_a_moment() -> None:
    with SharedServer() as server:
        limits = Limits(server.url)
        await limits.take(FIVE, "a")
        with server.hung():
            started = asyncio.get_running_loop().time()
            taken = [await limits.take(FIVE, "b") for _ in range(5)]
            took_s = asyncio.get_running_loop().time() - started
        await limits.close()

    assert all(one.is_allowed for one in taken)
    assert took_s < 1


async def test_that_many_addresses_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.limits._MAX_KEYS", 50)
    monkeypatch.setattr("api.limits._SWEEP_S", 0)
    limits = Limits()

    for number in range(300):
        await limits.take(FIVE, "address", str(number))

    assert len(limits._memory.storage) <= 60


async def test_that_many_addresses_do_not_make_it_forget_who_guesses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("api.limits._MAX_KEYS", 50)
    monkeypatch.setattr("api.limits._SWEEP_S", 0)
    limits, guesses = Limits(), Rate(1, 900)
    await limits.take(guesses, "login")

    for number in range(300):
        await limits.take(Rate(5, 60), "address", str(number))

    assert not (await limits.look(guesses, "login")).is_allowed


async def test_that_what_somebody_else_wrote_there_refuses_nobody(
    shared_server: SharedServer,
) -> None:
    limits = Limits(shared_server.url)
    await limits.take(FIVE, "somebody")

    assert shared_server.replace_all(b"no number")
    assert (await limits.look(FIVE, "somebody")).is_allowed
    assert (await limits.take(FIVE, "somebody")).is_allowed
    await limits.close()


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_what_an_address_is_counted_as(host: str, counted: str) -> None:
    assert counted_address(host) == counted
