from datetime import timedelta

import pytest

from domain.entities import Entity
from domain.errors import CredentialsError, RequestRejectedError, StoreUnreachableError
from domain.lanes import LaneKind
from domain.pushing import Outcome, Pushed
from tests.activities.push_room import NOW, PushRoom, manifest, off
from tests.db.factories import customer, order, product

PRODUCTS, CATEGORIES, CUSTOMERS = Entity.PRODUCTS, Entity.CATEGORIES, Entity.CUSTOMERS


def refused(key: str, *, permanent: bool) -> Pushed:
    return Pushed(key, Outcome.REFUSED, is_permanent=permanent, reason="the SKU is taken")


async def test_a_failing_item_of_a_batch_goes_down_the_ladder_alone(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"), product("2"), product("3"))
    key = await room.key_of("2")
    room.shop.says_no[key] = refused(key, permanent=False)
    await room.drain()
    assert room.titles() == ["Product 1", "Product 3"]
    columns = "status, attempts, next_attempt_at, last_error, creating_since"
    ladder = ("pending", 1, NOW + timedelta(seconds=300), "the SKU is taken", None)
    assert await room.rows(columns) == [ladder]
    assert await room.logs() == [("sync_products", "failed", 1)]
    assert await room.away.rows(
        "select sent, failed, created from sync_log_hours where direction = 'push'"
    ) == [(3, 1, 2)]
    assert room.lane.woken == []
    await room.drain(300)
    assert (await room.rows("attempts"))[0] == (2,)
    await room.drain(1200)
    assert await room.rows() == [("products", "failed", 3)]
    assert [row[2] for row in await room.logs()] == [1, 2, 3]
    assert room.lane.woken == [(LaneKind.ALERT, room.home.tenant_id)]
    alerts = await room.home.rows("select kind, event, store_id from alerts")
    assert alerts == [("row_failed", "sync.failed", room.away.store_id)]
    assert await room.drain(100_000) == 0


async def test_what_the_store_refuses_for_good_is_dead_at_once(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    key = await room.key_of("1")
    room.shop.says_no[key] = refused(key, permanent=True)
    await room.drain()
    assert await room.rows() == [("products", "failed", 1)]
    room.shop.says_no.clear()
    await room.come_in(PRODUCTS, product("1", version=1, title="Repaired"))
    await room.drain()
    assert (room.titles(), await room.rows()) == (["Repaired"], [])


async def test_what_the_store_cannot_do_is_unsupported_and_no_success(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    key = await room.key_of("1")
    room.shop.says_no[key] = Pushed(key, Outcome.UNSUPPORTED, reason="no bundles here")
    await room.drain()
    assert await room.rows("status, last_error") == [("unsupported", "no bundles here")]
    assert await room.logs() == [("sync_products", "failed", 1)]
    assert await room.home.rows("select from alerts") == []


async def test_an_entity_without_a_way_is_unsupported_without_a_request(room: PushRoom) -> None:
    room.opener.manifest = manifest(push_sizes={PRODUCTS: 10})
    await room.come_in(CUSTOMERS, customer("1"))
    await room.drain()
    assert await room.rows() == [("customers", "unsupported", 0)]
    assert room.shop.requests == []


async def test_what_the_settings_do_not_want_any_more_is_dropped(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    room.opener.settings = off("products")
    await room.drain()
    assert (await room.rows(), room.shop.requests) == ([], [])


async def test_keys_that_may_not_write_fail_the_lane_and_no_row(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    room.shop.trouble.append((CredentialsError("401"), False))
    with pytest.raises(CredentialsError):
        await room.drain()
    assert await room.rows() == [("products", "pending", 0)]


async def test_an_order_that_is_gone_cannot_be_told(room: PushRoom) -> None:
    await room.away.take(Entity.ORDERS, order("9"))
    await room.home.rows("update orders set status = 'cancelled'")
    await room.home.rows(
        "insert into pushes (tenant_id, store_id, entity, record_id)"
        " select tenant_id, store_id, 'orders', id from orders"
    )
    await room.drain()
    assert await room.rows() == [("orders", "unsupported", 0)]
    assert await room.away.rows("select deleted_at is null from links where entity = 'orders'") == [
        (False,)
    ]


async def test_a_batch_that_is_refused_whole_is_sent_one_by_one(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"), product("2"))
    room.shop.trouble += [
        (RequestRejectedError("bad request"), False),
        (RequestRejectedError("title too long"), False),
    ]
    await room.drain()
    assert room.titles() == ["Product 2"]
    assert await room.rows("status, last_error") == [("failed", "title too long")]


async def test_what_was_answered_one_by_one_is_kept_when_the_store_goes_away(
    room: PushRoom,
) -> None:
    await room.come_in(PRODUCTS, product("1"), product("2"))
    room.shop.trouble += [
        (RequestRejectedError("bad request"), False),
        (RequestRejectedError("title too long"), False),
        (StoreUnreachableError("gone"), False),
    ]
    await room.take(room.turn())
    assert await room.rows("status, last_error") == [
        ("failed", "title too long"),
        ("pending", None),
    ]


async def test_guests_are_no_customers_of_another_store(room: PushRoom) -> None:
    await room.come_in(CUSTOMERS, customer("guest:ann@example.test", is_guest=True))
    await room.drain()
    assert (room.shop.requests, await room.rows()) == ([], [])


async def test_prices_of_another_currency_are_not_sent(room: PushRoom) -> None:
    await room.home.rows(
        'update stores set facts = \'{"currency": "USD"}\' where id = :id', id=room.away.store_id
    )
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    [(status, error)] = await room.rows("status, last_error")
    assert (status, "EUR" in error, "USD" in error) == ("unsupported", True, True)
    assert room.shop.requests == []
