"""Whoever guesses has to wait."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from pydantic import SecretStr
from sqlalchemy import event

from api.config import ApiConfig, PeopleConfig
from api.rate_limits import counted_address
from db import passwords
from tests.api.hub import Caller, Hub
from tests.api.people import (
    HASH,
    PASSWORD,
    Person,
    add_person,
    bearer,
    client_at,
    parts_of,
    secret_of,
)

WRONG = "a wrong password"


@pytest.fixture
def config() -> ApiConfig:
    return ApiConfig(
        people=PeopleConfig(
            failed_logins_per_account=3, failed_logins_per_address=6, failed_keys=4, throttle_s=60
        )
    )


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts here is how often, not how well: a hundred real checks take seconds."""

    def matches(password: SecretStr, stored: str) -> bool:
        return (password.get_secret_value(), stored) == (PASSWORD, HASH)

    monkeypatch.setattr(passwords, "matches", matches)


@pytest.fixture
async def ann(hub: Hub) -> Person:
    return await add_person(hub)


def assert_told_to_wait(answer: httpx.Response) -> None:
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.json()["type"] == "urn:entrepot:problem:too-many-requests"
    assert f"Try again in {answer.headers['retry-after']} s." in answer.json()["detail"]


async def test_an_account_is_closed_to_an_address_that_guesses_even_when_right(
    hub: Hub, ann: Person
) -> None:
    assert [(await ann.try_login(WRONG)).status_code for _ in range(3)] == [401] * 3
    assert_told_to_wait(await ann.try_login(WRONG))
    assert_told_to_wait(await ann.try_login())
    bob = await add_person(hub, tenant=ann.tenant)
    assert (await bob.try_login()).status_code == 200
    async with client_at(hub, "192.0.2.1") as elsewhere:
        ann.http = elsewhere
        assert (await ann.try_login()).status_code == 200


async def test_one_address_cannot_close_an_account_to_all(hub: Hub, ann: Person) -> None:
    for _ in range(40):
        await ann.try_login(WRONG)
    async with client_at(hub, "192.0.2.1") as elsewhere:
        ann.http = elsewhere
        assert (await ann.try_login()).status_code == 200


async def test_an_account_is_closed_to_all_after_guesses_from_many_addresses(
    hub: Hub, ann: Person
) -> None:
    statuses = []
    for number in range(6):
        async with client_at(hub, f"192.0.2.{number}") as elsewhere:
            ann.http = elsewhere
            statuses += [(await ann.try_login(WRONG)).status_code for _ in range(3)]
    assert statuses == [401] * 15 + [429] * 3
    async with client_at(hub, "198.51.100.1") as elsewhere:
        ann.http = elsewhere
        assert_told_to_wait(await ann.try_login())


async def close_to_strangers(hub: Hub, person: Person) -> None:
    http = person.http
    for number in range(5):
        async with client_at(hub, f"192.0.2.{number}") as person.http:
            statuses = [(await person.try_login(WRONG)).status_code for _ in range(3)]
            assert statuses == [401] * 3
    person.http = http


async def test_strangers_cannot_close_an_account_where_its_person_logs_in(
    hub: Hub, ann: Person
) -> None:
    async with client_at(hub, "2001:db8::1") as ann.http:
        await ann.log_in()
    await close_to_strangers(hub, ann)
    for _ in range(2):  # and to strangers it stays closed
        async with client_at(hub, "2001:db8::2") as ann.http:
            assert (await ann.try_login()).status_code == 200
        async with client_at(hub, "2001:db8:0:1::1") as ann.http:
            assert_told_to_wait(await ann.try_login())
    # Whoever guesses from there has no more tries than anywhere.
    async with client_at(hub, "2001:db8::1") as ann.http:
        for _ in range(3):
            assert_told_to_wait(await ann.try_login(WRONG))
        assert_told_to_wait(await ann.try_login())
    assert [one[0] for one in await ann.audit()][-3:] == ["login.failed"] * 3
    await hub.execute(
        ann.tenant, "update login_networks set last_login_at = last_login_at - interval '30 days'"
    )
    hub.services.limits._memory.storage.clear()
    await close_to_strangers(hub, ann)
    async with client_at(hub, "2001:db8::1") as ann.http:
        assert_told_to_wait(await ann.try_login())


async def test_a_closed_account_tells_neither_that_it_is_one_nor_where_its_person_is(
    hub: Hub, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same answer after the same statements and the same check."""
    async with client_at(hub, "198.51.100.1") as ann.http:
        await ann.log_in()
    nobody = Person(hub, ann.tenant, 0, "nobody@example.test", hub.http)
    for person in (ann, nobody):
        await close_to_strangers(hub, person)
    work: list[str] = []

    def matches(_password: SecretStr, _stored: str) -> bool:
        work.append("a check")
        return False

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        work.append(statement)

    monkeypatch.setattr(passwords, "matches", matches)
    event.listen(hub.database._engine.sync_engine, "before_cursor_execute", note)
    seen = []
    for person, address in (
        (ann, "198.51.100.1"),
        (ann, "198.51.100.2"),
        (nobody, "198.51.100.3"),
    ):
        work.clear()
        async with client_at(hub, address) as person.http:
            answer = await person.try_login(WRONG)
        assert_told_to_wait(answer)
        before_answer = work[: work.index("a check") + 1]
        seen.append((answer.json().keys(), answer.headers.keys(), before_answer))
    assert seen == [seen[0]] * 3


async def test_an_address_that_guesses_at_many_accounts_is_closed(hub: Hub, ann: Person) -> None:
    for number in range(6):
        guesser = Person(hub, ann.tenant, 0, f"ann{number}@example.test", hub.http)
        assert (await guesser.try_login(WRONG)).status_code == 401
    assert_told_to_wait(await ann.try_login())


async def test_an_address_guesses_no_more_by_guessing_all_at_once(hub: Hub, ann: Person) -> None:
    many = [Person(hub, ann.tenant, 0, f"{n}@example.test", hub.http) for n in range(12)]
    answers = await asyncio.gather(*(one.try_login(WRONG) for one in many))
    assert sorted(answer.status_code for answer in answers) == [401] * 6 + [429] * 6
    async with client_at(hub, "203.0.113.1") as elsewhere:
        ann.http = elsewhere
        assert (await ann.try_login()).status_code == 200


async def test_unknown_accounts_wait_like_known_ones(hub: Hub, ann: Person) -> None:
    nobody = Person(hub, ann.tenant, 0, "nobody@example.test", hub.http)
    assert [(await nobody.try_login(WRONG)).status_code for _ in range(4)] == [401] * 3 + [429]


async def test_a_success_clears_the_account(hub: Hub, ann: Person) -> None:
    for _ in range(2):
        assert (await ann.try_login(WRONG)).status_code == 401
        assert (await ann.try_login(WRONG)).status_code == 401
        assert (await ann.try_login()).status_code == 200
    ann.email = ann.email.upper()
    assert [(await ann.try_login()).status_code for _ in range(5)] == [200] * 5


async def test_a_success_does_not_clear_the_address(hub: Hub, ann: Person) -> None:
    for number in range(6):
        guesser = Person(hub, ann.tenant, 0, f"bob{number}@example.test", hub.http)
        await guesser.try_login(WRONG)
        if number < 5:
            assert (await ann.try_login()).status_code == 200
    assert_told_to_wait(await ann.try_login())


async def test_guesses_all_at_once_count_one_by_one(hub: Hub, ann: Person) -> None:
    answers = await asyncio.gather(*(ann.try_login(WRONG) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 9
    assert [entry[0] for entry in await ann.audit()] == ["login.failed"] * 3


async def test_a_refused_key_waits_and_a_right_one_does_not(hub: Hub, caller: Caller) -> None:
    wrong = {"X-API-Secret": "es_wrong"}
    statuses = [(await caller.get("/api/stores", headers=wrong)).status_code for _ in range(4)]
    assert statuses == [401] * 4
    assert_told_to_wait(await caller.get("/api/stores", headers=wrong))
    assert (await caller.get("/api/stores")).status_code == 200
    async with client_at(hub, "192.0.2.7") as elsewhere:  # the key counts wherever it comes from
        headers = {**caller.headers, **wrong}
        assert_told_to_wait(await elsewhere.get("/api/stores", headers=headers))


async def test_refused_tokens_count_like_keys(hub: Hub, ann: Person) -> None:
    headers = bearer("e30.e30.e30")
    for _ in range(2):
        assert (await hub.http.get("/api/stores", headers=headers)).status_code == 401
        assert (await ann.refresh("er_unknown")).status_code == 401
    assert_told_to_wait(await hub.http.get("/api/stores", headers=headers))
    assert_told_to_wait(await ann.refresh("er_unknown"))
    person = await ann.log_in()
    assert (await person.get("/api/stores")).status_code == 200
    assert (await ann.refresh()).status_code == 200


async def test_logging_out_with_made_up_tokens_is_guessing_too(hub: Hub) -> None:
    body = {"refreshToken": "er_unknown"}
    answers = [await hub.http.post("/api/auth/logout", json=body) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [204] * 4 + [429]


async def test_a_token_that_ran_out_is_no_guess(hub: Hub, ann: Person) -> None:
    person = await ann.log_in()
    header, claims = parts_of(ann.tokens["accessToken"])
    past = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
    expired = jwt.encode(
        {**claims, "exp": past}, (await secret_of(hub, ann.tenant))[1], headers=header
    )
    await person.post("/api/auth/logout")
    for headers in (bearer(expired), person.headers):
        for _ in range(6):
            assert (await hub.http.get("/api/stores", headers=headers)).status_code == 401


async def test_nothing_sent_is_no_guess(hub: Hub) -> None:
    assert [(await hub.http.get("/api/stores")).status_code for _ in range(8)] == [401] * 8


async def test_a_crowd_at_the_door_is_told_to_come_back(
    hub: Hub, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(_password: SecretStr, _stored: str) -> bool:
        begun.set()
        return may_end.wait(10)

    monkeypatch.setattr(passwords, "matches", slow)
    monkeypatch.setattr("api.password_checks._MOST_WAITING", 1)
    first = asyncio.create_task(ann.try_login())
    try:
        assert await asyncio.to_thread(begun.wait, 10)
        refused = [await ann.try_login() for _ in range(5)]
    finally:
        may_end.set()
    # Whoever was not let in has not guessed.
    assert [(one.status_code, one.headers["retry-after"]) for one in refused] == [(503, "2")] * 5
    assert (await first).status_code == 200


def test_an_address_of_ipv6_counts_as_its_network() -> None:
    assert counted_address("2001:db8::1") == counted_address("2001:db8::ffff")
    assert counted_address("2001:db8::1") != counted_address("2001:db8:0:1::1")
