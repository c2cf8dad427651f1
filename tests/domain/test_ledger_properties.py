"""A store sells and cancels; the hub hears of it in any order, and ends with its number."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger import Counter, Hold, Phase, hear, phase_of
from domain.money import ZERO
from domain.statuses import OrderStatus
from tests.domain.test_ledger import NOW, account, level


@dataclass
class Shop:
    """A store with one variant: its number, and what it has to tell."""

    number: int
    clock: datetime = NOW
    orders: dict[int, tuple[int, OrderStatus, datetime]] = field(default_factory=dict)

    def sell(self, quantity: int, *, beyond: bool = False) -> None:
        quantity = quantity if beyond else min(quantity, max(0, self.number))
        self.number -= quantity
        self.orders[len(self.orders)] = (quantity, OrderStatus.PROCESSING, self.clock)

    def move_on(self, order: int, status: OrderStatus) -> None:
        quantity, before, placed_at = self.orders[order]
        if before is OrderStatus.CANCELLED:
            return
        self.number += quantity if status is OrderStatus.CANCELLED else 0
        self.orders[order] = (quantity, status, placed_at)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sell"), st.integers(1, 4)),
        st.tuples(st.just("oversell"), st.integers(1, 9)),
        st.tuples(st.just("tell"), st.just(0)),
        st.tuples(st.just("order"), st.integers(0, 9)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("complete"), st.integers(0, 9)),
        st.tuples(st.just("count"), st.integers(-4, 12)),
        st.tuples(st.just("wait"), st.integers(1, 40)),
    ),
    max_size=40,
)


class Hub:
    """What the hub makes of the shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.shelf, self.account = level(shop.number), account(shop.number)
        self.holds: dict[int, Hold] = {}

    def take(self, order: int) -> None:
        quantity, status, placed_at = self.shop.orders[order]
        hold = self.holds.get(order, Hold())
        counter = Counter(self.shelf, self.account, self.shop.clock, placed_at)
        self.holds[order] = counter.settle(hold, Decimal(quantity), phase_of(status, hold.phase))

    def step(self, kind: str, value: int) -> None:
        shop, order = self.shop, value % max(1, len(self.shop.orders))
        if kind in {"sell", "oversell"}:
            shop.sell(value, beyond=kind == "oversell")
        elif kind == "tell":
            hear(self.shelf, self.account, Decimal(shop.number), shop.clock)
        elif kind == "count":
            shop.number = value
        elif kind == "wait":
            shop.clock += timedelta(minutes=value)
        elif shop.orders and kind == "order":
            self.take(order)
        elif shop.orders:
            shop.move_on(
                order, OrderStatus.CANCELLED if kind == "cancel" else OrderStatus.COMPLETED
            )

    @property
    def lacking(self) -> Decimal:
        """What orders want and do not have."""
        return sum(
            (one.quantity - one.reserved for one in self.holds.values() if one.is_oversold), ZERO
        )

    def check(self) -> None:
        held = [one for one in self.holds.values() if one.phase is Phase.HELD]
        assert self.shelf.reserved == sum(one.reserved for one in held)
        moved = sum(quantity for _, quantity, _ in self.shelf.movements)
        assert self.shelf.on_hand == self.start + moved

    @property
    def start(self) -> int:
        return 10


@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_the_level_ends_as_the_stores_number_whatever_came_when(
    steps: list[tuple[str, int]],
) -> None:
    hub = Hub(Shop(10))
    for kind, value in steps:
        hub.step(kind, value)
        hub.check()
    for order in [*hub.shop.orders, *hub.shop.orders]:
        hub.take(order)
        hub.check()
    hub.step("tell", 0)
    assert hub.shelf.available - hub.lacking == hub.account.agreed == hub.shop.number


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["sell", "tell", "order", "wait"]), st.integers(0, 9))))
def test_orders_alone_bring_the_level_to_the_stores_number(steps: list[tuple[str, int]]) -> None:
    hub = Hub(Shop(10))
    for kind, value in steps:
        hub.step(kind, value)
    for order in hub.shop.orders:
        hub.take(order)
    assert not any(one.is_oversold for one in hub.holds.values())
    assert hub.shelf.available == hub.account.agreed == hub.shop.number
    assert hub.account.unexplained == 0
