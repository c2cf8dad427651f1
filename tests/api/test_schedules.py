from datetime import timedelta
from typing import Any

import pytest

from activities.sync_models import SyncKind
from domain.lanes import LaneKind
from tests.api.hub import Caller, Hub, connect
from tests.api.test_store_changes import pause, paused

PULL = {"interval": "PT15M", "cron": None, "timeZone": "UTC", "jitter": "PT1M"}
NIGHTLY = {"interval": None, "cron": "30 3 * * *", "timeZone": "Asia/Colombo", "jitter": "PT0S"}


async def put(caller: Caller, store_id: int, **body: Any) -> Any:
    return await caller.send("PUT", f"/api/stores/{store_id}/schedule", json=body)


async def test_schedules_are_set_shown_and_deleted(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    empty = {"storeId": store_id, "paused": False, "pull": None, "reconcile": None}
    path = f"/api/stores/{store_id}/schedule"
    assert (await caller.get(path)).json() == {**empty, "stockSweep": None}
    answer = await put(
        caller,
        store_id,
        pull={"interval": 900, "jitter": 60},
        reconcile={"cron": "30 3 * * *", "timeZone": "Asia/Colombo"},
    )
    shown = {**empty, "pull": PULL, "reconcile": NIGHTLY, "stockSweep": None}
    assert (answer.status_code, answer.json()) == (200, shown)
    assert (await caller.get(path)).json() == shown
    spec, paused = hub.gateway.schedules[store_id, SyncKind.PULL]
    assert (spec.interval, spec.jitter, paused) == (
        timedelta(minutes=15),
        timedelta(minutes=1),
        False,
    )
    # All of them: what is left out is gone.
    await put(caller, store_id, stockSweep={"interval": "P1D"})
    assert set(hub.gateway.schedules) == {(store_id, SyncKind.STOCK_SWEEP)}
    assert (await caller.delete(path)).status_code == 204
    assert hub.gateway.schedules == {}
    assert (await caller.get(path)).json() == {**empty, "stockSweep": None}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"interval": "PT15M", "cron": "* * * * *"},
        {"interval": "PT10S"},
        {"cron": "every day"},
        {"cron": "0 3 * * *", "timeZone": "Mars/Base"},
        {"interval": "PT1H", "jitter": "P2D"},
    ],
)
async def test_a_wrong_schedule_is_refused(hub: Hub, caller: Caller, spec: dict[str, Any]) -> None:
    store_id = await connect(caller)
    answer = await put(caller, store_id, pull=spec)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/pull")
    assert hub.gateway.schedules == {}


async def test_schedules_are_triggered_paused_and_resumed(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    path = f"/api/stores/{store_id}/schedule"
    assert (await caller.post(f"{path}/trigger")).status_code == 404
    await put(caller, store_id, pull={"interval": 900})
    assert (await caller.post(f"{path}/trigger", json={"kind": "pull"})).status_code == 202
    assert hub.gateway.triggered == [(store_id, SyncKind.PULL)]
    assert (await caller.post(f"{path}/pause")).json()["paused"] is True
    assert hub.gateway.schedules[store_id, SyncKind.PULL][1] is True
    # Another spec does not wake what a person stopped.
    await put(caller, store_id, pull={"interval": 600})
    assert hub.gateway.schedules[store_id, SyncKind.PULL][1] is True
    assert (await caller.post(f"{path}/resume")).json()["paused"] is False
    assert hub.gateway.schedules[store_id, SyncKind.PULL][1] is False


async def test_nothing_is_half_done_while_temporal_is_down(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await put(caller, store_id, pull={"interval": 900})
    before = (await caller.get(f"/api/stores/{store_id}/schedule")).json()
    hub.gateway.is_down = True
    path = f"/api/stores/{store_id}/schedule"
    answers = [
        await put(caller, store_id, reconcile={"interval": 900}),
        await caller.delete(path),
        await caller.post(f"{path}/pause"),
        await caller.post(f"{path}/trigger"),
        await caller.post(f"/api/stores/{store_id}/sync"),
    ]
    assert [one.status_code for one in answers] == [503] * 5
    assert (await caller.get(path)).json() == before


async def test_an_inactive_stores_schedules_rest(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await put(caller, store_id, pull={"interval": 900})
    path = f"/api/stores/{store_id}"
    await pause(hub, caller, store_id, LaneKind.PUSH)
    off = await caller.patch(f"{path}/deactivate")
    assert (off.status_code, off.json()["isActive"]) == (200, False)
    assert f"sync/{store_id}" in hub.gateway.cancelled
    assert hub.gateway.schedules[store_id, SyncKind.PULL][1] is True
    assert (await caller.patch(f"{path}/deactivate")).json()["isActive"] is False
    assert (await caller.post(f"{path}/sync")).status_code == 409
    on = (await caller.patch(f"{path}/activate")).json()
    assert (on["isActive"], on["workflowId"], on["warning"]) == (True, f"sync/{store_id}", None)
    assert hub.gateway.schedules[store_id, SyncKind.PULL][1] is False
    assert [one.store_id for one in hub.gateway.syncs] == [store_id]
    woken = {(kind, key) for _, kind, key in hub.waker.woken}
    assert {(LaneKind.INBOX, store_id), (LaneKind.PUSH, store_id)} <= woken
    assert await paused(hub, caller) == []
    again = (await caller.patch(f"{path}/activate")).json()
    assert (again["isActive"], again["workflowId"]) == (True, f"sync/{store_id}")


async def test_a_store_is_not_activated_half_while_temporal_is_down(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    await put(caller, store_id, pull={"interval": 900})
    hub.gateway.is_down = True
    path = f"/api/stores/{store_id}"
    assert (await caller.patch(f"{path}/deactivate")).json()["isActive"] is False
    assert (await caller.patch(f"{path}/activate")).status_code == 503
    assert (await caller.get(path)).json()["isActive"] is False


async def test_a_sync_is_started_or_found(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    body = {"kind": "reconcile", "entities": ["orders"], "force": True}
    first = await caller.post(f"/api/stores/{store_id}/sync", json=body)
    assert first.status_code == 202
    assert first.json()["workflowId"] == f"sync/{store_id}/reconcile"
    [args] = hub.gateway.syncs
    assert (args.kind, args.entities, args.force) == (SyncKind.RECONCILE, ("orders",), True)
    assert first.json()["warning"] is None
    second = await caller.post(f"/api/stores/{store_id}/sync", json=body)
    assert second.json()["alreadyRunning"] is True
    assert "whatever this request says of force and entities. " in second.json()["warning"]
    plain = await caller.post(f"/api/stores/{store_id}/sync", json={"kind": "reconcile"})
    assert (plain.json()["alreadyRunning"], plain.json()["warning"]) == (True, None)


async def test_a_deleted_store_has_no_schedules_and_no_webhooks(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await put(caller, store_id, pull={"interval": 900})
    await hub.execute(
        caller.tenant,
        "insert into webhook_subscriptions (tenant_id, store_id, topic, external_id, status) "
        "values (:own, :store, 'order.created', '7', 'active')",
        own=caller.tenant.id,
        store=store_id,
    )
    assert (await caller.delete(f"/api/stores/{store_id}")).status_code == 204
    assert hub.gateway.unsubscribed == [store_id]
    assert hub.gateway.schedules == {}
    assert await hub.execute(caller.tenant, "select kind from store_schedules") == []


async def test_drift_is_listed_newest_first(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    for number, entity in enumerate(("orders", "products", "orders")):
        await hub.execute(
            caller.tenant,
            "insert into drift (tenant_id, store_id, entity, external_id, kind, repaired) "
            "values (:own, :store, :entity, :key, 'differs', true)",
            own=caller.tenant.id,
            store=store_id,
            entity=entity,
            key=str(number),
        )
    path = f"/api/stores/{store_id}/drift"
    first = (await caller.get(path, params={"limit": 2})).json()
    assert [one["externalId"] for one in first["data"]] == ["2", "1"]
    rest = (await caller.get(path, params={"cursor": first["nextCursor"]})).json()
    assert [one["externalId"] for one in rest["data"]] == ["0"]
    found = (await caller.get(path, params={"entity": "products"})).json()
    assert [one["externalId"] for one in found["data"]] == ["1"]
    later = (await caller.get(path, params={"since": "2999-01-01T00:00:00Z"})).json()
    assert later["data"] == []
    assert (await caller.get(path, params={"since": "2026-01-01T00:00:00"})).status_code == 422
