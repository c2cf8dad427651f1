from db.ranges import RangeKey, reject
from db.read_syncs import REJECTIONS_SHOWN
from domain.entities import Entity
from domain.pages import Rejected
from tests.api.hub import Caller, Hub, connect
from tests.api.runs import advance, begin, end


async def test_the_log_lists_what_was_set_aside_and_why(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    run_id = await begin(hub, caller, store_id)
    key = RangeKey(caller.tenant.id, run_id, Entity.PRODUCTS, "")
    rejected = [
        Rejected("4711", 0, "price is not a number: 'abc'"),
        Rejected(None, 3, "it has no id"),
    ]
    async with hub.database.tenant(caller.tenant.id) as connection:
        await reject(connection, key, rejected, place="page 1")
    await advance(hub, caller, run_id, "pages 1-1", seen=5, created=3, rejected=2)
    await end(hub, caller, store_id, run_id)
    page = (await caller.get(f"/api/stores/{store_id}/sync-logs")).json()
    orders, products = page["data"]
    assert (orders["action"], orders["rejected"], orders["rejectedTotal"]) == (
        "sync_orders",
        [],
        0,
    )
    assert products == {
        "id": products["id"],
        "runId": run_id,
        "action": "sync_products",
        "status": "success",
        "details": products["details"],
        "errorMessage": None,
        "retryCount": 1,
        "rejected": [
            {"externalId": "4711", "reason": "price is not a number: 'abc'"},
            {"externalId": None, "reason": "it has no id"},
        ],
        "rejectedTotal": 2,
        "createdAt": products["createdAt"],
        "updatedAt": products["updatedAt"],
    }
    assert page["nextCursor"] is None


async def test_a_log_shows_the_first_of_many_rejections(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    run_id = await begin(hub, caller, store_id)
    key = RangeKey(caller.tenant.id, run_id, Entity.PRODUCTS, "")
    many = [Rejected(f"{number:04}", number, "bad") for number in range(REJECTIONS_SHOWN + 5)]
    async with hub.database.tenant(caller.tenant.id) as connection:
        await reject(connection, key, many, place="page 1")
    _, products = (await caller.get(f"/api/stores/{store_id}/sync-logs")).json()["data"]
    assert [one["externalId"] for one in products["rejected"]] == [
        f"{number:04}" for number in range(REJECTIONS_SHOWN)
    ]
    assert products["rejectedTotal"] == REJECTIONS_SHOWN + 5


async def test_log_lines_of_one_moment_are_paged_without_loss(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await hub.execute(
        caller.tenant,
        "insert into store_sync_logs (tenant_id, store_id, action, status, created_at) "
        "select :tenant_id, :store, 'sync_' || n, 'success', timestamptz '2026-11-21Z' "
        "from generate_series(1, 7) n",
        tenant_id=caller.tenant.id,
        store=store_id,
    )
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (
            await caller.get(f"/api/stores/{store_id}/sync-logs", params={"limit": 3, **cursor})
        ).json()
        seen += [line["action"] for line in page["data"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert seen == [f"sync_{number}" for number in range(7, 0, -1)]
