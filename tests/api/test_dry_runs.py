"""Dry runs over the API: starting them, and reading what they found."""

import re
from typing import Any

import pytest

from activities.models import PullMode
from db.run_diffs import following
from domain.differences import MARK, Difference, between, capped, values_of
from domain.entities import Entity
from domain.records import Address, Customer
from tests.api.hub import Caller, Hub, connect
from tests.api.runs import begin, begin_dry, end

CUSTOMER = Difference(
    "pull",
    "customers",
    "7",
    "updated",
    "7",
    3,
    {
        "first_name": {"from": "Ann", "to": "Anne"},
        "billing": {"from": {"city": "Galle"}, "to": {"city": "Kandy"}},
        "is_paying": {"from": False, "to": True},
    },
)
TITLE = {"title": {"from": "Tea", "to": "Green tea", "isHeld": True}}
FOUND = (
    Difference("pull", "products", "1", "created", "1", None, {"title": {"from": None, "to": "A"}}),
    Difference("pull", "products", "2", "conflict", "2", 9, TITLE),
    Difference(
        "pull", "products", "#3", "rejected", None, None, {"reason": {"from": None, "to": "no id"}}
    ),
    Difference("push", "products", "9", "update", "2", 9, {"sku": {"from": "X", "to": "Y"}}),
    CUSTOMER,
    following(Entity.PRODUCTS, "1", 4),
)


async def test_a_dry_import_is_a_demand_of_everything_that_does_nothing(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    answer = await caller.post(f"/api/stores/{store_id}/import", json={"dryRun": True})
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert answer.headers["location"] == body["statusUrl"] == f"/api/syncs/{body['workflowId']}"
    assert (body["storeId"], body["alreadyRunning"]) == (store_id, False)
    assert hub.gateway.imports == []
    [demand] = hub.gateway.demands
    assert demand.is_dry is True
    assert demand.pushes == ()
    known = hub.services.registry.get("testshop").manifest.entities
    assert {one.entity for one in demand.pulls} == set(known)
    assert all(one.mode is PullMode.IMPORT and not one.force for one in demand.pulls)
    again = await caller.post(f"/api/stores/{store_id}/import", json={"dryRun": True})
    assert again.json()["alreadyRunning"] is True
    real = await caller.post(f"/api/stores/{store_id}/import", json={"dryRun": False})
    assert (real.status_code, len(hub.gateway.imports)) == (202, 1)


async def test_a_dry_sync_pulls_what_was_asked_for(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    body = {"entities": ["products"], "force": True, "dryRun": True}
    assert (await caller.post(f"/api/stores/{store_id}/sync", json=body)).status_code == 202
    [demand] = hub.gateway.demands
    assert [(one.entity, one.force, one.mode) for one in demand.pulls] == [
        (Entity.PRODUCTS, True, None)
    ]
    assert demand.is_dry is True
    reconcile = {"kind": "reconcile", "dryRun": True}
    assert (await caller.post(f"/api/stores/{store_id}/sync", json=reconcile)).status_code == 202
    assert {one.mode for one in hub.gateway.demands[1].pulls} == {PullMode.RECONCILE}
    assert hub.gateway.syncs == []


async def test_a_stock_sweep_has_no_dry_run(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    body = {"kind": "stockSweep", "dryRun": True}
    answer = await caller.post(f"/api/stores/{store_id}/sync", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/dryRun")
    assert hub.gateway.demands == []


@pytest.mark.parametrize("route", ["import", "sync"])
async def test_an_inactive_store_has_no_dry_run(hub: Hub, caller: Caller, route: str) -> None:
    store_id = await connect(caller)
    await hub.execute(caller.tenant, "update stores set is_active = false")
    answer = await caller.post(f"/api/stores/{store_id}/{route}", json={"dryRun": True})
    assert (answer.status_code, hub.gateway.demands) == (409, [])


async def test_what_was_found_is_told_page_by_page(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    path = f"/api/syncs/{await begin_dry(hub, caller, store_id, *FOUND)}/diff"
    first = (await caller.get(path, params={"limit": 3})).json()
    assert first["status"] == "in_progress"
    assert first["pushesToFollow"] == 4
    assert {"way": "pull", "entity": "products", "action": "created", "count": 1} in first["counts"]
    assert sum(one["count"] for one in first["counts"]) == 5
    created, conflict, rejected = first["data"]
    assert created == {
        "way": "pull",
        "entity": "products",
        "action": "created",
        "externalId": "1",
        "recordId": None,
        "reason": None,
        "fields": {"title": {"from": None, "to": "A", "isHeld": False}},
    }
    assert conflict["fields"] == TITLE
    assert (rejected["reason"], rejected["fields"]) == ("no id", {})
    rest = (await caller.get(path, params={"cursor": first["nextCursor"]})).json()
    assert [one["way"] for one in rest["data"]] == ["push", "pull"]
    assert (rest["counts"], rest["pushesToFollow"], rest["nextCursor"]) == (None, None, None)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"entity": "customers"}, ["7"]),
        ({"action": "rejected"}, [None]),
        ({"entity": "products", "action": "update"}, ["2"]),
        ({"entity": "orders"}, []),
    ],
)
async def test_it_is_filtered(
    hub: Hub, caller: Caller, wanted: dict[str, str], ids: list[Any]
) -> None:
    path = f"/api/syncs/{await begin_dry(hub, caller, await connect(caller), *FOUND)}/diff"
    found = (await caller.get(path, params=wanted)).json()["data"]
    assert [one["externalId"] for one in found] == ids
    assert (await caller.get(path, params={"entity": "x"})).status_code == 422


async def test_personal_data_is_hidden_from_who_may_not_read_records(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    workflow_id = await begin_dry(hub, caller, store_id, *FOUND)
    reader = await hub.new_caller(permissions=["syncs:read"], tenant=caller.tenant)
    wanted = {"entity": "customers"}
    [row] = (await reader.get(f"/api/syncs/{workflow_id}/diff", params=wanted)).json()["data"]
    assert row["fields"] == {
        "first_name": {"from": "***", "to": "***", "isHeld": False},
        "billing": {"from": {"city": "***"}, "to": {"city": "***"}, "isHeld": False},
        "is_paying": {"from": False, "to": True, "isHeld": False},
    }


async def test_nothing_personal_or_secret_is_seen_in_what_is_cut(hub: Hub, caller: Caller) -> None:
    filler = [{"key": f"note_{n}", "value": "x" * 40} for n in range(60)]
    meta = [
        {"key": "_billing_phone", "value": "seen-phone", "display_value": "seen-display"},
        {"key": "_gateway_token", "value": "seen-token", "display_value": "seen-token"},
        {"key": "field_9", "value": "seen-field", "display_key": "Phone"},
        *filler,
    ]
    person = Customer(
        email="seen-email",
        shipping=Address(city="seen-city"),
        extra={"meta_data": meta, "profile": {"mobile": "seen-mobile", "rows": filler}},
    )
    fields = capped(between({}, values_of(person)))
    told = Difference("pull", "customers", "7", "created", "7", None, fields)
    path = f"/api/syncs/{await begin_dry(hub, caller, await connect(caller), told)}/diff"
    reader = await hub.new_caller(permissions=["syncs:read"], tenant=caller.tenant)
    hidden, open_ = (await reader.get(path)).text, (await caller.get(path)).text
    assert re.findall("seen-[a-z]+", hidden) == []
    assert set(re.findall("seen-[a-z]+", open_)) == {
        *("seen-email", "seen-city", "seen-phone", "seen-display", "seen-field", "seen-mobile")
    }
    assert MARK in hidden


async def test_a_run_that_was_not_dry_is_409_and_what_is_unknown_404(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    await end(hub, caller, store_id, await begin(hub, caller, store_id))
    answer = await caller.get(f"/api/syncs/import/{store_id}/diff")
    assert answer.status_code == 409
    assert "dryRun" in answer.json()["detail"]
    workflow_id = await begin_dry(hub, caller, store_id, *FOUND)
    stranger = await hub.new_caller()
    unknown = ("demand/999/0123456789abcdef", "nonsense", f"demand/{store_id}/%00", "demand/x/y")
    for one in unknown:
        assert (await caller.get(f"/api/syncs/{one}/diff")).status_code == 404
    assert (await stranger.get(f"/api/syncs/{workflow_id}/diff")).status_code == 404


async def test_what_is_gone_after_a_day_says_how_to_see_it_anew(hub: Hub, caller: Caller) -> None:
    path = f"/api/syncs/{await begin_dry(hub, caller, await connect(caller))}/diff"
    assert (await caller.get(path)).json()["data"] == []
    await hub.execute(
        caller.tenant, "update sync_runs set started_at = started_at - interval '25 hours'"
    )
    answer = await caller.get(path)
    assert answer.status_code == 404
    assert "dryRun" in answer.json()["detail"]


async def test_what_is_asked_again_does_not_show_what_was_found_before(
    hub: Hub, caller: Caller
) -> None:
    workflow_id = await begin_dry(hub, caller, await connect(caller), *FOUND)
    await hub.execute(caller.tenant, "update sync_runs set status = 'success'")
    path = f"/api/syncs/{workflow_id}/diff"
    assert len((await caller.get(path)).json()["data"]) == 5
    hub.gateway.running[workflow_id] = "a later run"
    shown = (await caller.get(path)).json()
    assert (shown["status"], shown["startedAt"], shown["data"]) == ("pending", None, [])


async def test_a_run_of_no_printable_name_is_unknown(caller: Caller) -> None:
    store_id = await connect(caller)
    for path in ("", "/diff"):
        assert (await caller.get(f"/api/syncs/demand/{store_id}/%00{path}")).status_code == 404
