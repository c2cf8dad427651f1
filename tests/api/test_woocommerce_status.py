from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from api.config import ApiConfig
from tests.api.hub import QUEUES, Caller, Hub
from tests.api.reported_shop import EVENT, Shop, told
from tests.api.test_conflicts import dispute


@pytest.fixture
def config() -> ApiConfig:
    """Nothing is kept: the tests change what the reports are about."""
    return ApiConfig(temporal_ui_url="http://127.0.0.1:8233", cache_status_s=0, cache_analytics_s=0)


@pytest.fixture
async def shop(hub: Hub, caller: Caller) -> Shop:
    return await Shop.new(hub, caller)


async def test_a_store_that_was_never_asked(shop: Shop) -> None:
    shown = await shop.shown()
    assert shown["connection"] == {
        "isConnected": None,
        "message": "",
        "latencyMs": None,
        "lastCheckAt": None,
        "connectedAt": None,
        "checkedBy": None,
    }
    assert shown["status"] == "healthy"
    (reason,) = shown["reasons"]
    assert (reason["code"], reason["severity"]) == ("nothing-scheduled", "notice")
    assert reason["action"].startswith(f"PUT /api/stores/{shop.id}/schedule")


async def test_the_last_request_is_the_sign_of_life(shop: Shop) -> None:
    await shop.execute(
        "insert into store_schedules (tenant_id, store_id, kind, spec)"
        " values (:owner, :store, 'pull', cast(:spec as jsonb))",
        spec='{"interval": "PT15M"}',
    )
    assert [one["code"] for one in (await shop.shown())["reasons"]] == ["check-overdue"]
    await shop.asked(200)
    shown = await shop.shown()
    assert (shown["status"], shown["reasons"]) == ("healthy", [])
    assert shown["connection"]["isConnected"] is True
    assert shown["connection"]["checkedBy"] == "pull every PT15M"
    await shop.asked(401)
    shown = await shop.shown()
    assert (shown["status"], shown["connection"]["isConnected"]) == ("down", False)
    (reason,) = shown["reasons"]
    assert "credentials" in reason["message"]
    assert reason["action"].startswith(f"POST /api/stores/{shop.id}/test-connection")


async def test_what_waits_and_what_failed_is_told(hub: Hub, shop: Shop) -> None:
    await dispute(hub, shop.caller, shop.id)
    old = datetime.now(UTC) - timedelta(minutes=20)
    await shop.execute(EVENT, status="pending", outcome=None, at=old)
    await shop.execute(
        "insert into pushes (tenant_id, store_id, entity, record_id, status) values"
        " (:owner, :store, 'products', 4711, 'failed'), (:owner, :store, 'orders', 1, 'pending')"
    )
    await shop.execute(
        "insert into lanes (tenant_id, kind, key, paused_reason) values"
        " (:owner, 'push', :store, 'the store is closed')"
    )
    await shop.execute("update stores set sync_status = 'failed', last_sync_error = 'no answer'")
    shown = await shop.shown()
    assert shown["status"] == "degraded"
    assert {one["code"] for one in shown["reasons"]} == {
        *("nothing-scheduled", "push-paused", "sync-failed", "pushes-failed"),
        *("inbox-overdue", "conflicts-open"),
    }
    assert all(one["action"] for one in shown["reasons"])
    assert shown["backlog"]["webhooksPending"] == 1
    assert shown["backlog"]["webhooksOldestAt"][:19] == old.isoformat()[:19]
    assert (shown["backlog"]["pushesFailed"], shown["openConflicts"]) == (1, 1)
    (lane,) = [one for one in shown["lanes"] if one["kind"] == "push"]
    assert (lane["isPaused"], lane["pausedReason"]) == (True, "the store is closed")


async def test_what_waits_for_its_next_try_is_not_overdue(shop: Shop) -> None:
    await shop.execute(
        "insert into pushes (tenant_id, store_id, entity, record_id, updated_at, next_attempt_at)"
        " values (:owner, :store, 'products', 1, now() - interval '1 hour',"
        " now() + interval '1 hour')"
    )
    await shop.execute(
        "insert into webhook_events (tenant_id, store_id, event_type, topic, route, body, headers,"
        " received_at, next_attempt_at) values (:owner, :store, 'order.created', 'order.created',"
        " 'code', '', '{}', now() - interval '1 hour', now() + interval '1 hour')"
    )
    shown = await shop.shown()
    assert [one["code"] for one in shown["reasons"]] == ["nothing-scheduled"]
    assert (shown["backlog"]["pushesPending"], shown["backlog"]["webhooksPending"]) == (1, 1)
    await shop.execute("update pushes set next_attempt_at = now() - interval '10 minutes'")
    assert "push-overdue" in {one["code"] for one in (await shop.shown())["reasons"]}


async def test_the_worst_store_decides(nobody: None, hub: Hub, shop: Shop) -> None:
    second = await Shop.new(hub, shop.caller)
    await hub.show_process()
    await second.asked(503)
    found = await told(shop.caller, "status")
    assert (found["status"], [one["status"] for one in found["stores"]]) == (
        "down",
        ["healthy", "down"],
    )
    hub.gateway.is_down = True
    down = await told(shop.caller, "status", storeId=shop.id)
    assert (down["status"], down["system"]["temporal"]) == ("down", "unhealthy")
    assert [one["code"] for one in down["reasons"]] == ["temporal-unavailable"]


@pytest.fixture
async def nobody(hub: Hub) -> AsyncIterator[None]:
    """No process of the hub was seen."""
    yield
    async with hub.owner.lookup() as connection:
        await connection.execute(text("delete from processes"))


async def test_every_process_tells_what_it_uses(nobody: None, hub: Hub, shop: Shop) -> None:
    worker = await hub.show_process()
    api = await hub.show_process("api", ())
    found = await told(shop.caller, "status")
    assert (found["status"], found["reasons"]) == ("healthy", [])
    first, second = found["system"]["processes"]
    assert (first["name"], second["name"]) == (api, worker)
    assert second.pop("seenAt") > second.pop("startedAt")
    assert second == {
        "name": worker,
        "kind": "worker",
        "queues": list(QUEUES),
        "cpuS": 36.0,
        "cpuPercent": 12.3,
        "memoryMb": 150.0,
        "peakMemoryMb": 170.0,
        "databaseConnectionsInUse": 2,
        "databaseConnectionsMax": 16,
    }


async def test_who_works_nothing_off_is_missed(
    nobody: None, hub: Hub, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routers.health._KEEP_S", 0)
    await hub.show_process("api", ())
    seen = []
    for queues in ((), ("interactive", "events"), ("pull",), ("import", "pull")):
        if queues:
            await hub.show_process("worker", queues)
        found = await told(shop.caller, "status")
        detailed = (await shop.caller.get("/api/health?detailed=true")).json()
        assert detailed["status"] == ("healthy" if found["status"] == "healthy" else "degraded")
        told_of = [(one["code"], one["action"].split("=")[-1]) for one in found["reasons"]]
        seen.append((found["status"], detailed["services"]["workers"], told_of))
    start = "Start one with `entrepot worker`; system.processes shows it at once."
    assert seen == [
        ("down", "unhealthy", [("no-worker", start)]),
        ("degraded", "degraded", [("queues-unserved", "pull,import.")]),
        ("degraded", "degraded", [("queues-unserved", "import.")]),
        ("healthy", "healthy", []),
    ]
    await hub.execute(
        shop.caller.tenant, "update processes set seen_at = now() - interval '61 seconds'"
    )
    found = await told(shop.caller, "status")
    assert (found["status"], found["system"]["processes"]) == ("down", [])


async def test_the_rate_limit_is_what_the_store_and_its_provider_say(shop: Shop) -> None:
    await shop.execute(
        "insert into store_budgets (tenant_id, store_id, blocked_until, slowdown)"
        " values (:owner, :store, now() + interval '1 hour', 4)"
    )
    limit = (await shop.shown())["rateLimit"]
    assert (limit["requestsPerMinute"], limit["slowdown"]) == (None, 4)
    assert limit["blockedUntil"] > datetime.now(UTC).isoformat()


async def test_the_last_sync_of_each_kind_is_told(shop: Shop) -> None:
    await shop.execute(
        "insert into store_cursors (tenant_id, store_id, entity, changed_since, updated_at) values"
        " (:owner, :store, 'orders', now(), '2026-11-20T10:00:00Z')"
    )
    assert (await shop.shown())["lastSync"] == {"orders": "2026-11-20T10:00:00Z"}
