from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidRecordError
from domain.money import exponent, format_amount, parse_amount
from domain.records import Refund

amounts = st.decimals(
    min_value=Decimal(-(10**15) + 1), max_value=Decimal(10**15 - 1), places=4, allow_nan=False
)
currencies = st.sampled_from(("EUR", "LKR", "JPY", "KWD"))


@pytest.mark.parametrize(
    ("raw", "amount"),
    [
        ("24.99", Decimal("24.99")),
        ("-3", Decimal(-3)),
        (7, Decimal(7)),
        (Decimal("1.5"), Decimal("1.5")),
        ("1E+3", Decimal(1000)),
        ("0.00005", Decimal("0.0000")),
        ("0.00015", Decimal("0.0002")),
        ("999999999999999.9999", Decimal("999999999999999.9999")),
    ],
)
def test_amounts_are_read_exactly_and_rounded_half_even_to_four_places(
    raw: str | int | Decimal, amount: Decimal
) -> None:
    assert parse_amount(raw) == amount


@pytest.mark.parametrize(
    "raw",
    ["", "not-a-number", "12,50", "NaN", "Infinity", "-Infinity", "1e15", "-1000000000000000"],
)
def test_what_is_no_amount_is_refused_with_the_name_of_the_field(raw: str) -> None:
    with pytest.raises(InvalidRecordError, match="total is "):
        parse_amount(raw, field="total")


def test_a_refusal_repeats_no_more_than_forty_characters() -> None:
    with pytest.raises(InvalidRecordError) as refused:
        parse_amount("x" * 5_000)
    assert len(str(refused.value)) < 80


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("10.5", "LKR", "10.50"),
        ("0", "EUR", "0.00"),
        ("-0.5", "EUR", "-0.50"),
        ("1234", "JPY", "1234"),
        ("12.345", "KWD", "12.345"),
        ("12.3", "KWD", "12.300"),
        ("0.0301", "EUR", "0.0301"),
        ("3.1400", "EUR", "3.14"),
        ("1.5", "JPY", "1.5"),
        ("1E+2", "EUR", "100.00"),
    ],
)
def test_amounts_are_written_with_the_places_of_their_currency(
    amount: str, currency: str, text: str
) -> None:
    assert format_amount(Decimal(amount), currency) == text


@pytest.mark.parametrize(
    ("currency", "places"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("TND", 3), ("VUV", 0), ("XXX", 2)]
)
def test_minor_units_follow_iso_4217(currency: str, places: int) -> None:
    assert exponent(currency) == places


@given(amount=amounts, currency=currencies)
def test_writing_and_reading_an_amount_loses_nothing(amount: Decimal, currency: str) -> None:
    assert parse_amount(format_amount(amount, currency)) == amount


@given(amount=amounts, zeros=st.integers(min_value=0, max_value=3))
def test_zeros_behind_an_amount_do_not_change_how_a_record_is_written(
    amount: Decimal, zeros: int
) -> None:
    text = f"{amount:f}"
    padded = Decimal(text + "0" * zeros if "." in text else text)
    written = [Refund(external_id="1", amount=one).model_dump_json() for one in (amount, padded)]
    assert written[0] == written[1]


@given(amount=amounts)
def test_a_record_carries_its_amount_through_json_unchanged(amount: Decimal) -> None:
    refund = Refund(external_id="1", amount=amount)
    assert Refund.model_validate_json(refund.model_dump_json()).amount == amount
