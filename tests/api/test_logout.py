"""People log out."""

import pytest

from tests.api.hub import Caller, Hub
from tests.api.people import Person, add_person


@pytest.fixture
async def ann(hub: Hub) -> Person:
    return await add_person(hub)


async def test_a_logout_ends_both_tokens_of_its_session_and_no_other(hub: Hub, ann: Person) -> None:
    kept = await ann.log_in()
    gone = await ann.log_in()
    answer = await gone.post("/api/auth/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await gone.get("/api/stores")).status_code == 401
    assert (await ann.refresh()).status_code == 401
    assert (await kept.get("/api/stores")).status_code == 200


async def test_a_refresh_token_logs_out_by_itself_any_number_of_times(ann: Person) -> None:
    caller = await ann.log_in()
    body = {"refreshToken": ann.tokens["refreshToken"]}
    for sent in (body, body, {"refreshToken": "er_unknown"}):
        answer = await ann.http.post("/api/auth/logout", json=sent)
        assert answer.status_code == 204
    assert (await caller.get("/api/stores")).status_code == 401
    assert [entry[0] for entry in await ann.audit()] == ["login.succeeded", "logout"]


async def test_a_stale_access_token_does_not_keep_a_session_alive(hub: Hub, ann: Person) -> None:
    caller = await ann.log_in()
    body = {"refreshToken": ann.tokens["refreshToken"]}
    stale = {"Authorization": "Bearer its.time.is-up"}
    answer = await hub.http.post("/api/auth/logout", json=body, headers=stale)
    assert answer.status_code == 204
    assert (await caller.get("/api/stores")).status_code == 401


async def test_who_has_no_session_cannot_end_it(hub: Hub, caller: Caller) -> None:
    with_key = await caller.post("/api/auth/logout")
    assert (with_key.status_code, "DELETE /api/keys" in with_key.text) == (400, True)
    assert (await hub.http.post("/api/auth/logout")).status_code == 401
    assert (await hub.http.post("/api/auth/logout", json={})).status_code == 401
