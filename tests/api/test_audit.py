"""The audit trail: who did what, for whom it is, and that nothing is forgotten."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from db.audit import COMMAND_LINE, Actor, ActorKind, record_audit
from sandbox.easyorder.installing import install
from tests.api.audited_routes import AUDITED, NOT_AUDITED, ON_RECORD
from tests.api.hub import KEY, SECRET, Caller, Hub, connect, store_body
from tests.api.runs import begin
from tests.api.test_alerts import WEBHOOK, alarm
from tests.api.test_conflicts import dispute
from tests.api.test_install_links import selling, started
from tests.api.webhook_shop import new_shop

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


async def entries(caller: Caller, **params: Any) -> list[dict[str, Any]]:
    answer = await caller.get("/api/audit", params={"limit": 500, **params})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


def test_every_route_that_changes_something_is_known() -> None:
    """A new route belongs into one of the two tables."""
    routes = {
        f"{method} {route.path}"
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in CHANGING.intersection(route.methods or ())
    }
    assert routes == AUDITED.keys() | NOT_AUDITED.keys()
    assert not AUDITED.keys() & NOT_AUDITED.keys()
    assert all(action in AUDITED[route] for route, action in ON_RECORD.items())


class Walk:
    """Calls routes in a row, and tells what each left in the trail."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._seen = 0
        self.walked: set[str] = set()

    async def step(
        self, route: str, body: Any = None, *, expect: Mapping[str, Any], **ids: Any
    ) -> None:
        """Args: expect: the details of each new entry, by action; None for whatever they are."""
        method, path = route.split()
        self._seen = await self._newest()
        sent = {} if body is None else {"json": body}
        path = path.replace("{workflow_id:path}", "{workflow_id}").format(**ids)
        answer = await self._caller.send(method, path, **sent)
        assert answer.status_code < 300, (route, answer.text)
        new = [one for one in await entries(self._caller) if one["id"] > self._seen]
        assert (route, sorted(one["action"] for one in new)) == (route, sorted(expect))
        assert (route, set(expect) <= set(AUDITED[route])) == (route, True)
        for one in new:
            assert one["actor"]["kind"] == "key"
            assert one["actor"]["name"] == "test"
            assert one["requestId"] == answer.headers["x-request-id"]
            assert one["address"] == "127.0.0.1"
            if expect[one["action"]] is not None:
                assert (route, one["details"]) == (route, expect[one["action"]])
        self.walked.add(route)

    async def _newest(self) -> int:
        answer = await self._caller.get("/api/audit", params={"limit": 1})
        return max((one["id"] for one in answer.json()["data"]), default=0)


STORE = "/api/stores/{store_id}"


async def test_what_is_done_to_a_store_is_written_down(hub: Hub, caller: Caller) -> None:
    walk = Walk(caller)
    named = {"code": "main", "provider": "testshop"}
    made = {"store.created": named, "import.started": None}
    await walk.step("POST /api/stores", store_body(sync=True), expect=made)
    (store,) = (await caller.get("/api/stores")).json()["data"]
    at = {"store_id": store["id"]}
    fields = ["name", "settings.conflictPolicy", "config.consumerKey"]
    changes = {"name": "Other", "config": {"consumerKey": KEY}}
    settings = {"settings": {"conflictPolicy": "local"}}
    updated = {"store.updated": {"fields": fields}}
    await walk.step(f"PATCH {STORE}", {**changes, **settings}, expect=updated, **at)
    await walk.step(f"PATCH {STORE}", {"name": "Other"}, expect={}, **at)
    renewed = {
        "store.updated": {"fields": ["config.webhookSecret"]},
        "webhook_secret.renewed": {},
    }
    await walk.step(f"PATCH {STORE}", {"config": {"webhookSecret": None}}, expect=renewed, **at)
    tested = {"store.connection_tested": {"connected": True}}
    await walk.step(f"POST {STORE}/test-connection", expect=tested, **at)
    await walk.step(f"PATCH {STORE}/deactivate", expect={"store.deactivated": {}}, **at)
    await walk.step(f"PATCH {STORE}/deactivate", expect={}, **at)
    caught_up = {"kind": "pull", "workflowId": f"sync/{store['id']}"}
    activated = {"store.activated": {}, "sync.started": caught_up}
    await walk.step(f"PATCH {STORE}/activate", expect=activated, **at)
    await walk.step(f"PATCH {STORE}/activate", expect={}, **at)
    retried = {"store.retried": {"pushes": 0, "webhookEvents": 0}}
    await walk.step(f"POST {STORE}/retry-failed-sync", expect=retried, **at)
    await walk.step(f"DELETE {STORE}", expect={"store.deleted": {}}, **at)
    told = await entries(caller)
    assert {one["subject"] for one in told} == {f"store/{store['id']}"}
    for secret in (KEY, SECRET, store["webhookCode"], "Other"):
        assert secret not in str(told)


async def test_runs_and_schedules_are_written_down(hub: Hub, caller: Caller) -> None:
    walk, store_id = Walk(caller), await connect(caller)
    at = {"store_id": store_id, "workflow_id": f"import/{store_id}"}
    import_started = {"import.started": {"workflowId": f"import/{store_id}"}}
    await walk.step(f"POST {STORE}/import", expect=import_started, **at)
    await walk.step(f"POST {STORE}/import", expect={}, **at)  # it runs already
    await begin(hub, caller, store_id)
    cancelled = {"sync.cancelled": {"workflowId": f"import/{store_id}"}}
    await walk.step("POST /api/syncs/{workflow_id:path}/cancel", expect=cancelled, **at)
    await walk.step(f"POST {STORE}/sync", {"kind": "pull"}, expect={"sync.started": None}, **at)
    times = {"pull": {"interval": "PT15M"}}
    updated = {"schedule.updated": {"kind": "pull"}}
    await walk.step(f"PUT {STORE}/schedule", times, expect=updated, **at)
    await walk.step(f"PUT {STORE}/schedule", times, expect={}, **at)
    triggered = {"schedule.triggered": {"kind": "pull"}}
    await walk.step(f"POST {STORE}/schedule/trigger", {"kind": "pull"}, expect=triggered, **at)
    for change, action in (("pause", "schedule.paused"), ("resume", "schedule.resumed")):
        await walk.step(f"POST {STORE}/schedule/{change}", expect={action: {}}, **at)
        await walk.step(f"POST {STORE}/schedule/{change}", expect={}, **at)
    deleted = {"schedule.deleted": {"kind": "pull"}}
    await walk.step(f"DELETE {STORE}/schedule", expect=deleted, **at)
    await walk.step(f"DELETE {STORE}/schedule", expect={}, **at)


async def test_decisions_of_people_are_written_down(hub: Hub, caller: Caller) -> None:
    shop = await new_shop(hub, caller)
    store_id, conflict = await dispute(hub, caller, shop.store_id)
    alert = await alarm(hub, caller, store_id)
    await shop.send()
    await hub.execute(caller.tenant, "update webhook_events set status = 'failed'")
    event = (await shop.events())[0]["id"]
    walk = Walk(caller)
    resolved = {"conflict.resolved": {"resolution": "local", "fields": ["tags", "title"]}}
    resolve = "POST /api/conflicts/{record_id}/resolve"
    for expect in (resolved, {}):
        await walk.step(resolve, {"resolution": "local"}, expect=expect, record_id=conflict)
    closed: dict[str, Any] = {"alert.resolved": {}}
    for expect in (closed, {}):
        await walk.step("POST /api/alerts/{record_id}/resolve", expect=expect, record_id=alert)
    channels = {"channels": [{"name": "On call", "config": WEBHOOK}]}
    updated = {"alert_channels.updated": {"names": ["On call"]}}
    await walk.step("PUT /api/alert-channels", channels, expect=updated)
    await walk.step(
        f"POST {STORE}/webhook-events/{{record_id}}/replay",
        expect={"webhook_event.replayed": {"storeId": store_id}},
        store_id=store_id,
        record_id=event,
    )
    assert WEBHOOK["secret"] not in str(await entries(caller))


async def test_a_store_that_a_shop_connects_is_written_down_as_that(
    hub: Hub, caller: Caller
) -> None:
    async with selling(hub) as box:
        await install(box, await started(caller, sync=True))
    made, stored, begun = reversed(await entries(caller))
    assert (made["action"], made["actor"]["kind"]) == ("install_link.created", "key")
    assert made["details"] == {"code": "eo", "provider": "easyorder"}
    assert (stored["action"], begun["action"]) == ("store.created", "import.started")
    assert stored["actor"] == {"kind": "shop", "id": None, "name": "easyorder"}


async def test_what_is_refused_or_undone_leaves_nothing(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    before = await entries(caller)
    hub.gateway.is_down = True
    refused = [
        await caller.patch(f"/api/stores/{store_id}", json={"config": {"consumerKey": KEY}}),
        await caller.post("/api/stores", json=store_body("other")),
        await caller.patch("/api/stores/4711", json={"name": "x"}),
    ]
    assert {one.status_code for one in refused} <= {404, 503}
    assert await entries(caller) == before


async def fill(hub: Hub, caller: Caller) -> None:
    actors = (
        Actor(ActorKind.KEY, 7, "till", "203.0.113.7", "request-1"),
        Actor(ActorKind.USER, 7, "ann@example.test"),
        COMMAND_LINE,
    )
    async with hub.database.tenant(caller.tenant.id) as connection:
        for number in range(6):
            action = ("store.created", "store.deleted", "key.created")[number % 3]
            await record_audit(
                connection, caller.tenant.id, actors[number % 3], action, f"x/{number}", n=number
            )


@pytest.mark.parametrize(
    ("params", "numbers"),
    [
        ({}, [5, 4, 3, 2, 1, 0]),
        ({"action": "store.created"}, [3, 0]),
        ({"action": "store"}, [4, 3, 1, 0]),
        ({"action": "stor"}, []),
        ({"action": "store_created"}, []),
        ({"actor": "key"}, [3, 0]),
        ({"actor": "key/7"}, [3, 0]),
        ({"actor": "user/7"}, [4, 1]),
        ({"actor": "user/8"}, []),
        ({"actor": "cli", "action": "key"}, [5, 2]),
        ({"since": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, []),
        ({"since": "2026-01-01T00:00:00+23:59"}, [5, 4, 3, 2, 1, 0]),
        ({"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}, [5, 4, 3, 2, 1, 0]),
    ],
)
async def test_the_trail_is_filtered(
    hub: Hub, caller: Caller, params: dict[str, str], numbers: list[int]
) -> None:
    await fill(hub, caller)
    assert [one["details"]["n"] for one in await entries(caller, **params)] == numbers


async def test_the_trail_is_paged_newest_first(hub: Hub, caller: Caller) -> None:
    await fill(hub, caller)
    whole = await entries(caller)
    seen: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 4}
    while True:
        page = (await caller.get("/api/audit", params=params)).json()
        seen += page["data"]
        if page["nextCursor"] is None:
            break
        params["cursor"] = page["nextCursor"]
    assert seen == whole
    assert len(seen) == 6
    assert whole[2] == {
        **whole[2],
        "actor": {"kind": "key", "id": 7, "name": "till"},
        "address": "203.0.113.7",
        "requestId": "request-1",
        "subject": "x/3",
    }


@pytest.mark.parametrize(
    "params",
    [
        {"action": "Store"},
        {"action": "a.b.c"},
        {"actor": "shopkeeper"},
        {"actor": "key/0"},
        {"actor": "key/9" + "9" * 25},
        {"since": "yesterday"},
        {"since": "2026-11-21T09:30:00"},
        {"since": "0001-01-01T00:00:00+23:59"},
        {"limit": 0},
    ],
)
async def test_wrong_filters_are_refused(caller: Caller, params: dict[str, Any]) -> None:
    assert (await caller.get("/api/audit", params=params)).status_code == 422


async def test_the_trail_is_for_who_may_read_it_and_for_its_tenant(
    hub: Hub, caller: Caller
) -> None:
    await fill(hub, caller)
    other = await hub.new_caller()
    assert await entries(other) == []
    clerk = await hub.new_caller(
        permissions=["keys:read", "keys:write", "stores:read"], tenant=caller.tenant
    )
    assert (await clerk.get("/api/audit")).status_code == 403
    reader = await hub.new_caller(permissions=["audit:read"], tenant=caller.tenant)
    assert await entries(reader) == await entries(caller)


@pytest.mark.parametrize("statement", ["delete from audit_log", "update audit_log set action = ''"])
async def test_the_application_cannot_change_the_trail(
    hub: Hub, caller: Caller, statement: str
) -> None:
    with pytest.raises(Exception, match="permission denied"):
        await hub.execute(caller.tenant, statement)
