from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from domain.records import Address, Charge, Order, OrderLine, Refund, fingerprint, snapshot
from domain.statuses import OrderStatus


def order(**changes: object) -> Order:
    values: dict[str, object] = {
        "number": "1001",
        "status": OrderStatus.PROCESSING,
        "raw_status": "processing",
        "currency": "EUR",
        "total": Decimal("24.99"),
        "billing": Address(first_name="Zoë", country="DE"),
        "placed_at": datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
        "lines": (OrderLine(external_id="7", title="Käse", quantity=Decimal(2)),),
        "charges": (Charge(kind="shipping", total=Decimal("4.90")),),
    }
    return Order.model_validate(values | changes)


def test_a_snapshot_is_compact_json_without_what_is_empty() -> None:
    assert snapshot(order()).decode() == (
        '{"number":"1001","status":"processing","raw_status":"processing","currency":"EUR",'
        '"total":"24.99","billing":{"first_name":"Zoë","country":"DE"},'
        '"placed_at":"2026-03-01T12:30:00Z","lines":[{"external_id":"7","title":"Käse",'
        '"quantity":"2"}],"charges":[{"kind":"shipping","total":"4.9"}]}'
    )


def test_the_fingerprint_of_a_record_stays_the_same_from_release_to_release() -> None:
    # Links keep it: another value would make every record of every store look edited.
    assert fingerprint(snapshot(order())).hex() == "22fc834995243209d52f18592d2bba25"


def test_equal_records_have_equal_fingerprints() -> None:
    same = order(
        total=Decimal("24.9900"), customer_note="", lines=list(order().lines), shipping=Address()
    )
    assert fingerprint(snapshot(same)) == fingerprint(snapshot(order()))


@pytest.mark.parametrize(
    "change",
    [
        {"total": Decimal(25)},
        {"status": OrderStatus.COMPLETED},
        {"customer_note": "ring twice"},
        {"placed_at": datetime(2026, 3, 1, 12, 31, tzinfo=UTC)},
        {"billing": Address(first_name="Zoe", country="DE")},
        {"lines": ()},
        {"extra": {"gift": False}},
    ],
)
def test_any_difference_shows_in_the_fingerprint(change: dict[str, object]) -> None:
    assert fingerprint(snapshot(order(**change))) != fingerprint(snapshot(order()))


def test_a_snapshot_can_be_read_back_whole() -> None:
    whole = order(refunds=(Refund(external_id="3", amount=Decimal("1.5"), reason="broken"),))
    assert Order.model_validate_json(snapshot(whole)) == whole


def test_what_was_refunded_is_the_sum_of_the_refunds() -> None:
    refunds = (
        Refund(external_id="1", amount=Decimal("1.50")),
        Refund(external_id="2", amount=Decimal("3.25")),
    )
    totals = [order().refunded_total, order(refunds=refunds).refunded_total]
    assert totals == [Decimal(0), Decimal("4.75")]


def test_records_are_frozen_and_closed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        order().number = "2"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        order(unheard_of="x")
