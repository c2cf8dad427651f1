from datetime import timedelta

import pytest

from api.config import ApiConfig
from tests.api.hub import Caller, Hub
from tests.api.reported_shop import SYNC, Shop, told
from tests.api.test_conflicts import dispute


@pytest.fixture
def config() -> ApiConfig:
    """Nothing is kept: the tests change what the reports are about."""
    return ApiConfig(temporal_ui_url="http://127.0.0.1:8233", cache_status_s=0, cache_analytics_s=0)


@pytest.fixture
async def shop(hub: Hub, caller: Caller) -> Shop:
    return await Shop.new(hub, caller)


async def test_analytics_tell_records_by_kind(shop: Shop) -> None:
    await shop.log(details={"seen": 10, "created": 3, "updated": 2, "unchanged": 5, "pages": 2})
    await shop.log(details={"seen": 4, "rejected": 4, "pages": 1})
    await shop.log(details={"direction": "webhook", "created": 1}, action="receive_order")
    await shop.log(
        "failed", {"direction": "push", "sent": 5, "updated": 4, "failed": 1}, action="sync_orders"
    )
    await shop.log(details={"created": 100}, age=timedelta(days=2))
    total = (await told(shop.caller, "analytics"))["total"]
    nothing = dict.fromkeys(("seen", "created", "updated", "deleted", "unchanged", "rejected"), 0)
    assert total["records"] == {
        "orders": {**nothing, "created": 1},
        "products": {
            **nothing,
            "seen": 14,
            "created": 3,
            "updated": 2,
            "unchanged": 5,
            "rejected": 4,
        },
    }
    assert total["pushes"] == {"orders": {"sent": 5, "created": 0, "updated": 4, "failed": 1}}
    assert (total["batches"]["pages"], total["batches"]["recordsPerPage"]) == (3, 4.7)
    assert total["errorClasses"] == {"records.rejected": 4, "pushes.failed": 1}
    week = (await told(shop.caller, "analytics", timeframe="7d"))["total"]
    assert week["records"]["products"]["created"] == 103


async def test_analytics_tell_how_runs_ended(shop: Shop) -> None:
    for status in ("success", "success", "success", "failed", "cancelled", "in_progress"):
        await shop.run(status)
    await shop.run("failed", dry=True)
    await shop.run("failed", days=40)
    assert (await told(shop.caller, "analytics", timeframe="30d"))["total"]["runs"] == {
        "total": 6,
        "succeeded": 3,
        "failed": 1,
        "cancelled": 1,
        "running": 1,
        "successRate": 0.75,
        "failureRate": 0.25,
        "averageS": 4.8,
    }


async def test_analytics_tell_how_stores_answer(shop: Shop) -> None:
    await shop.asked(*[200] * 90, took_s=0.05)
    await shop.asked(*[200] * 8, 500, 429, took_s=2.0)
    await shop.asked(201, took_s=0.05, method="POST")
    found = (await told(shop.caller, "analytics"))["total"]
    requests = found["requests"]
    assert (requests["total"], requests["failed"]) == (101, 2)
    assert requests["outcomes"] == {"ok": 99, "rate_limited": 1, "server_error": 1}
    assert requests["p50Ms"] == pytest.approx(50, rel=0.2)
    assert requests["p95Ms"] == pytest.approx(2000, rel=0.2)
    assert (found["batches"]["reads"], found["batches"]["writes"]) == (100, 1)
    assert found["errorClasses"] == {"requests.rate_limited": 1, "requests.server_error": 1}


async def test_analytics_tell_what_became_of_webhooks(shop: Shop) -> None:
    for outcome in ("applied", "deleted", "reread", "unchanged", "duplicate", "ignored"):
        await shop.event("processed", outcome)
    for outcome in ("stale", "superseded"):
        await shop.event("processed", outcome)
    await shop.event("failed")
    await shop.event("pending")
    webhooks = (await told(shop.caller, "analytics"))["total"]["webhooks"]
    assert webhooks.pop("p50ProcessingMs") == pytest.approx(100, rel=0.2)
    assert webhooks.pop("p95ProcessingMs") == pytest.approx(100, rel=0.2)
    assert webhooks == {
        "received": 10,
        "applied": 3,
        "unchanged": 2,
        "ignored": 1,
        "stale": 2,
        "failed": 1,
        "pending": 1,
    }


async def test_analytics_are_by_store_and_in_total(hub: Hub, shop: Shop) -> None:
    second = await Shop.new(hub, shop.caller)
    other = await Shop.new(hub, shop.caller, provider="easyorder")
    stranger = await Shop.new(hub, await hub.new_caller())
    for one, created in ((shop, 1), (second, 2), (other, 40), (stranger, 80)):
        await one.log(details={"created": created})
    found = await told(shop.caller, "analytics")
    assert found["total"]["records"]["products"]["created"] == 3
    assert [(one["storeId"], one["records"]["products"]["created"]) for one in found["stores"]] == [
        (shop.id, 1),
        (second.id, 2),
    ]
    assert {one["storeId"] for one in found["recentActivity"]} == {shop.id, second.id}
    alone = await told(shop.caller, "analytics", storeId=second.id)
    assert alone["total"]["records"]["products"]["created"] == 2
    for report in ("analytics", "status", "history", "conflicts"):
        for unknown in (stranger.id, other.id):
            answer = await shop.caller.get(f"{SYNC}/{report}", params={"storeId": unknown})
            assert (report, answer.status_code) == (report, 404)


async def test_reports_of_a_tenant_without_stores_are_empty(hub: Hub, caller: Caller) -> None:
    await hub.show_process()
    found = await told(caller, "analytics", timeframe="90d")
    assert (found["total"]["runs"]["total"], found["stores"]) == (0, [])
    assert found["total"]["requests"]["p95Ms"] is None
    status = await told(caller, "status")
    assert (status["status"], [one["code"] for one in status["reasons"]]) == (
        "healthy",
        ["no-store"],
    )
    for report in ("history", "conflicts"):
        assert await told(caller, report) == {"data": [], "nextCursor": None}


async def test_history_is_the_newest_first_over_all_stores(hub: Hub, shop: Shop) -> None:
    second = await Shop.new(hub, shop.caller)
    for minute in range(5):
        for one in (shop, second):
            await one.log(age=timedelta(minutes=minute), action=f"sync_{minute}")
    seen: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = await told(shop.caller, "history", limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [one["entity"] for one in page["data"]]
        cursor, pages = page["nextCursor"], pages + 1
    assert seen == [str(minute) for minute in range(5) for _ in range(2)]
    assert pages == 4
    alone = await told(shop.caller, "history", storeId=second.id)
    assert {one["storeId"] for one in alone["data"]} == {second.id}
    answer = await shop.caller.get(f"{SYNC}/history", params={"cursor": "WyJzeW5jcyIsMV0"})
    assert answer.status_code == 400


async def test_history_tells_one_kind_of_event(shop: Shop) -> None:
    run = await shop.run("failed")
    await shop.log("failed", {"seen": 3, "rejected": 1}, run=run, error="the store is away")
    await shop.log("in_progress", run=await shop.run("in_progress", dry=True))
    await shop.log("cancelled", age=timedelta(hours=2))
    await shop.log("success", {"direction": "webhook", "created": 1}, action="receive_order")
    expected = {"started": 1, "completed": 1, "failed": 1, "cancelled": 1}
    for event, count in expected.items():
        data = (await told(shop.caller, "history", event_type=event))["data"]
        assert [one["eventType"] for one in data] == [event] * count
    (failed,) = (await told(shop.caller, "history", event_type="rejected"))["data"]
    assert {name: failed[name] for name in ("entity", "counts", "error", "direction")} == {
        "entity": "products",
        "counts": {"seen": 3, "rejected": 1},
        "error": "the store is away",
        "direction": "pull",
    }
    assert failed["workflowId"] == f"sync/{shop.id}"
    assert failed["statusUrl"] == f"/api/syncs/sync/{shop.id}"
    (started,) = (await told(shop.caller, "history", event_type="started"))["data"]
    assert (started["finishedAt"], started["dryRun"]) == (None, True)
    (pushed,) = (await told(shop.caller, "history", event_type="completed"))["data"]
    assert (pushed["entity"], pushed["direction"], pushed["workflowId"]) == (
        "orders",
        "webhook",
        None,
    )
    answer = await shop.caller.get(f"{SYNC}/history", params={"event_type": "exploded"})
    assert answer.status_code == 422


async def test_conflicts_come_with_advice(hub: Hub, shop: Shop) -> None:
    await dispute(hub, shop.caller, shop.id)
    (conflict,) = (await told(shop.caller, "conflicts"))["data"]
    assert conflict["storeId"] == shop.id
    for one in conflict["fields"]:
        assert one["suggestion"]["resolution"] in {"local", "remote", "merge"}
        assert one["suggestion"]["reason"]
    how = conflict["howToResolve"]
    done = await shop.caller.send(how["method"], how["url"], json=how["body"])
    assert done.status_code == 200, done.text
    assert await told(shop.caller, "conflicts") == {"data": [], "nextCursor": None}
    (decided,) = (await told(shop.caller, "conflicts", status="resolved"))["data"]
    assert (decided["id"], decided["howToResolve"]) == (conflict["id"], None)


async def test_conflicts_of_other_stores_are_not_told(hub: Hub, shop: Shop) -> None:
    other = await Shop.new(hub, shop.caller, provider="easyorder")
    await dispute(hub, shop.caller, other.id)
    assert (await told(shop.caller, "conflicts"))["data"] == []


async def test_reports_are_for_those_who_may_read_syncs(hub: Hub, shop: Shop) -> None:
    poor = await hub.new_caller(permissions=("records:read",), tenant=shop.caller.tenant)
    for report in ("analytics", "status", "history", "conflicts"):
        assert (await poor.get(f"{SYNC}/{report}")).status_code == 403
        assert (await hub.http.get(f"{SYNC}/{report}")).status_code == 401


class TestKept:
    """With the cache, as it is unless the settings say otherwise."""

    @pytest.fixture
    def config(self) -> ApiConfig:
        return ApiConfig()

    async def test_answers_are_kept_and_told_again_by_their_etag(self, shop: Shop) -> None:
        for report in ("analytics", "status"):
            first = await shop.caller.get(f"{SYNC}/{report}")
            await shop.log(details={"created": 1})
            again = await shop.caller.get(f"{SYNC}/{report}")
            assert again.content == first.content
            etag = first.headers["etag"]
            same = await shop.caller.get(f"{SYNC}/{report}", headers={"If-None-Match": etag})
            assert (same.status_code, same.content) == (304, b"")
