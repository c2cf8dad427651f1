"""People log in, and carry their sessions on."""

import asyncio
from typing import Any

import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr
from sqlalchemy import event

from api.auth import CHALLENGE
from db import passwords
from db.passwords import NOBODYS_HASH
from domain.roles import Role
from tests.api.hub import Caller, Hub
from tests.api.people import AGENT, HASH, PASSWORD, Person, add_person, bearer

BOTH_WAYS = CHALLENGE["WWW-Authenticate"]


@pytest.fixture
async def ann(hub: Hub) -> Person:
    return await add_person(hub)


async def test_a_login_opens_the_api(hub: Hub, ann: Person) -> None:
    caller = await ann.log_in()
    refresh_token, access_token = ann.tokens.pop("refreshToken"), ann.tokens.pop("accessToken")
    assert ann.tokens == {
        "tokenType": "Bearer",
        "expiresIn": 900,
        "refreshExpiresIn": 30 * 86_400,
        "user": {"id": ann.id, "email": ann.email, "name": "Ann", "role": "owner"},
    }
    assert (refresh_token[:3], len(refresh_token), access_token.count(".")) == ("er_", 68, 2)
    assert (await caller.get("/api/stores")).status_code == 200
    assert (await ann.try_login()).headers["cache-control"] == "no-store"
    session = await hub.execute(ann.tenant, "select user_id, address, client from login_sessions")
    assert session == [(ann.id, "127.0.0.1", AGENT)] * 2
    seen = await hub.execute(ann.tenant, "select last_login_at is not null from users")
    assert seen == [(True,)]


async def test_addresses_have_no_case_and_passwords_have(ann: Person) -> None:
    assert (await ann.try_login(PASSWORD.upper())).status_code == 401
    ann.email = ann.email.upper()
    assert (await ann.try_login()).status_code == 200


async def test_what_is_wrong_is_not_told_and_takes_the_same_work(
    hub: Hub, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    real = passwords.matches

    def watched(password: SecretStr, stored: str) -> bool:
        tried.append(stored)
        return real(password, stored)

    monkeypatch.setattr(passwords, "matches", watched)
    closed = await add_person(hub)
    await closed.change("is_active = false")
    unknown = Person(hub, ann.tenant, 0, "nobody@example.test", hub.http)
    no_address = Person(hub, ann.tenant, 0, "no address", hub.http)
    answers = [
        await ann.try_login("a wrong password"),
        await closed.try_login(),
        await unknown.try_login(),
        await no_address.try_login(),
    ]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json() == {
        "type": "urn:entrepot:problem:unauthenticated",
        "title": "The credentials are missing or not accepted",
        "status": 401,
        "detail": "The e-mail address or the password is wrong, or the account is closed.",
        "instance": "/api/auth/login",
    }
    assert {answer.headers["www-authenticate"] for answer in answers} == {BOTH_WAYS}
    assert tried == [HASH, HASH, NOBODYS_HASH, NOBODYS_HASH]


async def test_a_refresh_gives_the_next_pair_and_carries_the_session_on(
    hub: Hub, ann: Person
) -> None:
    await ann.log_in()
    answer = await ann.refresh()
    assert answer.status_code == 200
    assert answer.json().keys() == ann.tokens.keys()
    assert answer.json()["refreshToken"] != ann.tokens["refreshToken"]
    headers = bearer(answer.json()["accessToken"])
    assert (await hub.http.get("/api/stores", headers=headers)).status_code == 200
    assert await hub.execute(ann.tenant, "select count(*) from login_sessions") == [(1,)]
    assert (await ann.refresh(answer.json()["refreshToken"])).status_code == 200


async def test_a_refresh_token_that_comes_again_ends_the_session(hub: Hub, ann: Person) -> None:
    caller = await ann.log_in()
    stolen = ann.tokens["refreshToken"]
    renewed = (await ann.refresh(stolen)).json()
    again = await ann.refresh(stolen)
    assert (again.status_code, again.headers["www-authenticate"]) == (401, BOTH_WAYS)
    assert "Log in again" in again.json()["detail"]
    assert (await ann.refresh(renewed["refreshToken"])).status_code == 401
    for headers in (caller.headers, bearer(renewed["accessToken"])):
        assert (await hub.http.get("/api/stores", headers=headers)).status_code == 401
    assert (await ann.audit())[-1][:5] == (
        *("login.reused", "user", ann.id, ann.email),
        f"user/{ann.id}",
    )


async def test_of_two_refreshes_at_once_one_wins_and_the_session_ends(
    hub: Hub, ann: Person
) -> None:
    await ann.log_in()
    answers = await asyncio.gather(ann.refresh(), ann.refresh(), ann.refresh())
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert (await ann.refresh(won["refreshToken"])).status_code == 401
    headers = bearer(won["accessToken"])
    assert (await hub.http.get("/api/stores", headers=headers)).status_code == 401


@pytest.mark.parametrize("token", ["er_unknown", "x" * 100, "\u00e9", "' or true --"])
async def test_a_refresh_token_that_is_none_is_refused(ann: Person, token: str) -> None:
    assert (await ann.refresh(token)).status_code == 401


async def test_me_shows_the_person_or_the_key(hub: Hub, ann: Person) -> None:
    await ann.change("role = 'viewer'")
    person = await ann.log_in()
    assert (await person.get("/api/auth/me")).json() == {
        "kind": "user",
        "id": ann.id,
        "name": "Ann",
        "email": ann.email,
        "role": "viewer",
        "permissions": ["records:read", "stores:read", "syncs:read"],
        "organizationId": ann.tenant.public_id,
    }
    key = await hub.new_caller(tenant=ann.tenant, permissions=["syncs:read"])
    shown = (await key.get("/api/auth/me")).json()
    assert shown.pop("id") > 0
    assert shown == {
        "kind": "key",
        "name": "test",
        "email": None,
        "role": None,
        "permissions": ["syncs:read"],
        "organizationId": ann.tenant.public_id,
    }


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("is_active = false", 401),
        ("role = 'viewer'", 403),
        ("role = 'operator'", 422),
        ("role = 'unheard of'", 403),
    ],
)
async def test_what_a_person_may_do_is_asked_with_each_request(
    ann: Person, change: str, status: int
) -> None:
    caller = await ann.log_in()
    assert (await caller.post("/api/stores", json={})).status_code == 422
    await ann.change(change)
    assert (await caller.post("/api/stores", json={})).status_code == status


async def test_a_session_that_ran_out_is_over(hub: Hub, ann: Person) -> None:
    caller = await ann.log_in()
    await hub.execute(ann.tenant, "update login_sessions set expires_at = now()")
    assert (await caller.get("/api/stores")).status_code == 401
    assert (await ann.refresh()).status_code == 401


async def test_a_person_sees_their_own_tenant_alone(hub: Hub, ann: Person, caller: Caller) -> None:
    person = await ann.log_in()
    await caller.post("/api/warehouses", json={"name": "Theirs", "code": "theirs"})
    names = [one["name"] for one in (await person.get("/api/warehouses")).json()["data"]]
    assert names == ["Main"]


async def test_a_key_and_a_token_together_are_one_too_many(caller: Caller, ann: Person) -> None:
    person = await ann.log_in()
    for left_out in ("", "X-API-Key", "X-API-Secret"):
        headers = {**caller.headers, **person.headers}
        headers.pop(left_out, None)
        answer = await caller.http.get("/api/stores", headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (
            400,
            "Send a key or a bearer token, not both.",
        )


async def test_another_scheme_beside_a_key_is_not_ours_to_judge(caller: Caller) -> None:
    answer = await caller.get("/api/stores", headers={"Authorization": "Basic eDp5"})
    assert answer.status_code == 200


async def test_to_know_a_person_takes_one_statement(hub: Hub, ann: Person) -> None:
    caller = await ann.log_in()
    said: list[str] = []
    engine = hub.database._engine.sync_engine

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    assert (await caller.get("/api/health?detailed=false")).status_code == 200
    assert [one for one in said if "find_" in one] == [
        "select * from find_login_session(%(kid)s, %(session)s)"
    ]
    assert not [one for one in said if "signing_keys" in one or "users" in one]


async def test_a_hash_of_old_parameters_is_replaced_at_the_next_login(
    hub: Hub, ann: Person
) -> None:
    made = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    assert made.startswith("$argon2id$v=19$m=8192,t=1,p=1$")
    await ann.change("password_hash = :made", made=made)
    await ann.log_in()
    ((stored,),) = await hub.execute(ann.tenant, "select password_hash from users")
    assert stored.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert (await ann.try_login()).status_code == 200
    assert ((stored,),) == tuple(await hub.execute(ann.tenant, "select password_hash from users"))


async def test_the_audit_trail_says_who_logged_in_from_where(hub: Hub, ann: Person) -> None:
    await ann.try_login("a wrong password")
    caller = await ann.log_in()
    await caller.post("/api/auth/logout")
    await ann.change("is_active = false")
    await ann.try_login()
    ((session,),) = await hub.execute(ann.tenant, "select id from login_sessions")
    who = ("user", ann.id, ann.email, f"user/{ann.id}", "127.0.0.1")
    assert await ann.audit() == [
        ("login.failed", *who, {"reason": "password"}),
        ("login.succeeded", *who, {"session": session}),
        ("logout", *who, {"session": session}),
        ("login.failed", *who, {"reason": "disabled"}),
    ]


@pytest.mark.parametrize("role", list(Role))
async def test_roles_open_what_their_permissions_say(hub: Hub, role: Role) -> None:
    person = await (await add_person(hub, role)).log_in()
    may = {
        "GET /api/products": (True, True, True),
        "POST /api/products": (True, True, False),
        "GET /api/syncs": (True, True, True),
        "POST /api/stores": (True, True, False),
        "GET /api/keys": (True, True, False),
        "POST /api/keys": (True, False, False),
        "GET /api/audit": (True, False, False),
    }
    place = list(Role).index(role)
    for route, allowed in may.items():
        method, path = route.split()
        body: dict[str, Any] = {"json": {}} if method == "POST" else {}
        answer = await person.send(method, path, **body)
        assert (route, answer.status_code == 403) == (route, not allowed[place])
