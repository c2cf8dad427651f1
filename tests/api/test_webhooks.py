import asyncio
import time

import pytest

from api.config import ApiConfig
from api.ingress_writer import EventWriter
from db.ingress import NewEvent, StoreKey
from domain.lanes import LaneKind
from tests.api.hub import Caller, Hub
from tests.api.testshop_webhooks import SENT_AT, SIGNATURE, TOPIC, sign
from tests.api.webhook_shop import BODY, SECRET, Shop, new_shop


@pytest.fixture
async def shop(hub: Hub, caller: Caller) -> Shop:
    return await new_shop(hub, caller)


async def test_a_signed_webhook_is_kept_before_it_is_answered(shop: Shop) -> None:
    answer = await shop.send()
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    rows = await shop.hub.execute(
        shop.caller.tenant,
        "select event_type, topic, entity, external_id, status, route, headers, body,"
        " tenant_id, store_id from webhook_events",
    )
    assert rows == [
        (
            *("order_created", "order.created", "orders", "7", "pending", "generic"),
            *({TOPIC: "order.created"}, BODY, shop.caller.tenant.id, shop.store_id),
        )
    ]


async def test_the_lane_is_woken_after_the_answer_and_not_while_it_is_awake(shop: Shop) -> None:
    await shop.send()
    assert await shop.woken() == [(shop.caller.tenant.id, LaneKind.INBOX, shop.store_id)]
    await shop.hub.execute(
        shop.caller.tenant,
        "insert into lanes (tenant_id, kind, key, awake) values (:owner, 'inbox', :store, true)",
        owner=shop.caller.tenant.id,
        store=shop.store_id,
    )
    for number in range(10):
        await shop.send(b'{"id": %d}' % number)
    await shop.counters()
    assert len(shop.hub.waker.woken) == 1


@pytest.mark.parametrize(
    ("method", "suffix", "route"),
    [
        ("POST", "", "generic"),
        ("POST", "/newOrder", "newOrder"),
        ("PUT", "/newOrder", "newOrder"),
        ("POST", "/orderStatus", "orderStatus"),
        ("PUT", "/orderStatus", "orderStatus"),
    ],
)
async def test_every_address_of_a_store_takes_webhooks(
    shop: Shop, method: str, suffix: str, route: str
) -> None:
    answer = await shop.send(path=shop.path + suffix, method=method)
    assert answer.status_code == 200
    kept = await shop.hub.execute(shop.caller.tenant, "select route from webhook_events")
    assert kept == [(route,)]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {SIGNATURE: "0" * 64}),
        (BODY, {SIGNATURE: ""}),
        (BODY, {SIGNATURE: sign(SECRET, BODY + b" ")}),
        (BODY, {SIGNATURE: sign("", BODY)}),
        (BODY, {SENT_AT: "1000000000"}),
        (b"ping", {SIGNATURE: "x"}),
    ],
    ids=["wrong", "empty", "of another body", "of no secret", "old", "signed ping"],
)
async def test_what_is_not_genuine_leaves_nothing_but_a_count(
    shop: Shop, body: bytes, headers: dict[str, str]
) -> None:
    answer = await shop.send(body, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert await shop.events() == []
    assert await shop.counters() == {"forged": 1}
    assert shop.hub.waker.woken == []


async def test_a_store_without_a_secret_takes_nothing(shop: Shop) -> None:
    sealed = shop.hub.services.secrets.seal(
        b'{"storeUrl": "https://shop.example", "consumerKey": "k", "consumerSecret": "s"}',
        context=f"store/{shop.store_id}",
    )
    await shop.hub.execute(
        shop.caller.tenant,
        "update stores set encrypted_data = :data, iv = :iv, tag = :tag where id = :store",
        data=sealed.encrypted_data,
        iv=sealed.iv,
        tag=sealed.tag,
        store=shop.store_id,
    )
    assert (await shop.send(secret="")).status_code == 401
    assert (await shop.send()).status_code == 401
    assert await shop.events() == []


async def test_a_new_secret_counts_at_once_and_the_old_one_no_more(shop: Shop) -> None:
    assert (await shop.send()).status_code == 200
    changed = await shop.caller.patch(
        f"/api/stores/{shop.store_id}", json={"config": {"webhookSecret": "whsec_another_one"}}
    )
    assert changed.status_code == 200, changed.text
    assert (await shop.send(secret="whsec_another_one")).status_code == 200
    assert (await shop.send()).status_code == 401
    assert len(await shop.events()) == 2


async def test_the_old_secret_is_not_believed_from_memory(shop: Shop) -> None:
    assert (await shop.send()).status_code == 200
    changed = await shop.caller.patch(
        f"/api/stores/{shop.store_id}", json={"config": {"webhookSecret": "whsec_another_one"}}
    )
    assert changed.status_code == 200, changed.text
    assert (await shop.send()).status_code == 401
    assert len(await shop.events()) == 1


async def test_the_unsigned_test_of_a_shop_is_answered_and_forgotten(shop: Shop) -> None:
    answer = await shop.hub.http.post(shop.path, content=b"ping")
    assert answer.status_code == 200
    assert await shop.events() == []
    assert await shop.counters() == {"ping": 1}


@pytest.mark.parametrize("code", ["no-such-code", "no%00code"])
async def test_an_unknown_code_is_answered_404_after_one_look_up(shop: Shop, code: str) -> None:
    answer = await shop.send(path=f"/api/stores/webhooks/{code}")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:entrepot:problem:not-found"
    assert await shop.events() == []


async def test_a_body_over_the_limit_is_refused_and_counted(shop: Shop) -> None:
    fits = b'{"id": "%s"}' % (b"7" * 30_000)
    assert (await shop.send(fits)).status_code == 200
    answer = await shop.send(b"x" * 40_001)
    assert answer.status_code == 413
    assert await shop.counters() == {"accepted": 1, "too_large": 1}
    assert len(await shop.events()) == 1


async def test_only_allowed_addresses_may_send(shop: Shop) -> None:
    await shop.set_settings('{"ipAllowList": ["203.0.113.0/24", "not an address"]}')
    blocked = await shop.send(headers={"X-Forwarded-For": "203.0.113.9"})
    assert (blocked.status_code, blocked.json()["status"]) == (403, 403)
    await shop.set_settings('{"ipAllowList": ["127.0.0.1"]}')
    assert (await shop.send()).status_code == 200
    assert await shop.counters() == {"accepted": 1, "blocked_ip": 1}


async def test_a_list_that_cannot_be_read_lets_nobody_in(shop: Shop) -> None:
    await shop.set_settings('{"ipAllowList": ["everybody"]}')
    assert (await shop.send()).status_code == 403


async def test_the_webhooks_of_an_inactive_store_are_kept_and_wait(shop: Shop) -> None:
    await shop.hub.execute(
        shop.caller.tenant,
        "update stores set is_active = false where id = :store",
        store=shop.store_id,
    )
    assert (await shop.send()).status_code == 200
    assert [one["status"] for one in await shop.events()] == ["pending"]
    assert shop.hub.waker.woken == []


async def test_a_deleted_store_has_no_address(shop: Shop) -> None:
    assert (await shop.send()).status_code == 200
    assert (await shop.caller.delete(f"/api/stores/{shop.store_id}")).status_code == 204
    assert (await shop.send()).status_code == 404
    kept = await shop.hub.execute(shop.caller.tenant, "select count(*) from webhook_events")
    assert kept == [(1,)]


async def test_many_at_once_are_all_kept_and_none_is_refused(shop: Shop) -> None:
    answers = await asyncio.gather(*(shop.send(b'{"id": %d}' % n) for n in range(300)))
    assert {answer.status_code for answer in answers} == {200}
    kept = await shop.hub.execute(
        shop.caller.tenant, "select count(*), count(distinct external_id) from webhook_events"
    )
    assert kept == [(300, 300)]
    assert await shop.counters() == {"accepted": 300}


async def test_the_answer_does_not_wait_for_a_waker_that_hangs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def hang(*_: object) -> None:
        await released.wait()

    monkeypatch.setattr(shop.hub.waker, "wake", hang)
    started = time.monotonic()
    for number in range(3):
        assert (await shop.send(b'{"id": %d}' % number)).status_code == 200
    assert time.monotonic() - started < 2
    assert len(await shop.events()) == 3
    released.set()


async def test_a_delivery_that_cannot_be_kept_costs_no_other(shop: Shop) -> None:
    bodies = [b'{"id": "\\u0000"}', b'{"id": "\\ud800"}', b'{"id": 1}', b"\xff\x00", b""]
    answers = await asyncio.gather(*(shop.send(body) for body in bodies))
    assert [answer.status_code for answer in answers] == [200] * 5
    kept = await shop.hub.execute(
        shop.caller.tenant, "select external_id, body from webhook_events order by external_id, id"
    )
    assert sorted((row[0] or "", row[1]) for row in kept) == sorted(
        [("", bodies[0]), ("", bodies[1]), ("1", bodies[2]), ("", bodies[3]), ("", bodies[4])]
    )


@pytest.fixture
def config(config: ApiConfig) -> ApiConfig:
    return config.model_copy(update={"webhook_limit_bytes": 40_000})


async def test_a_writer_that_ends_leaves_nothing_behind(hub: Hub, shop: Shop) -> None:
    """Each of many senders sends on as soon as it is answered, which is when a writer ends."""
    found = await hub.execute(
        shop.caller.tenant, "select iv from stores where id = :store", store=shop.store_id
    )
    event = NewEvent(
        *(shop.caller.tenant.id, shop.store_id, found[0][0], "order_created", "order.created"),
        *("orders", "1", "generic", {}, b"{}"),
    )
    rung: list[StoreKey] = []
    writer = EventWriter(hub.database, rung.extend, writers=1)

    async def send() -> int:
        return sum([await writer.keep(event) for _ in range(20)])

    async with asyncio.timeout(10):
        assert await asyncio.gather(*(send() for _ in range(3))) == [20, 20, 20]
    kept = await hub.execute(shop.caller.tenant, "select count(*) from webhook_events")
    assert kept == [(60,)]
    assert set(rung) == {(shop.caller.tenant.id, shop.store_id)}


async def test_events_found_genuine_with_other_credentials_are_not_kept(
    hub: Hub, shop: Shop
) -> None:
    event = NewEvent(
        *(shop.caller.tenant.id, shop.store_id, "00", "order_created", "order.created"),
        *("orders", "1", "generic", {}, b"{}"),
    )
    assert await EventWriter(hub.database, lambda _: None).keep(event) is False
    assert await shop.events() == []
