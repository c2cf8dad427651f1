"""What a store's settings say of its orders and its stock."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.ledger import Account, Counter, Hold, Phase, Shelf, phase_of
from domain.statuses import OrderStatus

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        (OrderStatus.PENDING, Phase.HELD),
        (OrderStatus.CANCELLED, Phase.RELEASED),
        (OrderStatus.COMPLETED, Phase.CONSUMED),
        (OrderStatus.UNKNOWN, Phase.HELD),
    ],
)
def test_a_pending_order_holds_stock_where_buyers_pay_on_delivery(
    status: OrderStatus, phase: Phase
) -> None:
    assert phase_of(status, Phase.HELD, reserves_pending=True) is phase
    if status is OrderStatus.PENDING:
        assert phase_of(status, Phase.HELD) is Phase.RELEASED


@pytest.mark.parametrize(("restocks", "agreed"), [(True, 10), (False, 8)])
def test_what_a_store_does_not_put_back_it_has_to_be_told(restocks: bool, agreed: int) -> None:
    shelf, account = Shelf(Decimal(10)), Account(Decimal(10))
    counter = Counter(shelf, account, NOW, restocks=restocks)
    held = counter.settle(Hold(), Decimal(2), Phase.HELD)
    assert (shelf.available, account.agreed) == (Decimal(8), Decimal(8))
    counter.settle(held, Decimal(2), Phase.RELEASED)
    assert (shelf.available, account.agreed) == (Decimal(10), Decimal(agreed))
