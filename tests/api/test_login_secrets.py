"""Passwords and tokens stay with who they belong to."""

from typing import Any, cast

import psycopg
import pytest
from structlog.testing import capture_logs

from api.schemas.auth import LoginAnswer, LoginBody, RefreshBody
from tests.api.hub import Hub
from tests.api.people import HASH, PASSWORD, Person, add_person

WRONG = "hunter2 hunter2"


@pytest.fixture
async def ann(hub: Hub) -> Person:
    return await add_person(hub)


async def test_passwords_tokens_and_hashes_stay_out_of_logs_reprs_and_errors(
    hub: Hub, ann: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    with capture_logs() as lines:
        refused = [await ann.try_login(WRONG), await ann.try_login(WRONG * 30)]
        caller = await ann.log_in()
        body = {"email": ann.email, "password": [PASSWORD], "more": PASSWORD}
        refused.append(await hub.http.post("/api/auth/login", json=body))
        shown = await caller.get("/api/auth/me")
        renewed = (await ann.refresh()).json()
        refused += [await ann.refresh(), await ann.refresh("er_" + WRONG)]
        refused.append(await caller.get("/api/stores"))
    captured = capsys.readouterr()
    assert [answer.status_code for answer in refused] == [401, 422, 422, 401, 401, 401]
    assert {"login_failed", "refresh_refused", "request"} <= {line["event"] for line in lines}
    parts = [repr(lines), captured.out, captured.err, repr(hub.services), shown.text]
    everything = " ".join([*parts, *(answer.text for answer in refused), str(await ann.audit())])
    tokens = [
        one[name] for one in (ann.tokens, renewed) for name in ("accessToken", "refreshToken")
    ]
    for secret in (PASSWORD, WRONG, HASH, *tokens, *(one.split(".")[-1] for one in tokens)):
        assert secret not in everything


async def test_the_database_knows_neither_passwords_nor_tokens(
    hub: Hub, ann: Person, superuser_url: str
) -> None:
    await ann.log_in()
    renewed = (await ann.refresh()).json()
    with psycopg.connect(superuser_url) as connection:
        dump = "\n".join(
            str(row[0])
            for table in ("users", "login_sessions", "refresh_tokens", "signing_keys", "audit_log")
            for row in connection.execute(f"select t::text from {table} t".encode())
        )
    assert ann.email in dump
    for one in (ann.tokens, renewed):
        for secret in (one["accessToken"], one["refreshToken"], one["refreshToken"][3:], PASSWORD):
            assert secret not in dump
            assert secret.encode().hex() not in dump


def test_bodies_hide_what_they_carry() -> None:
    login = LoginBody(email="ann@example.test", password=PASSWORD)
    renewing = RefreshBody(refresh_token="er_secret")
    shown = cast("dict[str, Any]", LoginAnswer.model_config["json_schema_extra"])
    answer = LoginAnswer.model_validate(shown["example"])
    assert PASSWORD not in repr(login)
    assert "er_secret" not in repr(renewing)
    assert answer.access_token not in repr(answer)
    assert answer.refresh_token not in repr(answer)


async def test_an_unknown_address_is_in_the_log_without_itself(hub: Hub, ann: Person) -> None:
    ann.email = "someone.else@example.test"
    with capture_logs() as lines:
        await ann.try_login(WRONG)
    assert await ann.audit() == []
    (line,) = (line for line in lines if line["event"] == "login_failed")
    assert (line["reason"], line["address"]) == ("unknown", "127.0.0.1")
    assert ann.email not in repr(lines)


BOUNDS: tuple[tuple[str, dict[str, object], str], ...] = (
    ("login", {"email": "ann@example.test"}, "/password"),
    ("login", {"email": "x" * 255, "password": PASSWORD}, "/email"),
    ("login", {"email": "ann@example.test", "password": ""}, "/password"),
    ("login", {"email": "ann@example.test", "password": "x" * 257}, "/password"),
    ("login", {"email": "ann@example.test", "password": 7}, "/password"),
    ("refresh", {}, "/refreshToken"),
    ("refresh", {"refreshToken": "x" * 101}, "/refreshToken"),
    ("refresh", {"refreshToken": None}, "/refreshToken"),
    ("logout", {"refreshToken": "x" * 101}, "/refreshToken"),
    ("login", {"email": "a", "password": "b", "tenant": "c"}, "/tenant"),
)


async def test_bodies_have_bounds(hub: Hub) -> None:
    for path, body, pointer in BOUNDS:
        answer = await hub.http.post(f"/api/auth/{path}", json=body)
        assert answer.status_code == 422
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_half_a_character_is_a_wrong_password_and_no_token(hub: Hub, ann: Person) -> None:
    half = "\\ud800 and nothing else"
    for path, fields in (
        ("login", f'"email": "{ann.email}", "password": "{half}"'),
        ("refresh", f'"refreshToken": "{half}"'),
    ):
        headers = {"Content-Type": "application/json"}
        answer = await hub.http.post(f"/api/auth/{path}", content=f"{{{fields}}}", headers=headers)
        assert answer.status_code == 401, answer.text


@pytest.mark.parametrize("path", ["login", "refresh"])
async def test_bodies_are_json_and_small(hub: Hub, path: str) -> None:
    as_text = await hub.http.post(f"/api/auth/{path}", content="{}")
    assert as_text.status_code == 415
    huge = await hub.http.post(f"/api/auth/{path}", json={"password": "x" * 9_000})
    assert (huge.status_code, "8192 bytes" in huge.json()["detail"]) == (413, True)
