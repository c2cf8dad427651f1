"""Levels that fall below what orders hold of them."""

import asyncio
from decimal import Decimal

import pytest

from db.movements import Movement, move_stock
from db.publishing import publish
from db.short_levels import take_back_overdue
from domain.entities import Entity
from domain.statuses import OrderStatus
from tests.db.factories import line, order, product
from tests.db.room import Room
from tests.db.test_stock import accounts, levels, owed, second_store, share, sold, take, tell
from tests.db.test_stock_push import Shop
from tests.db.towns import SUM, UNHELD, set_up

SENT, CANCELLED = OrderStatus.COMPLETED, OrderStatus.CANCELLED
_BLOCKED = (
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
)


@pytest.fixture
async def pair(room: Room) -> Room:
    """A store with two of one variant, both ways."""
    await share(room)
    await room.take(Entity.PRODUCTS, product("1", stock={"1": 2}))
    return room


async def lacking(room: Room) -> list[str]:
    """The numbers of the orders that lack something: those and no others have an open alert, and
    what is reserved is what orders hold."""
    assert await room.rows(UNHELD) == []
    flagged = await room.rows("select id, number from orders where oversold order by number")
    told = await room.rows("select subject from alerts where status = 'open'")
    assert sorted(told) == sorted((f"order/{key}",) for key, _ in flagged)
    return [number for _, number in flagged]


async def overdue(room: Room) -> frozenset[int]:
    """A day goes by."""
    await room.rows("update store_levels set told_at = told_at - interval '25 hours'")
    async with room.database.tenant(room.tenant_id) as connection:
        return await take_back_overdue(connection, room.tenant_id)


async def test_what_a_false_hope_gave_to_an_order_is_taken_back(pair: Room) -> None:
    """A number between two others makes one available for a moment, which a waiting order gets."""
    await pair.rows(
        "insert into alert_channels (tenant_id, kind, name, encrypted_data, iv, tag, key_id)"
        " select tenant_id, 'webhook', 'ops', '', '', '', '' from stores where id = :store"
    )
    await take(pair, *(sold(name) for name in ("o1", "o2", "o3")))
    await tell(pair, _1=-1)
    assert (await levels(pair), await lacking(pair)) == ([(2, 2)], ["o3"])
    await tell(pair, _1=0)
    assert (await levels(pair), await lacking(pair)) == ([(3, 3)], [])
    await pair.rows("delete from pushes")
    await tell(pair, _1=-1)
    assert (await levels(pair), await lacking(pair)) == ([(2, 2)], ["o3"])
    assert await owed(pair) == [pair.store_id]
    raised = await pair.rows("select title, message, details, event from alerts order by id")
    assert [raised[0]] * 2 == raised
    assert await pair.rows("select count(*), count(channel_id) from alert_messages") == [(4, 2)]
    shop = Shop(pair, await pair.record_id("variants", "1"), -1)
    assert await shop.push() == frozenset()
    assert (int(shop.number), await levels(pair)) == (0, [(2, 2)])
    await shop.receive(1)
    assert (await levels(pair), await lacking(pair)) == ([(3, 3)], [])


async def test_the_newest_lose_what_they_have_and_what_was_sent_stays_so(pair: Room) -> None:
    await tell(pair, _1=6)
    await pair.rows("update store_levels set unexplained = 0")
    await take(pair, sold("o1"), sold("o2", 3), sold("o3"), sold("o4", status=SENT))
    assert await levels(pair) == [(5, 5)]
    await tell(pair, _1=-3)
    assert (await levels(pair), await lacking(pair)) == ([(2, 5)], [])
    assert await overdue(pair) == {pair.store_id}
    assert (await levels(pair), await lacking(pair)) == ([(2, 2)], ["o2", "o3"])
    held = await pair.rows("select reserved, status from reservations order by order_id")
    assert held == [(1, "held"), (1, "held"), (0, "held"), (1, "consumed")]
    assert await overdue(pair) == frozenset()
    assert await lacking(pair) == ["o2", "o3"]


async def test_a_number_before_its_order_takes_nothing_from_those_before(pair: Room) -> None:
    other = await second_store(pair)
    await tell(other, b1=2)
    await take(pair, sold("o1"), sold("o2"))
    await tell(other, b1=1)
    assert (await levels(pair), await lacking(pair)) == ([(1, 2)], [])
    await take(other, sold("o3", of="b1"))
    assert (await levels(pair), await lacking(pair)) == ([(2, 2)], ["o3"])
    # Beyond what is still to come it does: one of two that are lacking.
    await tell(other, b1=0)
    await pair.rows("update store_levels set unexplained = 0")
    await tell(other, b1=-1)
    assert (await levels(pair), await lacking(pair)) == ([(0, 1)], ["o2", "o3"])


async def test_backorders_are_held_beyond_what_there_is(pair: Room) -> None:
    await pair.rows("update product_variants set allows_backorder = true")
    await take(pair, sold("o1", 2))
    await tell(pair, _1=-1)
    await overdue(pair)
    assert (await levels(pair), await lacking(pair)) == ([(1, 2)], [])


async def test_a_cancelled_order_whose_goods_another_got_leaves_that_one_waiting(
    pair: Room,
) -> None:
    """The shop puts back what was never there, by its number first, and the oldest gets it."""
    await take(pair, sold("o1", 2), sold("o2"), sold("o3"))
    await tell(pair, _1=-2)
    await tell(pair, _1=-1)
    assert (await levels(pair), await lacking(pair)) == ([(3, 3)], ["o3"])
    await take(pair, sold("o3", status=CANCELLED, version=1))
    assert (await levels(pair), await lacking(pair)) == ([(2, 2)], ["o2"])


async def test_who_sells_from_all_warehouses_lacks_only_what_no_warehouse_has(room: Room) -> None:
    towns = await set_up(room)
    await towns.settings(towns.first, SUM, None)
    await take(towns.second, sold("local", 3, "b1"))
    await take(towns.first, sold("sum", 11))
    assert (await towns.levels(), await lacking(room)) == ([(10, 11), (4, 3)], [])
    assert await room.rows("select * from alerts") == []
    await towns.move((None, 5))
    await tell(towns.second, b1=-1)
    await overdue(room)
    assert (await towns.levels(), await lacking(room)) == ([(15, 11), (2, 2)], ["local"])
    await tell(room, _1=-7)
    await overdue(room)
    assert (await towns.levels(), await lacking(room)) == ([(9, 9), (2, 2)], ["local", "sum"])


async def test_an_order_that_was_served_while_it_is_cancelled_holds_nothing(pair: Room) -> None:
    """It waits for another variant too, so that nobody else has to write the order itself."""
    await pair.take(Entity.PRODUCTS, product("2", stock={"2": 0}))
    both = (line("a", "1", quantity=Decimal(3)), line("b", "2"))
    await take(pair, order("o1", *both))
    receipt = Movement(await pair.record_id("variants", "1"), "receipt", Decimal(1))
    async with pair.database.tenant(pair.tenant_id) as connection:
        await move_stock(connection, pair.tenant_id, [receipt])
        cancelling = asyncio.create_task(
            take(pair, order("o1", *both, version=1, status=CANCELLED))
        )
        async with asyncio.timeout(5):
            while not await pair.rows(_BLOCKED):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await publish(connection, pair.tenant_id, ())
    await cancelling
    assert (await levels(pair), await lacking(pair)) == ([(3, 0), (0, 0)], [])
    assert [row[1] for row in await accounts(pair)] == [2, 0]
