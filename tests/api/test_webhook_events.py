import pytest

from domain.lanes import LaneKind
from tests.api.hub import Caller, Hub
from tests.api.testshop_webhooks import TOPIC
from tests.api.webhook_shop import Shop, new_shop

PRIVATE = (
    b'{"id": 7, "order_key": "wc_order_secret", "total": "12.50",'
    b' "billing": {"first_name": "Nimal", "phone": ""},'
    b' "customer_ip_address": "203.0.113.7", "line_items": [{"name": "Tea", "sku": "TEA-1"}],'
    b' "meta_data": [{"key": "_billing_email", "value": "n@example.com"},'
    b' {"key": "_gift", "value": "yes"}]}'
)


@pytest.fixture
async def shop(hub: Hub, caller: Caller) -> Shop:
    return await new_shop(hub, caller)


async def mark(shop: Shop, external_id: str, status: str) -> int:
    """Set an event's status; its id."""
    found = await shop.hub.execute(
        shop.caller.tenant,
        "update webhook_events set status = :status, attempts = 5, error_message = 'bad',"
        " outcome = 'applied', processed_at = now()"
        " where external_id = :key returning id",
        status=status,
        key=external_id,
    )
    return int(found[0][0])


async def test_events_are_listed_newest_first_in_pages(shop: Shop) -> None:
    for number in range(5):
        await shop.send(b'{"id": %d}' % number)
    path = f"/api/stores/{shop.store_id}/webhook-events"
    first = (await shop.caller.get(path, params={"limit": 3})).json()
    second = (
        await shop.caller.get(path, params={"limit": 3, "cursor": first["nextCursor"]})
    ).json()
    ids = [one["externalId"] for one in first["data"] + second["data"]]
    assert ids == ["4", "3", "2", "1", "0"]
    assert second["nextCursor"] is None
    shown = first["data"][0]
    assert {**shown, "id": 0, "receivedAt": ""} == {
        "id": 0,
        "eventType": "order_created",
        "topic": "order.created",
        "entity": "orders",
        "externalId": "4",
        "status": "pending",
        "outcome": None,
        "attempts": 0,
        "nextAttemptAt": None,
        "errorMessage": None,
        "receivedAt": "",
        "processedAt": None,
        "payloadBytes": 9,
        "payload": None,
    }


async def test_events_are_filtered_by_status_type_and_time(shop: Shop) -> None:
    await shop.send(b'{"id": 1}')
    await shop.send(b'{"id": 2}', headers={TOPIC: "order.updated"})
    await mark(shop, "1", "failed")

    async def listed(**params: str) -> list[str]:
        return [one["externalId"] for one in await shop.events(**params)]

    assert await listed(status="failed") == ["1"]
    assert await listed(status="pending") == ["2"]
    assert await listed(status="processed") == []
    assert await listed(type="order_updated") == ["2"]
    moment = (await shop.events())[0]["receivedAt"]
    assert await listed(**{"from": moment}) == ["2"]
    assert await listed(to=moment) == ["1"]


@pytest.mark.parametrize(
    "params",
    [{"status": "done"}, {"type": "a\0b"}, {"from": "2026-01-01T00:00:00"}, {"limit": "0"}],
)
async def test_a_filter_that_means_nothing_is_refused(shop: Shop, params: dict[str, str]) -> None:
    path = f"/api/stores/{shop.store_id}/webhook-events"
    assert (await shop.caller.get(path, params=params)).status_code == 422


async def test_a_payload_shows_neither_secrets_nor_people_without_the_right(shop: Shop) -> None:
    await shop.send(PRIVATE)
    [full] = await shop.events(includePayload="true")
    narrow = await shop.hub.new_caller(permissions=["syncs:read"], tenant=shop.caller.tenant)
    path = f"/api/stores/{shop.store_id}/webhook-events"
    [masked] = (await narrow.get(path, params={"includePayload": "true"})).json()["data"]
    assert full["payload"] == {
        "id": 7,
        "order_key": "***",
        "total": "12.50",
        "billing": {"first_name": "Nimal", "phone": ""},
        "customer_ip_address": "203.0.113.7",
        "line_items": [{"name": "Tea", "sku": "TEA-1"}],
        "meta_data": [
            {"key": "_billing_email", "value": "n@example.com"},
            {"key": "_gift", "value": "yes"},
        ],
    }
    assert masked["payload"] == {
        "id": 7,
        "order_key": "***",
        "total": "12.50",
        "billing": {"first_name": "***", "phone": ""},
        "customer_ip_address": "***",
        "line_items": [{"name": "Tea", "sku": "TEA-1"}],
        "meta_data": [
            {"key": "_billing_email", "value": "***"},
            {"key": "_gift", "value": "yes"},
        ],
    }


async def test_a_payload_that_is_not_json_is_hidden_without_the_right(shop: Shop) -> None:
    await shop.send(b"name=Nimal")
    narrow = await shop.hub.new_caller(permissions=["syncs:read"], tenant=shop.caller.tenant)
    path = f"/api/stores/{shop.store_id}/webhook-events"
    [masked] = (await narrow.get(path, params={"includePayload": "true"})).json()["data"]
    [full] = await shop.events(includePayload="true")
    assert (masked["payload"], full["payload"]) == ("***", "name=Nimal")


@pytest.mark.parametrize("status", ["processed", "failed"])
async def test_an_event_that_is_done_is_put_back_and_its_lane_woken(
    shop: Shop, status: str
) -> None:
    await shop.send()
    event_id = await mark(shop, "7", status)
    await shop.woken()
    shop.hub.waker.woken.clear()
    path = f"/api/stores/{shop.store_id}/webhook-events/{event_id}/replay"
    answer = await shop.caller.post(path)
    assert (answer.status_code, answer.json()) == (
        202,
        {"id": event_id, "status": "pending", "woken": True},
    )
    [event] = await shop.events()
    assert (event["status"], event["attempts"], event["errorMessage"]) == ("pending", 0, None)
    assert event["outcome"] is None
    woken = (shop.caller.tenant.id, LaneKind.INBOX, shop.store_id)
    assert shop.hub.waker.woken == [woken]
    again = await shop.caller.post(path)
    assert (again.status_code, again.json()["type"]) == (409, "urn:entrepot:problem:conflict")


async def test_what_is_not_there_cannot_be_replayed(shop: Shop) -> None:
    path = f"/api/stores/{shop.store_id}/webhook-events/999999/replay"
    assert (await shop.caller.post(path)).status_code == 404


async def test_events_of_another_store_or_tenant_are_not_there(shop: Shop) -> None:
    await shop.send()
    event_id = await mark(shop, "7", "failed")
    second = await new_shop(shop.hub, shop.caller, "second")
    stranger = await shop.hub.new_caller()
    own = await new_shop(shop.hub, stranger)
    assert await second.events() == []
    for caller, store_id in (
        (shop.caller, second.store_id),
        (stranger, shop.store_id),
        (stranger, own.store_id),
    ):
        path = f"/api/stores/{store_id}/webhook-events/{event_id}/replay"
        assert (await caller.post(path)).status_code == 404
    for suffix in ("", "/counters"):
        path = f"/api/stores/{shop.store_id}/webhook-events{suffix}"
        assert (await stranger.get(path)).status_code == 404
    assert [one["status"] for one in await shop.events()] == ["failed"]


async def test_reading_and_replaying_want_their_permissions(shop: Shop) -> None:
    await shop.send()
    event_id = await mark(shop, "7", "failed")
    path = f"/api/stores/{shop.store_id}/webhook-events"
    reader = await shop.hub.new_caller(permissions=["syncs:read"], tenant=shop.caller.tenant)
    records = await shop.hub.new_caller(permissions=["records:read"], tenant=shop.caller.tenant)
    assert (await reader.get(path)).status_code == 200
    assert (await reader.post(f"{path}/{event_id}/replay")).status_code == 403
    assert (await records.get(path)).status_code == 403
