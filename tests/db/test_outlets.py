"""Stores that sell from a warehouse of their own."""

from decimal import Decimal

import pytest

from db.initial_push import enqueue_inventory
from domain.statuses import OrderStatus
from tests.db.room import Room
from tests.db.test_stock import owed, sold, take, tell
from tests.db.towns import LOCAL, SUM, Towns, set_up


@pytest.fixture
async def towns(room: Room) -> Towns:
    """See `set_up`."""
    return await set_up(room)


async def test_the_first_number_of_a_store_opens_the_level_of_its_warehouse(towns: Towns) -> None:
    assert await towns.levels() == [(10, 0), (4, 0)]
    assert (await towns.number(towns.first), await towns.number(towns.second)) == (10, 4)


async def test_a_store_that_shows_the_sum_is_corrected_by_it(towns: Towns) -> None:
    await towns.settings(towns.second, SUM, "CMB")
    assert await towns.number(towns.second) == 14
    assert await towns.push(towns.second, Decimal(4)) == 14
    assert await towns.levels() == [(10, 0), (4, 0)]


async def test_what_a_store_tells_moves_the_level_of_its_warehouse(towns: Towns) -> None:
    await tell(towns.second, b1=1)
    assert await towns.levels() == [(10, 0), (1, 0)]
    assert (await towns.number(towns.first), await towns.number(towns.second)) == (10, 1)


async def test_an_order_reserves_and_consumes_where_its_store_sells(towns: Towns) -> None:
    await take(towns.second, sold("o1", 3, "b1"))
    assert await towns.levels() == [(10, 0), (4, 3)]
    await tell(towns.second, b1=1)
    await take(towns.second, sold("o1", 3, "b1", status=OrderStatus.COMPLETED, version=1))
    assert await towns.levels() == [(10, 0), (1, 0)]
    assert await towns.number(towns.second) == 1


async def test_what_is_in_the_other_warehouse_is_not_sold_by_who_shows_its_own(
    towns: Towns,
) -> None:
    await take(towns.second, sold("o1", 6, "b1"))
    assert await towns.levels() == [(10, 0), (4, 0)]
    assert await towns.first.rows("select oversold from orders") == [(True,)]
    await towns.move((None, -5), (towns.colombo, 5))
    assert await towns.levels() == [(5, 0), (9, 6)]
    assert await towns.first.rows("select oversold from orders") == [(False,)]
    assert await towns.number(towns.second) == 3


async def test_who_shows_the_sum_sells_what_is_in_any_warehouse(towns: Towns) -> None:
    await towns.settings(towns.second, SUM, "CMB")
    await take(towns.second, sold("o1", 6, "b1"))
    assert await towns.levels() == [(10, 6), (4, 0)]
    assert await towns.first.rows("select oversold from orders") == [(False,)]


async def test_those_who_wait_elsewhere_do_not_hold_up_who_can_be_served(towns: Towns) -> None:
    """The older order waits for Colombo, where nothing comes; the newer one for anything."""
    await towns.settings(towns.first, SUM, None)
    await take(towns.second, sold("o1", 9, "b1"))
    await take(towns.first, sold("o2", 20))
    assert await towns.levels() == [(10, 0), (4, 0)]
    await towns.move((None, 8))
    flags = await towns.first.rows("select number, oversold from orders order by number")
    assert flags == [("o1", True), ("o2", False)]


async def test_a_transfer_is_told_to_both_stores(towns: Towns) -> None:
    await towns.move((None, -2), (towns.colombo, 2))
    assert sorted(await owed(towns.first)) == sorted([towns.first.store_id, towns.second.store_id])
    assert await towns.push(towns.first, Decimal(10)) == 8
    assert await towns.push(towns.second, Decimal(4)) == 6


async def test_a_sale_here_is_not_told_to_a_store_that_shows_another_warehouse(
    towns: Towns,
) -> None:
    await take(towns.first, sold("o1", 3))
    assert await towns.levels() == [(10, 3), (4, 0)]
    assert await towns.push(towns.second, Decimal(4)) == 4


async def test_what_is_held_stays_where_it_is_when_the_setting_changes(towns: Towns) -> None:
    await take(towns.second, sold("o1", 3, "b1"))
    await towns.settings(towns.second, LOCAL, None)
    assert await towns.levels() == [(10, 0), (4, 3)]
    assert await towns.number(towns.second) == 10
    await take(towns.second, sold("o2", 2, "b1"))
    assert await towns.levels() == [(10, 2), (4, 3)]
    shipped = sold("o1", 3, "b1", status=OrderStatus.COMPLETED, version=1)
    await take(towns.second, shipped)
    assert await towns.levels() == [(10, 2), (1, 0)]
    cancelled = sold("o2", 2, "b1", status=OrderStatus.CANCELLED, version=1)
    await take(towns.second, cancelled)
    assert await towns.levels() == [(10, 0), (1, 0)]


async def test_a_setting_that_changes_makes_all_stock_due(towns: Towns) -> None:
    async with towns.second.database.tenant(towns.second.tenant_id) as connection:
        for _ in range(2):
            await enqueue_inventory(connection, towns.second.tenant_id, towns.second.store_id)
    rows = await towns.second.rows("select store_id, entity, version from pushes")
    assert rows == [(towns.second.store_id, "inventory", 2)]


async def test_a_warehouse_without_the_variant_has_none_to_sell(towns: Towns) -> None:
    await towns.first.rows("delete from inventory_movements")
    await towns.first.rows(
        "delete from inventory_levels where warehouse_id = :id", id=towns.colombo
    )
    assert await towns.number(towns.second) == 0


async def test_a_code_nobody_has_is_the_default_warehouse(towns: Towns) -> None:
    await towns.settings(towns.second, LOCAL, "GONE")
    assert await towns.number(towns.second) == 10
