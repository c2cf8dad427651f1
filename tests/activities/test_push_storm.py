"""Whatever goes wrong in between: each record is in the store once, as it is in the hub."""

from random import Random

import pytest

from activities.lanes import TurnLostError
from domain.entities import Entity
from domain.errors import StoreError, StoreUnreachableError
from domain.pushing import Outcome, Pushed
from domain.records import Product
from domain.statuses import ProductStatus
from tests.activities.push_room import PushRoom
from tests.db.factories import product, variant

PRODUCTS = Entity.PRODUCTS
RECORDS = 5
STEPS = 25


class Storm:
    """People edit, answers are lost, workers are killed, the shop refuses; time goes on."""

    def __init__(self, room: PushRoom, seed: int) -> None:
        self.room = room
        self.chance = Random(seed)
        self.version = 0
        self.after_s = 0.0
        self.titles: dict[str, str | None] = {}

    async def step(self) -> None:
        act = self.chance.choice((self.edit, self.edit, self.delete, self.drain, self.drain))
        await act()

    async def edit(self) -> None:
        key = str(self.chance.randint(1, RECORDS))
        self.version += 1
        title = f"Edit {self.version}"
        sku = f"SKU{key}" if int(key) % 2 else ""
        pulled = product(key, variant(key, sku=sku), version=self.version, title=title)
        await self.room.come_in(PRODUCTS, pulled)
        self.titles[key] = title

    async def delete(self) -> None:
        if self.titles and self.chance.random() < 0.4:
            key = self.chance.choice(sorted(self.titles))
            await self.room.come_in(PRODUCTS, gone=[key])
            self.titles[key] = None

    async def drain(self) -> None:
        self.after_s += self.chance.choice((1, 40, 400))
        shop, trouble = self.room.shop, self.chance.randint(0, 4)
        if trouble in {1, 2}:
            shop.trouble = [(StoreUnreachableError("cut short"), trouble == 1)]
        elif trouble == 3:
            shop.meanwhile = self._kill
        elif trouble == 4:
            shop.meanwhile = self._edit_in_flight
        try:
            await self.room.drain(self.after_s)
        except (StoreError, TurnLostError):
            pass
        finally:
            shop.trouble, shop.meanwhile, self.room.lane.is_lost = [], None, False

    async def _kill(self) -> None:
        self.room.lane.is_lost = True

    async def _edit_in_flight(self) -> None:
        self.room.shop.meanwhile = None
        await self.edit()

    async def calm(self) -> None:
        """Everything that failed is tried again, until nothing is left."""
        for _ in range(5):
            self.after_s += 4_000
            await self.room.drain(self.after_s)


@pytest.mark.parametrize("seed", range(8))
async def test_after_a_storm_the_store_has_each_record_once(room: PushRoom, seed: int) -> None:
    storm = Storm(room, seed)
    for _ in range(STEPS):
        await storm.step()
    await storm.calm()
    assert await room.rows("entity, status, last_error") == []
    on_sale = sorted(
        one.title
        for one in room.shop.table(PRODUCTS).values()
        if isinstance(one, Product) and one.status is not ProductStatus.HIDDEN
    )
    assert on_sale == sorted(title for title in storm.titles.values() if title is not None)
    assert len(room.shop.table(PRODUCTS)) <= len(storm.titles)
    linked = {key for (key,) in await room.links("products")}
    assert linked == room.shop.table(PRODUCTS).keys()


async def test_what_is_refused_now_and_then_arrives_in_the_end(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, *(product(str(number)) for number in range(1, 6)))
    for after_s in (0, 300):
        keys = [await room.key_of(str(number)) for number in (2, 4)]
        answer = Pushed("", Outcome.REFUSED, reason="busy")
        room.shop.says_no = dict.fromkeys(keys[: 2 if after_s == 0 else 1], answer)
        await room.drain(after_s)
    room.shop.says_no.clear()
    await room.drain(1_200)
    assert sorted(room.titles()) == [f"Product {number}" for number in range(1, 6)]
    assert await room.rows() == []
