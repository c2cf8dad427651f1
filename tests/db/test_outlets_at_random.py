"""Two stores at work on the same variant, in whatever order things happen."""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from domain.statuses import OrderStatus
from domain.sync_settings import StockSource
from tests.db.room import Room
from tests.db.test_short_levels import lacking, overdue
from tests.db.test_stock import sold, take, tell
from tests.db.towns import LOCAL, SUM, Towns, set_up

LACKING = (
    "select distinct o.number from orders o join reservations r on r.order_id = o.id"
    " where r.reserved < r.quantity and r.status in ('held', 'consumed') order by 1"
)


@pytest.fixture
async def towns(room: Room) -> Towns:
    """See `set_up`."""
    return await set_up(room)


@dataclass
class Fair:
    """Both shops at work, at random, and what they show.

    Attributes:
        beyond: whether the shops sell beyond their stock, and somebody takes out of them.
        unsent: what came in by hand since a shop was told last.
    """

    towns: Towns
    chance: random.Random
    shown: dict[int, Decimal]
    beyond: bool = False
    unsent: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    orders: defaultdict[int, list[tuple[str, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    step: int = 0

    async def go_on(self) -> None:
        """One thing happens in one of the shops, or in a warehouse."""
        self.step += 1
        room = self.chance.choice((self.towns.first, self.towns.second))
        deed = self.chance.choice((self.sell, self.sell, self.end, self.count, self.push))
        if self.chance.random() < 0.15:
            await self.receive()
        else:
            await deed(room)

    async def sell(self, room: Room) -> None:
        quantity = self.chance.randint(1, 3)
        if self.shown[room.store_id] < quantity and not self.beyond:
            return
        self.shown[room.store_id] -= quantity
        self.orders[room.store_id].append((f"o{self.step}", quantity))
        if self.chance.random() < 0.5:
            await self.tell(room)
        await take(room, sold(f"o{self.step}", quantity, self.towns.keys[room.store_id]))

    async def end(self, room: Room) -> None:
        """An order is sent, or cancelled, which puts it back in the shop."""
        if not self.orders[room.store_id]:
            return
        name, quantity = self.orders[room.store_id].pop()
        status = self.chance.choice((OrderStatus.COMPLETED, OrderStatus.CANCELLED))
        if status is OrderStatus.CANCELLED:
            self.shown[room.store_id] += quantity
        key = self.towns.keys[room.store_id]
        await take(room, sold(name, quantity, key, status=status, version=self.step))

    async def count(self, room: Room) -> None:
        """Somebody puts some more into the shop, or takes what it shows."""
        await self.tell(room)
        taken = min(3, max(0, int(self.shown[room.store_id]))) if self.beyond else -1
        self.shown[room.store_id] += self.chance.choice((-taken, self.chance.randint(1, 3)))
        await self.tell(room)

    async def push(self, room: Room) -> None:
        self.shown[room.store_id] = await self.towns.push(room, self.shown[room.store_id])
        self.unsent[room.store_id] = 0

    async def receive(self) -> None:
        await self.towns.move((None, 3), (self.towns.colombo, 3))
        for store_id in self.shown:
            self.unsent[store_id] += 3

    async def tell(self, room: Room) -> None:
        key = self.towns.keys[room.store_id]
        name = f"_{key}" if key[0].isdigit() else key
        await tell(room, **{name: int(self.shown[room.store_id])})


async def fair_of(towns: Towns, seed: int, *, beyond: bool = False) -> Fair:
    shown = {towns.first.store_id: Decimal(10), towns.second.store_id: Decimal(4)}
    fair = Fair(towns, random.Random(seed), shown, beyond)
    for _ in range(30):
        await fair.go_on()
        await towns.levels()
    return fair


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_two_shops_with_a_warehouse_each_are_two_lone_shops(towns: Towns, seed: int) -> None:
    """Whatever happens in one leaves the other's number alone; each is what its shelf has."""
    fair = await fair_of(towns, seed)
    for room in (towns.first, towns.second):
        await fair.tell(room)
        told = fair.shown[room.store_id] + fair.unsent[room.store_id]
        assert await towns.number(room) == told
    await towns.levels()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("sources", [(LOCAL, LOCAL), (LOCAL, SUM), (SUM, LOCAL), (SUM, SUM)])
async def test_the_ledger_stays_exact_whatever_they_show(
    towns: Towns, seed: int, sources: tuple[StockSource, StockSource]
) -> None:
    """Every level is explained, every reservation held, and in the end each shop is told right,
    and nobody holds what is not there."""
    await towns.settings(towns.first, sources[0], None)
    await towns.settings(towns.second, sources[1], "CMB")
    fair = await fair_of(towns, seed, beyond=True)
    for _ in range(2):
        for room in (towns.first, towns.second):
            await fair.push(room)
        await overdue(towns.first)
    levels = await towns.levels()
    alone = levels if sources == (LOCAL, LOCAL) else [tuple(map(sum, zip(*levels, strict=True)))]
    assert all(held <= max(0, there) for there, held in alone), levels
    assert await lacking(towns.first) == [row[0] for row in await towns.first.rows(LACKING)]
    for room in (towns.first, towns.second):
        assert fair.shown[room.store_id] == await towns.number(room)
