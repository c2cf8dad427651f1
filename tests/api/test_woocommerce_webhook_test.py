"""`POST /api/woocommerce-sync/webhook/test`: what an event would do, and doing it."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from activities.inbox import InboxTake
from activities.lanes import LaneRef
from activities.stores import StoreOpener
from api import webhook_trials
from db.keys import Permission
from domain.lanes import LaneKind
from providers._kit.protocols import HttpSession
from tests.activities.inbox_room import LADDER_S, HeldTurn
from tests.api.hub import Caller, Hub, connect

PATH = "/api/woocommerce-sync/webhook/test"
GOLDEN = Path("providers/woocommerce/golden/products_simple.wire.json")
EXAMPLE = {"id": 123, "name": "Test Product", "stock_quantity": 50}


def whole(**changes: Any) -> dict[str, Any]:
    """A product as the shop's REST API shows it."""
    row: dict[str, Any] = json.loads(GOLDEN.read_text())[0]
    return {**row, "id": 123, **changes}


@pytest.fixture
async def store_id(caller: Caller) -> int:
    return await connect(caller, provider="woocommerce")


async def ask(caller: Caller, event: str, data: Any, **more: Any) -> httpx.Response:
    headers = more.pop("headers", None)
    return await caller.post(PATH, json={"event": event, "data": data, **more}, headers=headers)


async def told(caller: Caller, event: str, data: Any, **more: Any) -> dict[str, Any]:
    answer = await ask(caller, event, data, **more)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def worker(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Works the inbox off when it is woken, as a worker does; how many events each time."""
    opener = StoreOpener(
        hub.database, hub.services.secrets, hub.services.registry, cast("HttpSession", None)
    )
    settled: list[int] = []
    take = InboxTake(hub.database, opener, hub.waker)
    wake = hub.waker.wake

    async def work(tenant_id: int, kind: LaneKind, key: int) -> None:
        await wake(tenant_id, kind, key)
        if kind is LaneKind.INBOX:
            ref = LaneRef(tenant_id=tenant_id, kind=kind, key=key)
            settled.append(await take(HeldTurn(ref, 1, datetime.now(UTC), LADDER_S)))

    monkeypatch.setattr(hub.waker, "wake", work)
    return settled


async def test_the_documents_example_is_a_hint_that_shows_what_it_names(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    answer = await told(caller, "product.updated", EXAMPLE)
    assert (answer["wouldDo"], answer["storeId"]) == ("reread", store_id)
    assert (answer["entity"], answer["externalId"], answer["recordId"]) == ("products", "123", None)
    assert answer["eventType"] == "product_updated"
    assert answer["diff"] == {
        "title": {"from": None, "to": "Test Product", "isHeld": False},
        "variants.123.available": {"from": None, "to": "50", "isHeld": False},
    }
    assert (answer["applied"], answer["eventId"]) == (False, None)
    assert await hub.execute(caller.tenant, "select count(*) from webhook_events") == [(0,)]
    assert hub.waker.woken == []


async def test_a_hint_is_compared_with_what_the_hub_has(
    hub: Hub, caller: Caller, store_id: int, worker: list[int]
) -> None:
    known = whole(manage_stock=True, stock_quantity=48, name="Old Product")
    await told(caller, "product.created", known, apply=True)
    answer = await told(caller, "product.updated", EXAMPLE)
    assert answer["diff"] == {
        "title": {"from": "Old Product", "to": "Test Product", "isHeld": False},
        "variants.123.available": {"from": "48", "to": "50", "isHeld": False},
    }
    assert answer["recordId"] is not None
    same = await told(caller, "product.updated", {"id": 123, "name": "Old Product"})
    assert (same["wouldDo"], same["diff"]) == ("reread", {})


async def test_a_whole_body_is_told_as_the_inbox_would_take_it(
    hub: Hub, caller: Caller, store_id: int, worker: list[int]
) -> None:
    new = await told(caller, "product.created", whole(name="Tea"))
    assert new["wouldDo"] == "created"
    assert new["diff"]["title"] == {"from": None, "to": "Tea", "isHeld": False}
    assert await hub.execute(caller.tenant, "select count(*) from products") == [(0,)]
    applied = await told(caller, "product.created", whole(name="Tea"), apply=True)
    assert (applied["wouldDo"], applied["status"], applied["outcome"]) == (
        "created",
        "processed",
        "applied",
    )
    assert worker == [1]
    assert await hub.execute(caller.tenant, "select title from products") == [("Tea",)]
    assert (await told(caller, "product.updated", whole(name="Tea")))["wouldDo"] == "unchanged"
    later = {"name": "Green tea", "date_modified_gmt": "2040-01-01T00:00:00"}
    update = await told(caller, "product.updated", whole(**later))
    assert (update["wouldDo"], update["recordId"] is not None) == ("updated", True)
    assert update["diff"] == {"title": {"from": "Tea", "to": "Green tea", "isHeld": False}}
    old = {"name": "Oolong", "date_modified_gmt": "2001-01-01T00:00:00"}
    stale = await told(caller, "product.updated", whole(**old))
    assert (stale["wouldDo"], stale["diff"]) == ("ignored", {})
    assert "older" in stale["reason"]
    other = await told(caller, "product.updated", whole(name="Other"))
    assert other["wouldDo"] == "reread"
    trashed = {"status": "trash", "date_modified_gmt": "2041-01-01T00:00:00"}
    gone = await told(caller, "product.updated", whole(**trashed))
    assert gone["wouldDo"] == "deleted"
    assert gone["diff"]["title"] == {"from": "Tea", "to": None, "isHeld": False}


@pytest.mark.parametrize(
    ("event", "data", "would_do", "reason"),
    [
        ("product.deleted", {"id": 123}, "reread", "deletion"),
        ("product.updated", {}, "ignored", "names no record"),
        ("order.updated", {"code": "rest_forbidden"}, "ignored", "rest_forbidden"),
        ("product.updated", whole(regular_price="cheap"), "rejected", "regular_price"),
    ],
)
async def test_what_means_nothing_or_too_little_is_said(
    caller: Caller, store_id: int, event: str, data: Any, would_do: str, reason: str
) -> None:
    answer = await told(caller, event, data)
    assert answer["wouldDo"] == would_do
    assert reason in answer["reason"]


async def test_an_applied_event_stands_in_the_stores_list(
    hub: Hub, caller: Caller, store_id: int, worker: list[int]
) -> None:
    answer = await told(caller, "product.created", whole(), apply=True)
    events = (await caller.get(f"/api/stores/{store_id}/webhook-events")).json()["data"]
    assert [(one["id"], one["topic"], one["outcome"]) for one in events] == [
        (answer["eventId"], "product.created", "applied")
    ]
    assert answer["statusUrl"] == f"/api/stores/{store_id}/webhook-events"
    assert await hub.execute(caller.tenant, "select route from webhook_events") == [("test",)]
    [(action, subject)] = await hub.execute(
        caller.tenant, "select action, subject from audit_log where action like 'webhook%'"
    )
    assert (action, subject) == ("webhook.tested", f"store/{store_id}")


async def test_who_waits_too_long_is_told_where_to_look(
    hub: Hub, caller: Caller, store_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_trials, "WAIT_S", 0.2)
    answer = await ask(caller, "product.updated", EXAMPLE, apply=True)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/stores/{store_id}/webhook-events"
    body = answer.json()
    assert (body["applied"], body["status"], body["outcome"]) == (True, "pending", None)
    assert hub.waker.woken == [(caller.tenant.id, LaneKind.INBOX, store_id)]


async def test_sent_again_with_its_key_it_is_applied_once(
    hub: Hub, caller: Caller, store_id: int, worker: list[int]
) -> None:
    key = {"Idempotency-Key": "once"}
    answers = [
        await ask(caller, "product.created", whole(), apply=True, headers=key) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert await hub.execute(caller.tenant, "select count(*) from webhook_events") == [(1,)]


async def test_an_unknown_topic_is_refused_with_those_there_are(
    caller: Caller, store_id: int
) -> None:
    for event in ("coupon.created", "product", "", "PRODUCT.UPDATED"):
        answer = await ask(caller, event, EXAMPLE)
        assert answer.status_code == 422
        assert "product.updated" in answer.json()["detail"]
        assert answer.json()["errors"][0]["pointer"] == "/event"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": "product.updated"},
        {"event": "product.updated", "data": []},
        {"event": "product.updated", "data": {}, "more": 1},
        {"event": "product.updated", "data": {}, "apply": "perhaps"},
    ],
)
async def test_a_wrong_body_is_422(caller: Caller, store_id: int, body: Any) -> None:
    assert (await caller.post(PATH, json=body)).status_code == 422


async def test_what_json_cannot_carry_is_refused(caller: Caller, store_id: int) -> None:
    for raw in (b"NaN", b'"\\ud800"'):
        content = b'{"event": "product.updated", "data": {"id": 1, "name": %s}}' % raw
        headers = {"content-type": "application/json"}
        answer = await caller.post(PATH, content=content, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/data")


async def test_too_large_a_body_is_413(
    hub: Hub, caller: Caller, store_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = hub.services.config.model_copy(update={"webhook_limit_bytes": 1_024})
    monkeypatch.setattr(type(hub.services), "config", small, raising=False)
    answer = await ask(caller, "product.updated", {"id": 1, "name": "x" * 2_000})
    assert answer.status_code == 413


async def test_applying_needs_the_right_to_write_records(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    syncs = await hub.new_caller(permissions=[Permission.SYNCS_WRITE], tenant=caller.tenant)
    reader = await hub.new_caller(permissions=[Permission.SYNCS_READ], tenant=caller.tenant)
    assert (await ask(reader, "product.updated", EXAMPLE)).status_code == 403
    assert (await ask(syncs, "product.updated", EXAMPLE)).status_code == 200
    refused = await ask(syncs, "product.updated", EXAMPLE, apply=True)
    assert refused.status_code == 403
    assert "records:write" in refused.json()["detail"]
    assert await hub.execute(caller.tenant, "select count(*) from webhook_events") == [(0,)]


async def test_personal_data_is_hidden_from_who_may_not_read_records(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    syncs = await hub.new_caller(permissions=[Permission.SYNCS_WRITE], tenant=caller.tenant)
    data = {"id": 5, "email": "ann@example.test", "billing": {"city": "Galle"}}
    seen = await told(syncs, "customer.updated", data)
    assert {path: one["to"] for path, one in seen["diff"].items()} == {
        "email": "***",
        "billing.city": "***",
    }
    open_ = await told(caller, "customer.updated", data)
    assert open_["diff"]["billing.city"]["to"] == "Galle"


async def test_it_is_about_one_store_of_ones_own(hub: Hub, caller: Caller, store_id: int) -> None:
    second = await connect(caller, "second", provider="woocommerce")
    stranger = await hub.new_caller()
    assert (await ask(caller, "product.updated", EXAMPLE)).status_code == 400
    named = await told(caller, "product.updated", EXAMPLE, storeId=second)
    assert named["storeId"] == second
    for one in (store_id, 999_999):
        answer = await ask(stranger, "product.updated", EXAMPLE, storeId=one)
        assert answer.status_code == 404


async def test_an_inactive_store_is_shown_and_not_applied_to(
    hub: Hub, caller: Caller, store_id: int
) -> None:
    await hub.execute(caller.tenant, "update stores set is_active = false")
    assert (await told(caller, "product.updated", EXAMPLE))["wouldDo"] == "reread"
    assert (await ask(caller, "product.updated", EXAMPLE, apply=True)).status_code == 409


async def test_looking_writes_nothing_while_others_write(
    hub: Hub, caller: Caller, store_id: int, worker: list[int]
) -> None:
    await told(caller, "product.created", whole(), apply=True)
    later = {"date_modified_gmt": "2040-01-01T00:00:00"}
    answers = await asyncio.gather(
        *(told(caller, "product.updated", whole(name=f"Tea {n}", **later)) for n in range(4))
    )
    assert {one["wouldDo"] for one in answers} == {"updated"}
    [(changes,)] = await hub.execute(
        caller.tenant, "select count(*) from changes where entity = 'products'"
    )
    assert changes == 1
