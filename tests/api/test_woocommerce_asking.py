"""Of which store something is asked, by whom, how often, and when that is refused."""

import pytest

from tests.api.asking import ACTIONS, ask
from tests.api.hub import Caller, Hub, connect


@pytest.fixture
async def store_id(caller: Caller) -> int:
    return await connect(caller, provider="woocommerce")


async def test_the_store_is_named_in_the_query_or_in_the_body(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    other = await connect(caller, "other", provider="woocommerce")
    for path in ACTIONS:
        hub.gateway.demands.clear()
        hub.gateway.running.clear()
        chosen = {"customers": True} if path == "batch" else {}
        in_query, in_body = {"storeId": store_id}, {"storeId": other, **chosen}
        unnamed = await ask(caller, path, chosen)
        assert unnamed.status_code == 400
        assert f"{store_id}, {other}" in unnamed.json()["detail"]
        assert (await ask(caller, path, in_body, params=in_query)).status_code == 400
        assert hub.gateway.demands == []
        for named in (
            await ask(caller, path, in_body),
            await ask(caller, path, chosen, params=in_query),
            await ask(caller, path, in_body, params={"storeId": other}),
        ):
            assert named.status_code == 202, named.text
        assert [one.store_id for one in hub.gateway.demands] == [other, store_id]


async def test_other_stores_are_not_there(hub: Hub, caller: Caller) -> None:
    for path in ACTIONS:
        answer = await ask(caller, path, {"customers": True} if path == "batch" else {})
        assert (answer.status_code, "POST /api/stores" in answer.text) == (404, True)
    mine = await connect(caller)
    theirs = await connect(await hub.new_caller(), provider="woocommerce")
    for path in ACTIONS:
        chosen = {"customers": True} if path == "batch" else {}
        for number in (mine, theirs, 987_654_321):
            answer = await ask(caller, path, {"storeId": number, **chosen})
            assert answer.status_code == 404, answer.text
    assert hub.gateway.demands == []


async def test_a_key_that_may_only_read_starts_nothing(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    permissions = ("syncs:read", "records:write")
    reader = await hub.new_caller(permissions=permissions, tenant=caller.tenant)
    for path in ACTIONS:
        assert (await ask(reader, path, {})).status_code == 403
    assert hub.gateway.demands == []


async def test_a_store_that_is_not_active_is_not_asked(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    await caller.patch(f"/api/stores/{store_id}/deactivate")
    for path in ACTIONS:
        answer = await ask(caller, path, {"customers": True} if path == "batch" else {})
        assert answer.status_code == 409
        assert f"/api/stores/{store_id}/activate" in answer.json()["detail"]
    assert hub.gateway.demands == []


async def test_what_is_switched_off_is_not_pulled(hub: Hub, caller: Caller, store_id: int) -> None:
    for path, entity in (
        ("customers/pull", "customers"),
        ("products/pull", "products"),
        ("products/1", "products"),
    ):
        settings = {"syncDirections": {entity: "off"}}
        await caller.patch(f"/api/stores/{store_id}", json={"settings": settings})
        for refused in (await ask(caller, path), await ask(caller, "batch", {entity: True})):
            assert refused.status_code == 409
            assert f"syncDirections.{entity}" in refused.json()["detail"]
    assert hub.gateway.demands == []


async def test_what_is_sent_twice_with_one_key_is_done_once(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    headers = {"Idempotency-Key": "one-intent"}
    first = await ask(caller, "customers/pull", {"limit": 5}, headers=headers)
    hub.gateway.running.clear()
    again = await ask(caller, "customers/pull", {"limit": 5}, headers=headers)
    assert (again.status_code, again.json()) == (202, first.json())
    assert len(hub.gateway.demands) == 1
    params = {"storeId": store_id}
    other = await ask(caller, "customers/pull", {"limit": 5}, headers=headers, params=params)
    assert other.status_code == 422


async def test_the_same_asked_again_while_it_runs_is_found_and_hurried(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    first = (await ask(caller, "customers/pull", {"limit": 5})).json()
    assert hub.gateway.hurried == []
    again = (await ask(caller, "customers/pull", {"page": 1, "limit": 5})).json()
    assert again == {**first, "alreadyRunning": True}
    assert hub.gateway.hurried == [first["workflowId"]]


async def test_nothing_is_started_while_temporal_is_away(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    hub.gateway.is_down = True
    for path in ("customers/pull", "products/4711"):
        answer = await ask(caller, path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
