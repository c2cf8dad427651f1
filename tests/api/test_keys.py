from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.app import create_app
from db.session import Database
from tests.api.hub import Caller, Hub

BODY: dict[str, Any] = {"name": "Till", "permissions": ["stores:read", "keys:read"]}


def with_key(caller: Caller, made: dict[str, Any]) -> Caller:
    headers = {"X-API-Key": made["key"], "X-API-Secret": made["secret"]}
    return Caller(caller.tenant, caller.http, headers)


async def made(caller: Caller, **changes: Any) -> dict[str, Any]:
    answer = await caller.post("/api/keys", json={**BODY, **changes})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def audited(caller: Caller, action: str) -> list[dict[str, Any]]:
    answer = await caller.get("/api/audit", params={"action": action})
    return list(answer.json()["data"])


@asynccontextmanager
async def calling_from(hub: Hub, address: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(hub.services)
    transport = httpx.ASGITransport(app=app, client=(address, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.internal") as http:
        yield http
    await app.state.ingress.close()


async def test_a_key_is_made_and_opens_what_it_was_given(hub: Hub, caller: Caller) -> None:
    answer = await caller.post("/api/keys", json={**BODY, "requestsPerMinute": 120})
    new = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/api/keys/{new['id']}")
    assert new["secret"].startswith("es_")
    assert (new["permissions"], new["requestsPerMinute"]) == (BODY["permissions"], 120)
    mine = with_key(caller, new)
    assert (await mine.get("/api/stores")).status_code == 200
    assert (await mine.get("/api/orders")).status_code == 403
    shown = await caller.get(f"/api/keys/{new['id']}")
    listed = await caller.get("/api/keys")
    assert shown.json() in listed.json()["data"]
    assert new["secret"] not in shown.text + listed.text
    (entry,) = await audited(caller, "key.created")
    assert entry["subject"] == f"key/{new['id']}"
    assert new["secret"] not in str(entry)
    assert new["key"] not in str(entry)


async def test_a_key_that_is_asked_for_twice_is_made_once(caller: Caller) -> None:
    headers = {"Idempotency-Key": "till-1"}
    first, second = [await caller.post("/api/keys", json=BODY, headers=headers) for _ in range(2)]
    assert first.json() == second.json()
    assert len((await caller.get("/api/keys")).json()["data"]) == 2
    assert len(await audited(caller, "key.created")) == 1


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"permissions": []}, "/permissions"),
        ({"permissions": ["stores:reed"]}, "/permissions/0"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "/expiresAt"),
        ({"expiresAt": "2999-01-01T00:00:00"}, "/expiresAt"),
        ({"expiresAt": "9999-12-31T23:59:59-23:59"}, "/expiresAt"),
        ({"ipAllowList": ["10.1.2.3/8"]}, "/ipAllowList/0"),
        ({"ipAllowList": ["office"]}, "/ipAllowList/0"),
        ({"ipAllowList": [f"10.0.0.{one}" for one in range(101)]}, "/ipAllowList"),
        ({"requestsPerMinute": 0}, "/requestsPerMinute"),
        ({"secret": "es_mine"}, "/secret"),
    ],
)
async def test_wrong_keys_are_refused(
    caller: Caller, changes: dict[str, Any], pointer: str
) -> None:
    answer = await caller.post("/api/keys", json={**BODY, **changes})
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_nobody_gives_what_they_may_not_do(hub: Hub, caller: Caller) -> None:
    clerk = await hub.new_caller(permissions=["keys:write", "stores:read"], tenant=caller.tenant)
    for wanted in (["*"], ["stores:read", "stores:write"]):
        refused = await clerk.post("/api/keys", json={**BODY, "permissions": wanted})
        assert refused.status_code == 403, refused.text
        assert "The caller lacks" in refused.json()["detail"]
    assert (await made(clerk, permissions=["stores:read"]))["permissions"] == ["stores:read"]
    # Rotating would hand out a secret for everything, and changing may lengthen its life.
    strong = (await made(caller, permissions=["*"]))["id"]
    assert (await clerk.post(f"/api/keys/{strong}/rotate")).status_code == 403
    changed = await clerk.patch(f"/api/keys/{strong}", json={"ipAllowList": []})
    assert changed.status_code == 403
    assert (await clerk.delete(f"/api/keys/{strong}")).status_code == 204


async def test_an_answer_that_is_kept_shows_no_secret_to_another_caller(
    hub: Hub, caller: Caller
) -> None:
    clerk = await hub.new_caller(permissions=["keys:write"], tenant=caller.tenant)
    strong = (await made(caller, permissions=["*"]))["id"]
    path, headers = f"/api/keys/{strong}/rotate", {"Idempotency-Key": "rotate-1"}
    rotated = await caller.post(path, headers=headers)
    assert rotated.status_code == 201
    refused = await clerk.post(path, headers=headers)
    assert rotated.json()["secret"] not in refused.text
    assert refused.status_code == 422
    assert (await caller.post(path, headers=headers)).json() == rotated.json()


async def test_a_key_opens_only_from_its_addresses(hub: Hub, caller: Caller) -> None:
    new = await made(caller, ipAllowList=["203.0.113.0/24", "2001:DB8::/32"])
    assert new["ipAllowList"] == ["203.0.113.0/24", "2001:db8::/32"]
    headers = with_key(caller, new).headers
    for address, status in (
        ("203.0.113.9", 200),
        ("2001:db8::1", 200),
        ("::ffff:203.0.113.9", 200),
        ("198.51.100.9", 403),
    ):
        async with calling_from(hub, address) as http:
            # Nobody but a trusted proxy says where a request came from.
            told = {**headers, "X-Forwarded-For": "203.0.113.9"}
            answer = await http.get("/api/stores", headers=told)
            assert answer.status_code == status, address
    assert answer.json()["type"] == "urn:entrepot:problem:address-not-allowed"
    assert "198.51.100.9" in answer.json()["detail"]
    async with calling_from(hub, "198.51.100.9") as http:
        wrong = await http.get("/api/stores", headers={**headers, "X-API-Secret": "es_wrong"})
    assert wrong.status_code == 401


async def test_a_key_is_changed_from_the_next_request_on(hub: Hub, caller: Caller) -> None:
    new = await made(caller)
    mine, path = with_key(caller, new), f"/api/keys/{new['id']}"
    assert (await mine.get("/api/stores")).status_code == 200
    changed = await caller.patch(path, json={"ipAllowList": ["203.0.113.7"], "name": "Till 2"})
    assert (changed.json()["ipAllowList"], changed.json()["name"]) == (["203.0.113.7"], "Till 2")
    assert (await mine.get("/api/stores")).status_code == 403
    (entry,) = await audited(caller, "key.updated")
    assert entry["details"] == {"fields": ["ipAllowList", "name"]}
    assert (await caller.patch(path, json={"name": None})).status_code == 422
    assert (await caller.patch(path, json={"permissions": ["*"]})).status_code == 422
    assert (await caller.patch(path, json={"requestsPerMinute": None})).status_code == 200


async def test_a_revoked_key_stays_in_the_list_and_opens_nothing(caller: Caller) -> None:
    new = await made(caller)
    path = f"/api/keys/{new['id']}"
    assert [(await caller.delete(path)).status_code for _ in range(2)] == [204, 204]
    assert (await with_key(caller, new).get("/api/stores")).status_code == 401
    assert (await caller.get(path)).json()["revokedAt"] is not None
    assert len(await audited(caller, "key.revoked")) == 1
    assert (await caller.patch(path, json={"name": "Back"})).status_code == 409
    assert (await caller.post(f"{path}/rotate")).status_code == 409


async def test_a_rotated_key_works_beside_the_new_one_until_the_overlap_ends(
    hub: Hub, caller: Caller
) -> None:
    old = await made(caller, ipAllowList=["127.0.0.0/8"], requestsPerMinute=60)
    answer = await caller.post(f"/api/keys/{old['id']}/rotate", json={"overlapHours": 2})
    new = answer.json()
    assert answer.status_code == 201, answer.text
    assert new["rotatedFrom"] == old["id"]
    assert new["key"] != old["key"]
    for name in ("name", "type", "permissions", "ipAllowList", "requestsPerMinute", "expiresAt"):
        assert new[name] == old[name]
    ends_in = datetime.fromisoformat(new["oldKeyEndsAt"]) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=59) < ends_in <= timedelta(hours=2)
    for one in (old, new):
        assert (await with_key(caller, one).get("/api/stores")).status_code == 200
    again = await caller.post(f"/api/keys/{old['id']}/rotate")
    assert again.status_code == 409
    assert f"rotate key {new['id']}" in again.json()["detail"]
    await hub.execute(
        caller.tenant,
        "update api_keys set expires_at = now() - interval '1 s' where id = :id",
        id=old["id"],
    )
    assert (await with_key(caller, old).get("/api/stores")).status_code == 401
    assert (await with_key(caller, new).get("/api/stores")).status_code == 200
    (entry,) = await audited(caller, "key.rotated")
    assert entry["details"] == {"newKeyId": new["id"], "overlapHours": 2}


async def test_rotating_lengthens_no_keys_life_unless_asked(caller: Caller) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    later = soon + timedelta(days=30)
    old = await made(caller, expiresAt=soon.isoformat())
    path = f"/api/keys/{old['id']}/rotate"
    new = (await caller.post(path, json={"overlapHours": 24})).json()
    assert datetime.fromisoformat(new["expiresAt"]) == soon
    assert datetime.fromisoformat(new["oldKeyEndsAt"]) == soon
    path = f"/api/keys/{new['id']}/rotate"
    newest = (await caller.post(path, json={"expiresAt": later.isoformat()})).json()
    assert datetime.fromisoformat(newest["expiresAt"]) == later


async def test_without_overlap_the_old_key_ends_now(caller: Caller) -> None:
    old = await made(caller)
    await caller.post(f"/api/keys/{old['id']}/rotate", json={"overlapHours": 0})
    assert (await with_key(caller, old).get("/api/stores")).status_code == 401


async def test_keys_are_counted_by_day_without_a_write_per_request(
    hub: Hub, caller: Caller
) -> None:
    new = await made(caller, ipAllowList=["127.0.0.1"])
    mine, path = with_key(caller, new), f"/api/keys/{new['id']}/usage"
    for _ in range(3):
        await mine.get("/api/stores")
    await mine.get("/api/orders")  # it may not
    async with calling_from(hub, "198.51.100.9") as http:
        await http.get("/api/stores", headers=mine.headers)
    # Whoever lacks the secret does not count as the key.
    await mine.get("/api/stores", headers={"X-API-Secret": "es_wrong"})
    assert (await caller.get(path)).json()["requests"] == 0
    await hub.services.key_usage.flush(hub.database)
    await mine.get("/api/stores")
    await hub.services.key_usage.flush(hub.database)
    used = (await caller.get(path)).json()
    day = datetime.now(UTC).date().isoformat()
    counts = {"requests": 6, "refused": 2, "failed": 0}
    assert used["days"] == [{"day": day, **counts}]
    assert {name: used[name] for name in counts} == counts
    shown = (await caller.get(f"/api/keys/{new['id']}")).json()
    assert used["lastUsedAt"] == shown["lastUsedAt"] is not None


async def test_counts_that_cannot_be_written_are_kept(hub: Hub, caller: Caller) -> None:
    new = await made(caller)
    await with_key(caller, new).get("/api/stores")
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    await hub.services.key_usage.flush(away)
    await away.close()
    await hub.services.key_usage.flush(hub.database)
    assert (await caller.get(f"/api/keys/{new['id']}/usage")).json()["requests"] == 1


async def test_counts_are_written_by_themselves_and_at_the_end(hub: Hub, caller: Caller) -> None:
    usage = hub.services.key_usage
    new = await made(caller)
    mine, path = with_key(caller, new), f"/api/keys/{new['id']}/usage"
    usage.start(hub.database, every_s=0.01)
    await mine.get("/api/stores")
    for _ in range(500):
        if (await caller.get(path)).json()["requests"]:
            break
    assert (await caller.get(path)).json()["requests"] == 1
    await mine.get("/api/stores")
    await usage.close(hub.database)
    assert (await caller.get(path)).json()["requests"] == 2
