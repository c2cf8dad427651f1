"""Numbers that are pushed to a store, and what the store does meanwhile."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from db.movements import Movement, move_stock
from db.publishing import publish
from db.stock import (
    LevelTarget,
    apply_store_number,
    load_targets,
    prepare_levels,
    record_pushed_levels,
)
from domain.entities import Entity
from domain.ledger import Account, Shelf, hear
from domain.pushing import Outcome, StockPushed
from tests.db.factories import product
from tests.db.room import Room
from tests.db.test_stock import accounts, levels, owed, share, sold, take, tell


class Shop:
    """A store's number of the one variant, and a connector that may be killed between steps."""

    def __init__(self, room: Room, variant_id: int, number: int) -> None:
        self.room, self.variant_id, self.number = room, variant_id, Decimal(number)

    async def prepare(self) -> Sequence[LevelTarget]:
        async with self.room.database.tenant(self.room.tenant_id) as connection:
            targets = await prepare_levels(
                connection, self.room.store_id, {self.variant_id: self.number}
            )
            await publish(connection, self.room.tenant_id, (), store_id=self.room.store_id)
        return targets

    def write(self, targets: Sequence[LevelTarget]) -> list[tuple[LevelTarget, StockPushed]]:
        answers: list[tuple[LevelTarget, StockPushed]] = []
        for one in targets:
            before, self.number = self.number, one.target.available
            key = one.target.variant_external_id
            answers.append((one, StockPushed(key, Outcome.DONE, before, self.number)))
        return answers

    async def record(self, answers: Sequence[tuple[LevelTarget, StockPushed]]) -> frozenset[int]:
        async with self.room.database.tenant(self.room.tenant_id) as connection:
            again = await record_pushed_levels(connection, self.room.store_id, answers)
            await publish(connection, self.room.tenant_id, (), store_id=self.room.store_id)
        return again

    async def push(self) -> frozenset[int]:
        return await self.record(self.write(await self.prepare()))

    async def receive(self, quantity: int) -> None:
        async with self.room.database.tenant(self.room.tenant_id) as connection:
            await move_stock(
                connection,
                self.room.tenant_id,
                [Movement(self.variant_id, "receipt", Decimal(quantity))],
            )
            await publish(connection, self.room.tenant_id, ())


@pytest.fixture
async def shop(room: Room) -> Shop:
    await share(room)
    await room.take(Entity.PRODUCTS, product("1", stock={"1": 10}))
    return Shop(room, await room.record_id("variants", "1"), 10)


async def test_a_receipt_is_pushed_once(shop: Shop) -> None:
    await shop.receive(5)
    assert await owed(shop.room) == [shop.room.store_id]
    assert await shop.push() == frozenset()
    assert (int(shop.number), await levels(shop.room)) == (15, [(15, 0)])
    assert await accounts(shop.room) == [("first", 15, 0)]
    assert await shop.prepare() == []


async def test_a_target_names_the_store_ids(shop: Shop) -> None:
    async with shop.room.database.tenant(shop.room.tenant_id) as connection:
        (target,) = await load_targets(connection, shop.room.store_id, [shop.variant_id, 999_999])
    assert (target.target.variant_external_id, target.target.product_external_id) == ("1", "1")
    assert (target.target.available, target.agreed) == (Decimal(10), Decimal(10))


async def test_the_echo_of_a_push_that_was_not_recorded_is_no_movement(shop: Shop) -> None:
    await shop.receive(5)
    answers = shop.write(await shop.prepare())
    await tell(shop.room, _1=15)
    assert (await levels(shop.room), await accounts(shop.room)) == ([(15, 0)], [("first", 15, 0)])
    assert await shop.record(answers) == frozenset()
    assert await levels(shop.room) == [(15, 0)]


async def test_a_push_that_was_killed_is_found_done(shop: Shop) -> None:
    await shop.receive(5)
    shop.write(await shop.prepare())
    assert await shop.prepare() == []
    assert (await levels(shop.room), await accounts(shop.room)) == ([(15, 0)], [("first", 15, 0)])


async def test_a_sale_before_the_write_is_counted(shop: Shop) -> None:
    await shop.receive(5)
    shop.number -= 2
    assert await shop.push() == frozenset()
    assert (int(shop.number), await levels(shop.room)) == (13, [(13, 0)])
    await take(shop.room, sold("o1", 2))
    assert await levels(shop.room) == [(15, 2)]
    assert await accounts(shop.room) == [("first", 13, 0)]


async def test_a_sale_between_the_reading_and_the_write_is_put_right(shop: Shop) -> None:
    await shop.receive(5)
    targets = await shop.prepare()
    shop.number -= 2
    assert await shop.record(shop.write(targets)) == frozenset({shop.variant_id})
    assert await shop.push() == frozenset()
    assert (int(shop.number), await levels(shop.room)) == (13, [(13, 0)])


async def test_a_sale_after_the_write_is_counted(shop: Shop) -> None:
    await shop.receive(5)
    ((target, answer),) = shop.write(await shop.prepare())
    shop.number -= 1
    sold_on = StockPushed("1", Outcome.DONE, answer.before, shop.number)
    assert await shop.record([(target, sold_on)]) == frozenset()
    assert (await levels(shop.room), await accounts(shop.room)) == ([(14, 0)], [("first", 14, -1)])


async def test_an_order_that_comes_during_a_push_is_pushed_again(shop: Shop) -> None:
    await shop.receive(5)
    targets = await shop.prepare()
    shop.number -= 1
    await take(shop.room, sold("o1"))
    answers = shop.write(targets)
    assert await shop.record(answers) == frozenset({shop.variant_id})
    assert await shop.push() == frozenset()
    assert (int(shop.number), await levels(shop.room)) == (14, [(15, 1)])


async def test_a_number_the_store_refuses_is_not_remembered(shop: Shop) -> None:
    await shop.receive(5)
    (target,) = await shop.prepare()
    refused = StockPushed("1", Outcome.REFUSED, before=Decimal(10), reason="no")
    assert await shop.record([(target, refused)]) == frozenset()
    assert await accounts(shop.room) == [("first", 10, 0)]
    pushing = await shop.room.rows("select pushing from store_levels")
    assert pushing == [(None,)]


async def test_a_number_that_was_read_is_taken_in(shop: Shop) -> None:
    async with shop.room.database.tenant(shop.room.tenant_id) as connection:
        await apply_store_number(connection, shop.room.store_id, shop.variant_id, Decimal(7))
        await publish(connection, shop.room.tenant_id, (), store_id=shop.room.store_id)
    assert (await levels(shop.room), await accounts(shop.room)) == ([(7, 0)], [("first", 7, -3)])


async def test_pages_of_numbers_are_heard_as_the_ledger_says(shop: Shop) -> None:
    """`db.write_levels` says of numbers in SQL what `domain.ledger.hear` says."""
    shelf, account, chance = Shelf(Decimal(10)), Account(Decimal(10)), random.Random(7)
    heard: list[tuple[Decimal, Decimal]] = []
    for _ in range(40):
        if chance.random() < 0.4:
            account.pushing = Decimal(chance.randrange(20))
            await shop.room.rows("update store_levels set pushing = :n", n=account.pushing)
        number = chance.choice([chance.randrange(20), int(account.pushing or 3)])
        hear(shelf, account, Decimal(number), datetime.now(UTC))
        await tell(shop.room, _1=number)
        ((on_hand, agreed, unexplained, pushing),) = await shop.room.rows(
            "select i.on_hand, b.agreed, b.unexplained, b.pushing from store_levels b"
            " join inventory_levels i on i.variant_id = b.variant_id"
        )
        told = (shelf.on_hand, account.agreed, account.unexplained, account.pushing)
        assert (on_hand, agreed, unexplained, pushing) == told
        heard.append(told[:2])
    assert len(set(heard)) > 10
    assert await levels(shop.room) == [(int(shelf.on_hand), 0)]


async def test_the_same_number_told_at_once_counts_once(shop: Shop) -> None:
    await asyncio.gather(*(tell(shop.room, _1=4) for _ in range(6)))
    assert (await levels(shop.room), await accounts(shop.room)) == ([(4, 0)], [("first", 4, -6)])
