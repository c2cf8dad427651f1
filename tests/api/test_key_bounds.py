"""No key brings another, or itself, beyond what it may."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.hub import Caller, Hub
from tests.api.people import add_person
from tests.api.test_keys import BODY, audited, made, with_key


async def test_an_end_brings_back_what_expired_but_not_what_was_rotated(
    hub: Hub, caller: Caller
) -> None:
    later = {"expiresAt": (datetime.now(UTC) + timedelta(days=60)).isoformat()}
    expired, rotated = await made(caller), await made(caller)
    path = f"/api/keys/{rotated['id']}"
    new = (await caller.post(f"{path}/rotate", json={"overlapHours": 2})).json()

    async def refused(wanted: dict[str, Any]) -> None:
        answer = await caller.patch(path, json=wanted)
        assert answer.status_code == 409
        assert f"Use key {new['id']}" in answer.json()["detail"]

    for wanted in (later, {"expiresAt": None}):  # while both work
        await refused(wanted)
    sooner = {"expiresAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    assert (await caller.patch(path, json={**sooner, "name": "Old"})).status_code == 200
    await refused({"expiresAt": new["oldKeyEndsAt"]})
    for one in (expired, rotated):
        statement = "update api_keys set expires_at = now() - interval '1 s' where id = :id"
        await hub.execute(caller.tenant, statement, id=one["id"])
    await caller.delete(f"/api/keys/{new['id']}")
    for wanted in (sooner, later, {"expiresAt": None}):  # when neither does
        await refused(wanted)
    assert (await with_key(caller, rotated).get("/api/stores")).status_code == 401
    back = await caller.patch(f"/api/keys/{expired['id']}", json=later)
    assert back.status_code == 200
    assert (await with_key(caller, expired).get("/api/stores")).status_code == 200
    newest = (await audited(caller, "key.updated"))[0]
    assert newest["subject"] == f"key/{expired['id']}"
    assert newest["details"] == {"fields": ["expiresAt"], "revived": True}


async def test_what_a_key_makes_or_changes_is_never_wider_than_itself(
    hub: Hub, caller: Caller
) -> None:
    soon, later = [(datetime.now(UTC) + timedelta(days=day)).isoformat() for day in (1, 2)]
    bounds: dict[str, Any] = {
        "permissions": ["keys:write", "stores:read"],
        "ipAllowList": ["127.0.0.0/8"],
        "expiresAt": soon,
        "requestsPerMinute": 60,
    }
    wider: list[tuple[dict[str, Any], str]] = [
        ({"ipAllowList": []}, "use from any address"),
        ({"ipAllowList": ["127.0.0.1", "10.0.0.1"]}, "use from 10.0.0.1"),
        ({"expiresAt": None}, "no end"),
        ({"expiresAt": later}, "an end after"),
        ({"requestsPerMinute": None}, "600 requests per minute"),
        ({"requestsPerMinute": 61}, "61 requests per minute"),
    ]
    own = await made(caller, **bounds)
    clerk = with_key(caller, own)
    within = await made(clerk, **bounds)
    for id_ in (own["id"], within["id"]):
        for changes, what in wider:
            changed = await clerk.patch(f"/api/keys/{id_}", json=changes)
            assert (changed.status_code, what in changed.json()["detail"]) == (403, True), changes
    for changes, what in wider:
        refused = await clerk.post("/api/keys", json={"name": "x", **bounds, **changes})
        assert (refused.status_code, what in refused.json()["detail"]) == (403, True), changes
        # What is wider is neither renewed nor, without becoming narrow, changed.
        wide = (await made(caller, **{**bounds, **changes}))["id"]
        assert (await clerk.post(f"/api/keys/{wide}/rotate")).status_code == 403
        assert (await clerk.patch(f"/api/keys/{wide}", json={"name": "y"})).status_code == 403
        narrow = {name: bounds[name] for name in changes}
        assert (await clerk.patch(f"/api/keys/{wide}", json=narrow)).status_code == 200
    rotated = await clerk.post(f"/api/keys/{within['id']}/rotate", json={"expiresAt": later})
    assert rotated.status_code == 403
    assert (await clerk.post(f"/api/keys/{within['id']}/rotate")).status_code == 201
    # One without a limit has the usual one, and comes to no more either; people may decide.
    usual = {"requestsPerMinute": 601}
    assert (await caller.post("/api/keys", json={**BODY, **usual})).status_code == 403
    person = await (await add_person(hub, tenant=caller.tenant)).log_in()
    assert (await person.post("/api/keys", json={**BODY, **usual})).status_code == 201
