"""How a store's numbers, its orders and our pushes add up, case by case."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.ledger import (
    EXPLAINED_FOR,
    Account,
    Cause,
    Counter,
    Hold,
    Phase,
    Shelf,
    WrittenLevel,
    hear,
    phase_of,
    record_push,
)
from domain.statuses import OrderStatus

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
NOTHING = Hold()


def level(on_hand: int = 10, reserved: int = 0) -> Shelf:
    return Shelf(Decimal(on_hand), Decimal(reserved))


def account(agreed: int = 10, **values: object) -> Account:
    return Account(Decimal(agreed), **values)  # type: ignore[arg-type]


def numbers(*values: Decimal | bool | None) -> tuple[int | None, ...]:
    return tuple(None if one is None else int(one) for one in values)


def told(shelf: Shelf, known: Account, number: int, now: datetime = NOW) -> None:
    hear(shelf, known, Decimal(number), now)


def sell(
    shelf: Shelf,
    known: Account | None,
    quantity: int,
    status: OrderStatus = OrderStatus.PROCESSING,
    hold: Hold = NOTHING,
    **counter: object,
) -> Hold:
    at = Counter(shelf, known, **{"now": NOW, **counter})  # type: ignore[arg-type]
    return at.settle(hold, Decimal(quantity), phase_of(status, hold.phase))


def test_a_sale_counts_once_when_its_number_comes_first() -> None:
    shelf, known = level(), account()
    told(shelf, known, 9)
    assert sell(shelf, known, 1) == Hold(Decimal(1), Decimal(1), Phase.HELD)
    assert numbers(shelf.available, shelf.on_hand, shelf.reserved, known.agreed) == (9, 10, 1, 9)


def test_a_sale_counts_once_when_its_order_comes_first() -> None:
    shelf, known = level(), account()
    sell(shelf, known, 1)
    assert numbers(shelf.available, known.agreed) == (9, 9)
    told(shelf, known, 9)
    assert numbers(shelf.available, shelf.on_hand, known.unexplained) == (9, 10, 0)


def test_half_a_sale_may_be_told_before() -> None:
    shelf, known = level(), account()
    told(shelf, known, 8)
    sell(shelf, known, 5)
    assert numbers(shelf.available, known.agreed, known.unexplained) == (5, 5, 0)
    told(shelf, known, 5)
    assert shelf.available == 5


def test_what_a_person_took_out_is_not_an_order_that_was_placed_after() -> None:
    shelf, known = level(), account()
    told(shelf, known, 5)
    sell(shelf, known, 1, placed_at=LATER)
    assert numbers(shelf.available, known.agreed, known.unexplained) == (4, 4, -5)


def test_a_number_waits_a_day_for_its_order() -> None:
    shelf, known = level(), account()
    told(shelf, known, 5)
    sell(shelf, known, 1, now=NOW + EXPLAINED_FOR)
    assert numbers(shelf.available, known.agreed) == (4, 4)
    told(shelf, known, 3, NOW + EXPLAINED_FOR)
    assert known.unexplained == -1


def test_what_is_sent_leaves_and_what_is_cancelled_returns() -> None:
    shelf, known = level(), account()
    held = sell(shelf, known, 3)
    sent = sell(shelf, known, 3, OrderStatus.COMPLETED, held)
    assert numbers(shelf.on_hand, shelf.reserved) == (7, 0)
    assert sent.phase is Phase.CONSUMED
    back = sell(shelf, known, 3, OrderStatus.CANCELLED, sent)
    assert numbers(shelf.on_hand, shelf.reserved, known.agreed) == (10, 0, 10)
    assert back == Hold(Decimal(3), Decimal(0), Phase.RELEASED)
    assert [cause for cause, *_ in shelf.movements] == [Cause.SHIPMENT, Cause.RETURN]


def test_goods_of_a_refunded_order_stay_where_they_are() -> None:
    shelf, known = level(), account()
    sent = sell(shelf, known, 3, OrderStatus.COMPLETED)
    assert sell(shelf, known, 3, OrderStatus.REFUNDED, sent) == sent
    held = sell(shelf, known, 2)
    sell(shelf, known, 2, OrderStatus.REFUNDED, held)
    assert numbers(shelf.on_hand, shelf.reserved) == (7, 0)


def test_a_cancellation_the_store_has_told_already_counts_once() -> None:
    shelf, known = level(), account()
    held = sell(shelf, known, 3)
    told(shelf, known, 10)
    sell(shelf, known, 3, OrderStatus.CANCELLED, held)
    assert numbers(shelf.available, shelf.on_hand, known.agreed, known.unexplained) == (
        10,
        10,
        10,
        0,
    )


def test_a_payment_that_is_awaited_holds_nothing_until_it_comes() -> None:
    shelf, known = level(), account()
    waiting = sell(shelf, known, 2, OrderStatus.PENDING)
    assert numbers(shelf.available, waiting.is_oversold) == (10, False)
    paid = sell(shelf, known, 2, OrderStatus.PROCESSING, waiting)
    assert numbers(shelf.available, paid.reserved) == (8, 2)
    assert sell(shelf, known, 2, OrderStatus.UNKNOWN, paid) == paid


@pytest.mark.parametrize("first", ["number", "order"])
def test_more_than_there_is_is_not_reserved(first: str) -> None:
    shelf, known = level(1, 1), account(0)
    if first == "number":
        told(shelf, known, -1)
    hold = sell(shelf, known, 1)
    assert numbers(hold.is_oversold, shelf.available, shelf.on_hand, shelf.reserved) == (
        True,
        0,
        1,
        1,
    )
    sell(shelf, known, 1, OrderStatus.CANCELLED, hold)
    assert numbers(shelf.available, known.agreed) == (0, 0)


def test_backorders_may_be_sold_from_nothing() -> None:
    shelf, known = level(0), account(0)
    hold = sell(shelf, known, 2, backorders=True)
    assert numbers(hold.is_oversold, shelf.available, known.agreed) == (False, -2, -2)


def test_other_warehouses_count() -> None:
    hold = sell(level(1), account(5), 3, elsewhere=Decimal(4))
    assert hold.reserved == 3


def test_an_order_that_is_changed_holds_the_difference() -> None:
    shelf, known = level(5), account(5)
    hold = sell(shelf, known, 2)
    more = sell(shelf, known, 7, hold=hold)
    assert numbers(more.reserved, more.is_oversold, shelf.available) == (2, True, 3)
    less = sell(shelf, known, 1, hold=more)
    assert numbers(less.reserved, less.is_oversold, shelf.available) == (1, False, 4)
    assert known.agreed == 4


def test_a_store_that_takes_numbers_only_moves_nothing_by_its_own() -> None:
    shelf, known = level(), account(counts=False)
    told(shelf, known, 9)
    assert shelf.available == 10
    sell(shelf, known, 1)
    assert numbers(shelf.available, known.agreed) == (9, 9)


def test_the_echo_of_a_write_that_was_not_recorded_is_no_movement() -> None:
    shelf, known = level(15), account(10, pushing=Decimal(15))
    told(shelf, known, 15)
    assert numbers(shelf.available, known.agreed, known.pushing) == (15, 15, None)


def test_a_sale_after_a_write_that_was_not_recorded_counts_once() -> None:
    shelf, known = level(15), account(10, pushing=Decimal(15))
    told(shelf, known, 14)
    sell(shelf, known, 1)
    assert numbers(shelf.available, known.agreed) == (14, 14)


@pytest.mark.parametrize("is_heard_before", [False, True])
def test_what_moved_around_a_write_is_counted(is_heard_before: bool) -> None:
    shelf, known = level(15), account(10, pushing=Decimal(15))
    if is_heard_before:
        told(shelf, known, 15)
    push = WrittenLevel(Decimal(10), before=Decimal(9), written=Decimal(15), after=Decimal(13))
    record_push(shelf, known, push, NOW)
    assert numbers(shelf.available, known.agreed, known.pushing, known.unexplained) == (
        12,
        13,
        None,
        -3,
    )
