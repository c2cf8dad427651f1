from tests.api.hub import Caller, Hub, connect, store_body


async def test_a_deleted_store_is_gone_with_its_secrets(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller, sync=True)
    answer = await caller.delete(f"/api/stores/{store_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    row = await hub.execute(
        caller.tenant,
        "select is_active, deleted_at is not null, encrypted_data, iv, tag, key_id from stores",
    )
    assert row == [(False, True, None, None, None, None)]
    assert set(hub.gateway.cancelled) >= {
        f"import/{store_id}",
        f"sync/{store_id}",
        f"reconcile/{store_id}/orders",
        f"pull/{store_id}/categories",
        f"pull/{store_id}/products",
        f"pull/{store_id}/customers",
        f"pull/{store_id}/orders",
    }
    assert (await caller.get(f"/api/stores/{store_id}")).status_code == 404
    assert (await caller.delete(f"/api/stores/{store_id}")).status_code == 404
    assert (await caller.post(f"/api/stores/{store_id}/import")).status_code == 404
    assert (await caller.get("/api/stores")).json()["data"] == []


async def test_a_deleted_stores_code_is_free(caller: Caller) -> None:
    first = await connect(caller)
    await caller.delete(f"/api/stores/{first}")
    config = {**store_body()["config"], "storeUrl": "https://another.example"}
    assert await connect(caller, config=config) != first


async def test_a_store_is_deleted_though_temporal_is_down(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    hub.gateway.is_down = True
    assert (await caller.delete(f"/api/stores/{store_id}")).status_code == 204
