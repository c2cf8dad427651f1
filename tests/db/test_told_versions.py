"""Numbers that come late: a store dates them, and an older one than the last is history."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import pytest

from db.apply import apply
from db.publishing import publish
from db.staging import Origin
from db.stock import (
    LevelTarget,
    apply_store_number,
    load_targets,
    prepare_levels,
    record_pushed_levels,
)
from domain.entities import Entity
from domain.pages import Page
from domain.pushing import Outcome, StockPushed
from tests.db.factories import at, product
from tests.db.room import Room
from tests.db.test_stock import accounts, levels, share, tell_dated

VERSION = "select told_version from store_levels where store_id = :store"
Answers = list[tuple[LevelTarget, StockPushed]]


@dataclass
class Shop:
    """A store with a clock that shows a number of one variant, and pushes to it step by step."""

    room: Room
    variant: int
    number: int = 10
    second: int = 0

    async def prepare(self, *, forced: bool = False) -> Sequence[LevelTarget]:
        async with self.room.database.tenant(self.room.tenant_id) as connection:
            targets = await prepare_levels(
                connection,
                self.room.store_id,
                {self.variant: Decimal(self.number)},
                versions={self.variant: at(self.second)},
                forced=[self.variant] if forced else (),
            )
            await publish(connection, self.room.tenant_id, (), store_id=self.room.store_id)
        return targets

    def write(self, targets: Sequence[LevelTarget]) -> Answers:
        """The store takes the number, and dates it."""
        [one] = targets
        before, self.number = Decimal(self.number), int(one.target.available)
        key = one.target.variant_external_id
        done = StockPushed(key, Outcome.DONE, before, Decimal(self.number), version=at(self.second))
        return [(one, done)]

    async def record(self, answers: Answers) -> frozenset[int]:
        async with self.room.database.tenant(self.room.tenant_id) as connection:
            again = await record_pushed_levels(connection, self.room.store_id, answers)
            await publish(connection, self.room.tenant_id, (), store_id=self.room.store_id)
        return again

    async def tell(
        self, number: int, *, counted: int | None = None, origin: Origin | None = None
    ) -> None:
        await tell_dated(self.room, origin or self.room.origin, {"1": number}, counted=counted)

    async def version(self) -> datetime | None:
        [(version,)] = await self.room.rows(VERSION, store=self.room.store_id)
        return version  # type: ignore[no-any-return]

    async def stands(self) -> tuple[list[tuple[int, int]], list[tuple[str, int, int]]]:
        return await levels(self.room), await accounts(self.room)


@pytest.fixture
async def shop(room: Room) -> Shop:
    await share(room)
    await room.take(Entity.PRODUCTS, product("1", stock={"1": 10}, counted=0))
    return Shop(room, await room.record_id("variants", "1"))


async def test_the_first_number_has_its_date(shop: Shop) -> None:
    assert await shop.version() == at(0)


async def test_a_number_that_comes_after_a_newer_one_is_history(shop: Shop) -> None:
    await shop.tell(8, counted=20)
    before = await shop.room.rows("select * from inventory_movements")
    await shop.tell(9, counted=10)
    assert await shop.stands() == ([(8, 0)], [("first", 8, -2)])
    assert await shop.room.rows("select * from inventory_movements") == before
    assert await shop.version() == at(20)


async def test_a_late_echo_of_an_older_push_is_no_sale(shop: Shop) -> None:
    """Two numbers are written to the store; the echo of the first comes after the second."""
    for shop.second, number in ((25, 9), (27, 10)):
        await shop.room.rows("update inventory_levels set on_hand = :n", n=number)
        await shop.room.rows(
            "insert into inventory_movements (tenant_id, variant_id, warehouse_id, kind, quantity,"
            " balance) select tenant_id, variant_id, warehouse_id, 'adjustment',"
            " :n - (select sum(quantity) from inventory_movements), :n from inventory_levels",
            n=number,
        )
        assert await shop.record(shop.write(await shop.prepare())) == frozenset()
    await shop.tell(9, counted=25)
    assert await shop.stands() == ([(10, 0)], [("first", 10, 0)])
    await shop.tell(10, counted=27)
    assert await shop.stands() == ([(10, 0)], [("first", 10, 0)])


async def test_a_number_that_is_no_news_leaves_its_date(shop: Shop) -> None:
    await shop.tell(10, counted=20)
    assert await shop.version() == at(20)
    await shop.tell(9, counted=10)
    assert await shop.stands() == ([(10, 0)], [("first", 10, 0)])


async def test_the_same_again_writes_nothing(shop: Shop) -> None:
    [row] = await shop.room.rows("select ctid::text, * from store_levels")
    await shop.tell(10, counted=0)
    await shop.tell(10)
    assert await shop.room.rows("select ctid::text, * from store_levels") == [row]


async def test_numbers_of_one_second_and_those_without_a_date_are_heard(shop: Shop) -> None:
    await shop.tell(8, counted=20)
    await shop.tell(7, counted=20)
    assert await shop.stands() == ([(7, 0)], [("first", 7, -3)])
    await shop.tell(6)
    assert await shop.stands() == ([(6, 0)], [("first", 6, -4)])
    assert await shop.version() == at(20)


async def test_a_number_that_has_a_date_for_the_first_time_is_heard(shop: Shop) -> None:
    await shop.room.rows("update store_levels set told_version = null")
    await shop.tell(9, counted=-5)
    assert (await shop.stands(), await shop.version()) == (
        ([(9, 0)], [("first", 9, -1)]),
        at(-5),
    )


async def test_what_is_read_right_now_counts_however_old(shop: Shop) -> None:
    """The store was restored from a backup: what it has now is older than what was heard."""
    await shop.tell(10, counted=20)
    shop.number, shop.second = 7, 5
    assert await shop.prepare() == []
    assert await shop.stands() == ([(7, 0)], [("first", 7, -3)])
    assert await shop.version() == at(5)
    async with shop.room.database.tenant(shop.room.tenant_id) as connection:
        await apply_store_number(connection, shop.room.store_id, shop.variant, Decimal(6), at(3))
        await publish(connection, shop.room.tenant_id, (), store_id=shop.room.store_id)
    assert await shop.version() == at(3)
    await shop.tell(5, counted=4)
    assert await shop.stands() == ([(5, 0)], [("first", 5, -5)])


async def test_what_is_pulled_by_force_counts_unless_something_was_heard_since(
    shop: Shop,
) -> None:
    await shop.tell(10, counted=20)
    [(now,)] = await shop.room.rows("select clock_timestamp()")
    forced = Origin(shop.room.tenant_id, shop.room.store_id, force=True, read_at=now)
    [(early,)] = await shop.room.rows("select updated_at from store_levels")
    await shop.tell(8, counted=5, origin=replace(forced, read_at=early))
    assert await shop.stands() == ([(10, 0)], [("first", 10, 0)])
    await shop.tell(8, counted=5, origin=forced)
    assert (await shop.stands(), await shop.version()) == (
        ([(8, 0)], [("first", 8, -2)]),
        at(5),
    )
    await shop.tell(7, counted=4, origin=replace(forced, read_at=None))
    assert (await shop.stands(), await shop.version()) == (
        ([(7, 0)], [("first", 7, -3)]),
        at(4),
    )


async def test_force_reaches_the_numbers_of_a_page(shop: Shop) -> None:
    await shop.tell(10, counted=20)
    old = Page(records=(product("1", stock={"1": 8}, counted=5),))
    for force, told in ((False, 10), (True, 8)):
        async with shop.room.database.tenant(shop.room.tenant_id) as connection:
            origin = Origin(shop.room.tenant_id, shop.room.store_id, force=force)
            await apply(connection, origin, Entity.PRODUCTS, old)
        assert (await levels(shop.room)) == [(told, 0)]


async def test_a_sale_that_is_heard_before_the_answer_to_a_write_stands(shop: Shop) -> None:
    shop.second = 20
    answers = shop.write(await shop.prepare(forced=True))
    await shop.tell(9, counted=21)
    assert await shop.record(answers) == frozenset()
    assert (await shop.stands(), await shop.version()) == (
        ([(9, 0)], [("first", 9, -1)]),
        at(21),
    )


async def test_a_refused_write_says_no_more_than_was_heard(shop: Shop) -> None:
    shop.second = 20
    [target] = await shop.prepare(forced=True)
    await shop.tell(9, counted=21)
    refusal = StockPushed(
        target.target.variant_external_id, Outcome.REFUSED, Decimal(10), version=at(20)
    )
    await shop.record([(target, refusal)])
    assert await shop.stands() == ([(9, 0)], [("first", 9, -1)])


@pytest.mark.parametrize("seed", range(6))
async def test_deliveries_that_are_late_doubled_and_in_any_order(shop: Shop, seed: int) -> None:
    """Once the newest number was heard, nothing that is older moves anything, and pushes between
    them write what is there."""
    chance = random.Random(seed)
    bodies = [(0, 10)]
    for second in range(1, 50, 2):
        if chance.random() < 0.6:
            shop.number, shop.second = max(0, shop.number + chance.randint(-2, 2)), second
            bodies.append((shop.second, shop.number))
        if chance.random() < 0.3 and (targets := await shop.prepare()):
            shop.second = second + 1
            await shop.record(shop.write(targets))
            bodies.append((shop.second, shop.number))
        for dated, number in chance.sample(bodies, min(2, len(bodies))):
            await shop.tell(number, counted=dated)
    await shop.tell(shop.number, counted=shop.second)
    expected = await shop.stands()
    for dated, number in chance.sample(bodies, len(bodies)):
        await shop.tell(number, counted=dated)
    assert await shop.stands() == expected
    assert expected[0] == [(shop.number, 0)]
    async with shop.room.database.tenant(shop.room.tenant_id) as connection:
        [target] = await load_targets(connection, shop.room.store_id, [shop.variant])
    assert target.agreed == target.target.available == shop.number
