"""Looking on while what somebody asked for is sent, or is not; and stock that is asked for."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.demand_models import PushCounts
from activities.demand_pushes import DemandPushActivities, WatchDemandInput
from db import demanded_pushes
from db.demanded_pushes import PushProgress
from db.shown_stock import StockOutcome, load_shown_stock
from domain.entities import Entity
from domain.sync_settings import StoreSettings
from tests.activities.demand_desk import Desk
from tests.activities.push_room import EVERYTHING, PushRoom, off
from tests.activities.test_push_stock import StockShop
from tests.db.factories import product, variant

CUSTOMERS, PRODUCTS, INVENTORY = Entity.CUSTOMERS, Entity.PRODUCTS, Entity.INVENTORY


async def test_a_paused_lane_ends_the_watch_with_its_reason(desk: Desk) -> None:
    await desk.ask(CUSTOMERS, all_records=True)
    await desk.room.away.rows(
        "insert into lanes (tenant_id, kind, key, paused_reason)"
        " select tenant_id, 'push', id, 'keys are refused' from stores where id = :store"
    )
    counts = await desk.watch(CUSTOMERS)
    assert (counts.waiting, counts.paused) == (3, "keys are refused")


async def test_a_store_that_is_not_active_says_so(desk: Desk) -> None:
    await desk.ask(CUSTOMERS, all_records=True)
    await desk.room.away.rows("update stores set is_active = false where id = :store")
    assert "not active" in ((await desk.watch(CUSTOMERS)).paused or "")


async def test_a_store_that_is_away_is_waited_for_without_a_slot(desk: Desk) -> None:
    await desk.ask(CUSTOMERS, all_records=True)
    await desk.room.away.rows(
        "insert into lanes (tenant_id, kind, key, next_attempt_at)"
        " select tenant_id, 'push', id, now() + interval '1 minute' from stores where id = :store"
    )
    counts = await desk.watch(CUSTOMERS)
    assert (counts.waiting, counts.paused) == (3, None)
    assert 50 < counts.idle_s <= 60


async def test_a_watch_ends_when_the_last_is_sent(desk: Desk) -> None:
    await desk.ask(CUSTOMERS, all_records=True)
    watching = asyncio.create_task(
        ActivityEnvironment().run(
            DemandPushActivities(desk.room.home.database, desk.room.lane, watch_s=30).watch_demand,
            WatchDemandInput(**desk.ref(desk.runs[0]), entity=CUSTOMERS),
        )
    )
    await desk.room.drain()
    assert (await asyncio.wait_for(watching, 10)).sent == 3


async def test_what_takes_long_to_count_is_counted_less_often(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a million rows a look takes a second."""
    await desk.ask(CUSTOMERS, all_records=True)
    real, looks = demanded_pushes.count, 0

    async def slow(*args: Any) -> PushProgress:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0.1)
        return await real(*args)

    monkeypatch.setattr(demanded_pushes, "count", slow)
    activities = DemandPushActivities(desk.room.home.database, desk.room.lane, watch_s=1)
    args = WatchDemandInput(**desk.ref(desk.runs[0]), entity=CUSTOMERS)
    await ActivityEnvironment().run(activities.watch_demand, args)
    assert looks == 2


@pytest.fixture
async def stocked(room: PushRoom) -> Desk:
    """Two products with stock, of which the away store has the first; nothing is asked for."""
    shop = StockShop()
    room.shop, room.opener.shop = shop, shop
    await room.come_in(
        PRODUCTS, product("1", variant("1", sku="TEA", tracks_stock=True), stock={"1": 10})
    )
    await room.drain()
    room.opener.settings = off("inventory")
    await room.come_in(
        PRODUCTS, product("2", variant("2", sku="CUP", tracks_stock=True), stock={"2": 4})
    )
    desk = Desk(room)
    await desk.unasked()
    shop.writes.clear()
    return desk


def shelf(desk: Desk) -> dict[str, Decimal | None]:
    shop = desk.room.shop
    assert isinstance(shop, StockShop)
    return shop.shelf


async def test_products_named_for_inventory_mean_their_variants(stocked: Desk) -> None:
    [key] = shelf(stocked)
    await stocked.room.home.rows("update inventory_levels set on_hand = 7")
    ids = (await stocked.id_of("1", "products"), await stocked.id_of("2", "products"))
    counts = await stocked.ask(INVENTORY, record_ids=ids)
    assert counts == PushCounts(queued=1, waiting=1, skipped=1)
    await stocked.room.drain()
    assert shelf(stocked) == {key: 7}
    assert await stocked.watch(INVENTORY) == PushCounts(queued=1, sent=1, skipped=1)


async def test_inventory_changed_since_is_told_by_its_levels(stocked: Desk) -> None:
    since = datetime.now(UTC) + timedelta(hours=1)
    assert (await stocked.ask(INVENTORY, modified_since=since)).queued == 0
    since = datetime.now(UTC) - timedelta(hours=1)
    assert (await stocked.ask(INVENTORY, modified_since=since)).queued == 1


async def test_forced_the_number_is_written_though_it_is_shown(stocked: Desk) -> None:
    shop = stocked.room.shop
    assert isinstance(shop, StockShop)
    await stocked.ask(INVENTORY, all_records=True)
    await stocked.room.drain()
    assert shop.writes == []
    await stocked.ask(INVENTORY, all_records=True, force=True)
    await stocked.room.drain()
    assert [list(one.values()) for one in shop.writes] == [[10]]


async def test_a_variant_lost_meanwhile_is_failed_with_a_reason(stocked: Desk) -> None:
    await stocked.ask(INVENTORY, all_records=True)
    await stocked.room.away.rows(
        "update links set deleted_at = now() where store_id = :store and entity = 'variants'"
    )
    await stocked.room.drain()
    assert (await stocked.watch(INVENTORY)).failed == 1
    assert await stocked.room.rows("status") == [("unsupported",)]


async def test_a_limit_goes_on_to_what_the_store_does_not_show_yet(stocked: Desk) -> None:
    """The first by id would be the same ones each time."""
    room = stocked.room
    room.opener.settings = StoreSettings(sync_directions=EVERYTHING)
    await room.come_in(
        PRODUCTS,
        *(
            product(
                str(one), variant(str(one), sku=f"S{one}", tracks_stock=True), stock={str(one): 5}
            )
            for one in range(3, 7)
        ),
    )
    await room.drain()
    room.opener.settings = off("inventory")
    await room.home.rows("update inventory_levels set on_hand = 8")
    await stocked.unasked()
    sent = []
    for _ in range(4):
        sent.append((await stocked.ask(INVENTORY, all_records=True, limit=2)).queued)
        await room.drain()
    assert (sent, set(shelf(stocked).values())) == ([2, 2, 1, 0], {Decimal(8)})
    forced = await stocked.ask(INVENTORY, all_records=True, limit=2, force=True)
    assert forced.queued == 2


async def test_a_limit_does_not_wait_for_what_the_store_cannot_be_told(stocked: Desk) -> None:
    room = stocked.room
    await room.home.rows("delete from store_levels")
    assert (await stocked.ask(INVENTORY, all_records=True, limit=2)).queued == 1
    await room.home.rows("update pushes set status = 'unsupported'")
    assert (await stocked.ask(INVENTORY, all_records=True, limit=2)).queued == 0
    assert (await stocked.ask(INVENTORY, all_records=True)).queued == 1


async def test_stock_that_a_later_demand_took_over_is_not_told_as_done(stocked: Desk) -> None:
    product_id = await stocked.id_of("1", "products")
    await stocked.ask(INVENTORY, record_ids=(product_id,))
    await stocked.ask(INVENTORY, all_records=True)
    assert (await stocked.watch(INVENTORY, stocked.runs[0])).passed_on == 1
    away = stocked.room.away
    async with away.database.tenant(away.tenant_id) as connection:
        [told] = await load_shown_stock(
            connection, away.store_id, product_id, run_id=stocked.runs[0]
        )
    assert told.outcome is StockOutcome.WAITING
