from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from activities.lanes import TurnLostError
from domain.entities import Entity
from domain.errors import StoreUnreachableError
from domain.lanes import LaneKind
from domain.pushing import Outcome, StockPushed, StockShown, StockTarget
from tests.activities.push_room import MemoryShop, PushRoom
from tests.db.factories import product, variant

PRODUCTS = Entity.PRODUCTS


@dataclass
class StockShop(MemoryShop):
    """A store in memory that counts.

    Attributes:
        shelf: what it shows by variant id; None: it does not count.
        refusing: the outcome to give instead of writing.
        between: called after a reading, before the write.
    """

    shelf: dict[str, Decimal | None] = field(default_factory=dict)
    refusing: Outcome | None = None
    between: Callable[[], Any] | None = None
    writes: list[dict[str, Decimal]] = field(default_factory=list)
    lost_answers: int = 0

    async def read_stock(self, targets: Sequence[StockTarget]) -> Mapping[str, StockShown]:
        keys = [one.variant_external_id for one in targets]
        return {key: StockShown(self.shelf.get(key, Decimal(0))) for key in keys if self._has(key)}

    async def push_stock(self, targets: Sequence[StockTarget]) -> Sequence[StockPushed]:
        if self.between is not None:
            self.between()
        self.writes.append({one.variant_external_id: one.available for one in targets})
        answers = [self._write(one) for one in targets]
        if self.lost_answers:
            self.lost_answers -= 1
            raise StoreUnreachableError("cut short")
        return answers

    def _write(self, target: StockTarget) -> StockPushed:
        key = target.variant_external_id
        if self.refusing is not None:
            return StockPushed(key, self.refusing, reason="not counted here")
        before = self.shelf.get(key, Decimal(0))
        self.shelf[key] = target.available
        return StockPushed(key, Outcome.DONE, before=before, after=self.shelf[key])

    def _has(self, key: str) -> bool:
        made = self.table(PRODUCTS).values()
        return any(key == one.external_id for each in made for one in each.variants)  # type: ignore[attr-defined]


@dataclass
class Stall:
    """A push room with one product of 10 in stock, which the other store has too."""

    room: PushRoom
    shop: StockShop
    key: str

    @classmethod
    async def set_up(cls, room: PushRoom) -> "Stall":
        shop = StockShop()
        room.shop, room.opener.shop = shop, shop
        await room.come_in(
            PRODUCTS,
            product("1", variant("1", sku="TEA", tracks_stock=True), stock={"1": 10}),
        )
        await room.drain()
        [(key,)] = await room.links("variants")
        shop.writes.clear()
        return cls(room, shop, key)

    async def level(self) -> Decimal:
        [(on_hand,)] = await self.room.home.rows("select sum(on_hand) from inventory_levels")
        return Decimal(on_hand)

    async def numbers(self) -> tuple[Any, Any]:
        """What the other store shows, and what the hub has."""
        return self.shop.shelf[self.key], await self.level()

    async def sell_in_the_hub(self, quantity: int) -> None:
        """The home store shows less now, which is news for the other one."""
        left = int(await self.level()) - quantity
        await self.room.come_in(
            PRODUCTS,
            product("1", variant("1", sku="TEA", tracks_stock=True), stock={"1": left}, version=9),
        )


@pytest.fixture
async def stall(room: PushRoom) -> Stall:
    return await Stall.set_up(room)


async def test_what_is_created_gets_its_stock(stall: Stall) -> None:
    assert stall.shop.shelf == {stall.key: 10}
    assert await stall.room.rows() == []
    assert await stall.room.logs() == [
        ("sync_products", "success", 1),
        ("update_inventory", "success", 1),
    ]


async def test_a_new_number_is_written_once(stall: Stall) -> None:
    await stall.sell_in_the_hub(3)
    await stall.room.drain()
    assert stall.shop.shelf == {stall.key: 7}
    assert stall.shop.writes == [{stall.key: 7}]
    await stall.room.enqueue(missing_only=False)
    await stall.room.drain()
    assert len(stall.shop.writes) == 1
    assert await stall.room.rows() == []


async def test_what_the_store_sold_meanwhile_is_counted_before_the_write(stall: Stall) -> None:
    stall.shop.shelf[stall.key] = Decimal(8)
    await stall.sell_in_the_hub(3)
    await stall.room.drain()
    assert await stall.numbers() == (5, 5)
    assert (LaneKind.PUSH, stall.room.home.store_id) not in stall.room.lane.woken


async def test_a_sale_between_reading_and_writing_is_repaired(stall: Stall) -> None:
    await stall.sell_in_the_hub(3)

    def sell() -> None:
        stall.shop.between = None
        stall.shop.shelf[stall.key] = Decimal(9)

    stall.shop.between = sell
    await stall.room.drain()
    assert await stall.numbers() == (6, 6)
    assert await stall.room.rows() == []


async def test_a_write_whose_answer_was_lost_counts_once(stall: Stall) -> None:
    await stall.sell_in_the_hub(3)
    stall.shop.lost_answers = 1
    with pytest.raises(StoreUnreachableError):
        await stall.room.drain()
    assert await stall.room.rows() == [("inventory", "pending", 0)]
    await stall.room.drain()
    assert await stall.numbers() == (7, 7)
    assert await stall.room.rows() == []


async def test_a_kill_after_the_write_counts_once(stall: Stall) -> None:
    await stall.sell_in_the_hub(3)

    def die() -> None:
        stall.shop.between = None
        stall.room.lane.is_lost = True

    stall.shop.between = die
    with pytest.raises(TurnLostError):
        await stall.room.drain()
    stall.room.lane.is_lost = False
    await stall.room.drain()
    assert await stall.numbers() == (7, 7)
    assert await stall.room.rows() == []


async def test_stock_the_store_does_not_count_is_unsupported(stall: Stall) -> None:
    stall.shop.refusing = Outcome.UNSUPPORTED
    await stall.sell_in_the_hub(3)
    await stall.room.drain()
    assert await stall.room.rows("entity, status, last_error") == [
        ("inventory", "unsupported", "not counted here")
    ]
    assert (await stall.room.logs())[-1] == ("update_inventory", "failed", 1)


async def test_refused_stock_goes_down_the_ladder_and_is_dead(stall: Stall) -> None:
    stall.shop.refusing = Outcome.REFUSED
    await stall.sell_in_the_hub(3)
    for after_s in (0, 300, 1200):
        await stall.room.drain(after_s)
    assert await stall.room.rows() == [("inventory", "failed", 3)]
    assert stall.room.lane.woken[-1] == (LaneKind.ALERT, stall.room.home.tenant_id)


async def test_a_variant_the_store_does_not_have_needs_no_request(stall: Stall) -> None:
    await stall.room.home.rows(
        "insert into pushes (tenant_id, store_id, entity, record_id)"
        " select tenant_id, :away, 'inventory', 4000000 from stores where id = :away",
        away=stall.room.away.store_id,
    )
    await stall.room.drain()
    assert (await stall.room.rows(), stall.shop.writes) == ([], [])
