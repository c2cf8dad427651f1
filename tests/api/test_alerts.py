from typing import Any

import pytest

from db.alert_channels import channel_context, list_channels
from db.alerts import AlertKind, NewAlert, raise_alert
from domain.lanes import LaneKind
from tests.api.hub import Caller, Hub, connect

SECRET = "a-secret-of-16-or-more"
WEBHOOK = {"kind": "webhook", "url": "https://alerts.example/hook", "secret": SECRET}
SMTP = {
    "kind": "smtp",
    "host": "mail.example",
    "username": "hub",
    "password": "a-password",
    "sender": "hub@example.com",
    "recipients": ["ops@example.com"],
}


async def alarm(hub: Hub, caller: Caller, store_id: int, *, subject: str = "lane/push/1") -> int:
    alert = NewAlert(
        tenant_id=caller.tenant.id,
        kind=AlertKind.SYNC_FAILED,
        subject=subject,
        title="Main shop: sync stopped",
        message="The shop did not answer.",
        store_id=store_id,
        command=f"entrepot retry {store_id}",
    )
    async with hub.database.tenant(caller.tenant.id) as connection:
        raised = await raise_alert(connection, alert)
    assert raised is not None
    return raised


async def rows(hub: Hub, caller: Caller, statement: str) -> list[tuple[Any, ...]]:
    async with hub.database.tenant(caller.tenant.id) as connection:
        result = await connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


async def test_alerts_are_listed_newest_first_and_closed(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    ids = [await alarm(hub, caller, store_id, subject=f"s/{n}") for n in range(3)]
    first = (await caller.get("/api/alerts", params={"limit": 2})).json()
    assert [one["id"] for one in first["data"]] == ids[:0:-1]
    rest = (await caller.get("/api/alerts", params={"cursor": first["nextCursor"]})).json()
    assert [one["id"] for one in rest["data"]] == ids[:1]
    shown = (await caller.get(f"/api/alerts/{ids[0]}")).json()
    assert (shown["event"], shown["command"]) == ("sync.failed", f"entrepot retry {store_id}")
    closed = await caller.post(f"/api/alerts/{ids[0]}/resolve")
    assert (closed.status_code, closed.json()["status"]) == (200, "resolved")
    again = await caller.post(f"/api/alerts/{ids[0]}/resolve")
    assert again.json() == closed.json()
    still = (await caller.get("/api/alerts", params={"status": "open"})).json()["data"]
    assert [one["id"] for one in still] == ids[:0:-1]
    wanted = {"storeId": store_id, "kind": "oversold"}
    assert (await caller.get("/api/alerts", params=wanted)).json()["data"] == []


async def test_channels_are_replaced_and_their_secrets_only_written(
    hub: Hub, caller: Caller
) -> None:
    body = {
        "channels": [
            {"name": "Call", "config": WEBHOOK},
            {"name": "Mail", "isActive": False, "config": SMTP},
        ]
    }
    made = await caller.send("PUT", "/api/alert-channels", json=body)
    assert made.status_code == 200, made.text
    shown = (await caller.get("/api/alert-channels")).json()
    assert shown == made.json()
    assert SECRET not in made.text
    assert "a-password" not in made.text
    call, mail = shown["data"]
    assert call["config"] == {**WEBHOOK, "secret": "********"}
    assert (mail["config"]["port"], mail["config"]["security"]) == (587, "starttls")

    kept = {**call["config"], "url": "https://alerts.example/other"}
    changed = {"channels": [{"id": call["id"], "name": "Call", "config": kept}]}
    assert (await caller.send("PUT", "/api/alert-channels", json=changed)).status_code == 200
    async with hub.database.tenant(caller.tenant.id) as connection:
        [stored] = await list_channels(connection)
    plain = hub.services.secrets.open(stored.sealed, context=channel_context(stored.id))
    assert SECRET.encode() in plain
    assert b"/other" in plain
    [row] = await rows(hub, caller, "select encrypted_data from alert_channels")
    assert SECRET not in row[0]


async def test_a_kept_password_is_not_shown_to_another_server(caller: Caller) -> None:
    body: dict[str, Any] = {"channels": [{"name": "Mail", "config": SMTP}]}
    [mail] = (await caller.send("PUT", "/api/alert-channels", json=body)).json()["data"]
    moves = {"host": "thief.example"}, {"port": 25}, {"security": "none"}
    for moved in moves:
        config = {**mail["config"], **moved}
        body["channels"] = [{"id": mail["id"], "name": "Mail", "config": config}]
        answer = await caller.send("PUT", "/api/alert-channels", json=body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == "/channels/0/config/password"
        config["password"] = "entered-again"
        assert (await caller.send("PUT", "/api/alert-channels", json=body)).status_code == 200
        body["channels"] = [{"id": mail["id"], "name": "Mail", "config": SMTP}]
        assert (await caller.send("PUT", "/api/alert-channels", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("channel", "pointer"),
    [
        ({"kind": "pigeon"}, "/channels/0/config"),
        ({**WEBHOOK, "url": "ftp://x.example"}, "/channels/0/config/url"),
        ({**WEBHOOK, "url": "https://me:pw@x.example/"}, "/channels/0/config/url"),
        ({**WEBHOOK, "secret": "short"}, "/channels/0/config/secret"),
        ({**SMTP, "recipients": []}, "/channels/0/config/recipients"),
        ({**SMTP, "sender": "two@a.example\nBcc: x"}, "/channels/0/config/sender"),
        ({**SMTP, "extra": 1}, "/channels/0/config/extra"),
    ],
)
async def test_a_channel_that_cannot_work_is_refused_and_nothing_changes(
    caller: Caller, channel: dict[str, Any], pointer: str
) -> None:
    good = {"channels": [{"name": "Call", "config": WEBHOOK}]}
    before = (await caller.send("PUT", "/api/alert-channels", json=good)).json()
    body = {"channels": [{"name": "Bad", "config": channel}]}
    answer = await caller.send("PUT", "/api/alert-channels", json=body)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert SECRET not in answer.text
    assert (await caller.get("/api/alert-channels")).json() == before


async def test_a_name_that_cannot_be_kept_is_refused(caller: Caller) -> None:
    body = {"channels": [{"name": "a\0b", "config": WEBHOOK}]}
    answer = await caller.send("PUT", "/api/alert-channels", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/channels/0/name")


async def test_anothers_channel_cannot_be_taken_over(hub: Hub, caller: Caller) -> None:
    body: dict[str, Any] = {"channels": [{"name": "Call", "config": WEBHOOK}]}
    made = (await caller.send("PUT", "/api/alert-channels", json=body)).json()
    body["channels"][0]["id"] = made["data"][0]["id"]
    stranger = await hub.new_caller()
    answer = await stranger.send("PUT", "/api/alert-channels", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/channels/0/id")


async def test_what_failed_is_due_again_and_the_lanes_go_on(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await alarm(hub, caller, store_id)
    tenant = caller.tenant.id
    await rows(
        hub,
        caller,
        "insert into pushes (tenant_id, store_id, entity, record_id, status, attempts, last_error)"
        f" values ({tenant}, {store_id}, 'products', 1, 'failed', 5, 'no'),"
        f" ({tenant}, {store_id}, 'products', 2, 'failed', 5, 'no')",
    )
    await rows(
        hub,
        caller,
        "insert into webhook_events (tenant_id, store_id, event_type, topic, route, body, status)"
        f" values ({tenant}, {store_id}, 'order_created', 'order.created', 'generic', '',"
        " 'failed')",
    )
    await rows(
        hub,
        caller,
        "insert into lanes (tenant_id, kind, key, failures, paused_reason)"
        f" values ({tenant}, 'push', {store_id}, 5, 'the keys are wrong')",
    )
    await rows(
        hub,
        caller,
        "update stores set sync_retry_count = 5, last_sync_error = 'the keys are wrong'"
        f" where id = {store_id}",
    )
    found = await rows(hub, caller, "select id from pushes order by id")
    path = f"/api/stores/{store_id}/retry-failed-sync"
    one = (await caller.post(path, json={"pushIds": [found[0][0]]})).json()
    assert (one["pushes"], one["webhookEvents"], one["resumedLanes"]) == (1, 0, ["push"])
    shown = (await caller.get(f"/api/stores/{store_id}")).json()
    assert (shown["syncRetryCount"], shown["lastSyncError"]) == (0, None)
    everything = (await caller.post(path)).json()
    assert everything == {
        "pushes": 1,
        "webhookEvents": 1,
        "resumedLanes": [],
        "alertsResolved": 1,
        "importWorkflowId": None,
    }
    assert (await caller.post(path)).json()["pushes"] == 0
    states = await rows(hub, caller, "select status, attempts, last_error from pushes")
    assert states == [("pending", 0, None)] * 2
    assert (tenant, LaneKind.PUSH, store_id) in hub.waker.woken
    assert (tenant, LaneKind.INBOX, store_id) in hub.waker.woken


async def test_a_store_that_is_not_active_is_not_retried(hub: Hub, caller: Caller) -> None:
    store_id = await connect(caller)
    await rows(hub, caller, f"update stores set is_active = false where id = {store_id}")
    answer = await caller.post(f"/api/stores/{store_id}/retry-failed-sync")
    assert answer.status_code == 409
    assert "activate" in answer.json()["detail"]
