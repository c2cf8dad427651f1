import asyncio
from dataclasses import replace
from typing import Any

import pytest
import structlog.testing
from pydantic import SecretStr

from domain.entities import Entity
from runtime.default_store import ensure_default_store
from runtime.default_store_settings import DefaultStoreSettings
from tests.api.fake_gateway import FACTS
from tests.api.hub import KEY, SECRET, Caller, Hub, connect, store_body
from tests.db.factories import product, variant
from workflows.models import CheckStoreInput, CheckStoreResult

SAME = "http://www.shop.example/"


def body(code: str, url: str = SAME) -> dict[str, Any]:
    """Of a shop at this address."""
    return store_body(code, config={**store_body()["config"], "storeUrl": url})


async def stores(hub: Hub, caller: Caller) -> list[tuple[Any, ...]]:
    return await hub.execute(caller.tenant, "select id, deleted_at is null from stores order by id")


@pytest.mark.parametrize("is_active", [True, False])
async def test_a_shop_is_connected_once_in_a_tenant(
    hub: Hub, caller: Caller, is_active: bool
) -> None:
    store_id = await connect(caller)
    if not is_active:
        await caller.patch(f"/api/stores/{store_id}/deactivate")
    hub.gateway.checks.clear()
    answer = await caller.post("/api/stores", json=body("again"))
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "urn:entrepot:problem:conflict")
    assert f"store {store_id} already" in problem["detail"]
    assert ("activate" in problem["detail"]) is not is_active
    assert problem["errors"][0]["pointer"] == "/config/storeUrl"
    assert hub.gateway.checks == []
    assert await connect(await hub.new_caller()) != store_id


async def test_two_requests_at_once_make_one_store(hub: Hub, caller: Caller) -> None:
    both = asyncio.Barrier(2)

    async def verdict(_check: CheckStoreInput) -> CheckStoreResult:
        await both.wait()
        return CheckStoreResult(facts=dict(FACTS))

    hub.gateway.verdict = verdict
    answers = await asyncio.gather(
        *(caller.post("/api/stores", json=body(code)) for code in ("one", "two"))
    )
    assert sorted(one.status_code for one in answers) == [201, 409]
    assert len(await stores(hub, caller)) == 1


async def test_a_store_does_not_move_to_another_ones_shop(hub: Hub, caller: Caller) -> None:
    first, second = await connect(caller), await connect(caller, "second")
    change = {"config": body("x")["config"], "storeMoved": True}
    answer = await caller.patch(f"/api/stores/{second}", json=change)
    assert (answer.status_code, f"store {first} already" in answer.text) == (409, True)
    # Where records of it are here without a store, it is connected, so that it is that store again.
    await hub.take_in(caller.tenant, first, Entity.PRODUCTS, product("1", variant("2")))
    await caller.delete(f"/api/stores/{first}")
    answer = await caller.patch(f"/api/stores/{second}", json=change)
    assert (answer.status_code, f"becomes store {first} again" in answer.text) == (409, True)
    await hub.execute(caller.tenant, "delete from links")
    assert (await caller.patch(f"/api/stores/{second}", json=change)).status_code == 200


async def test_a_shop_that_comes_back_is_the_store_it_was(hub: Hub, caller: Caller) -> None:
    first = await connect(caller)
    await caller.delete(f"/api/stores/{first}")
    await hub.execute(
        caller.tenant,
        "insert into pushes (tenant_id, store_id, entity, record_id) "
        "values (:t, :s, 'products', 1)",
        t=caller.tenant.id,
        s=first,
    )
    answer = await caller.post("/api/stores", json={**body("back"), "sync": True})
    made = answer.json()
    assert (answer.status_code, made["id"], made["returned"]) == (201, first, True)
    assert (made["code"], made["isActive"], made["syncStatus"]) == ("back", True, "pending")
    assert made["workflowId"] == f"import/{first}"
    assert await hub.execute(caller.tenant, "select * from pushes") == []
    assert await stores(hub, caller) == [(first, True)]
    actions = "select action from audit_log where action like 'store.%' order by id"
    assert [row[0] for row in await hub.execute(caller.tenant, actions)] == [
        *("store.created", "store.deleted", "store.returned")
    ]
    tested = await caller.post(f"/api/stores/{first}/test-connection")
    assert tested.json()["connected"] is True


async def test_the_variables_leave_a_shop_alone_that_somebody_connected(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller, provider="woocommerce")
    named = {"default_tenant": caller.tenant.public_id}
    services = replace(hub.services, config=hub.services.config.model_copy(update=named))
    wanted = DefaultStoreSettings(SAME, SecretStr(KEY), SecretStr(f"{SECRET}x"))
    hub.gateway.checks.clear()
    with structlog.testing.capture_logs() as told:
        store = await ensure_default_store(services, wanted)
    assert (store.id, store.code, hub.gateway.checks) == (store_id, "main", [])
    assert [one["event"] for one in told] == ["default_store_is_connected_already"]
