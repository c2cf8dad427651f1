from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.errors import InvalidRecordError
from domain.money import parse_amount
from providers._kit.wire_values import (
    AmountText,
    divide_amount,
    plain_amount,
    read_name,
    read_utc,
    read_weight,
    to_amount,
    to_optional_amount,
)

AMOUNT_TEXT = TypeAdapter[str](AmountText)


@pytest.mark.parametrize("raw", ["", "0", "0.00", "24.99", "-28.92", "1.2345", "99999999999999"])
def test_usual_amounts_are_taken_as_they_are(raw: str) -> None:
    assert AMOUNT_TEXT.validate_python(raw) == raw
    assert to_amount(raw) == (Decimal(raw) if raw else 0)
    assert to_optional_amount(raw) == (Decimal(raw) if raw else None)


@pytest.mark.parametrize(
    "raw",
    ["1.23456", "1e3", "NaN", "Infinity", " 1", "1,5", "٣", "1.", ".5", "9" * 15, "abc", "1\n"],
)
def test_unusual_amounts_need_another_look(raw: str) -> None:
    with pytest.raises(ValidationError):
        AMOUNT_TEXT.validate_python(raw)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (12, "12"),
        (12.5, "12.5"),
        (0.1, "0.1"),
        ("1.23456", "1.2346"),
        ("1.00005", "1"),
        (" 7.50 ", "7.5"),
        ("1e3", "1000"),
        ("1E-9", "0"),
        (".5", "0.5"),
        ("999999999999999", "999999999999999"),
    ],
)
def test_numbers_are_written_plainly(raw: object, text: str) -> None:
    assert plain_amount(raw) == text


@pytest.mark.parametrize("raw", [True, None, [], {}, "abc", "NaN", "-Infinity", 1e300, "9" * 16])
def test_what_is_no_amount(raw: object) -> None:
    with pytest.raises(InvalidRecordError):
        plain_amount(raw)


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=4))
def test_reading_an_amount_agrees_with_the_domain(amount: Decimal) -> None:
    raw = f"{amount:f}"

    assert to_amount(AMOUNT_TEXT.validate_python(raw)) == parse_amount(raw)


@pytest.mark.parametrize(
    ("total", "quantity", "each"),
    [
        ("10.00", "4", "2.5"),
        ("10.00", "3", "3.3333"),
        ("20.00", "3", "6.6667"),
        ("5.55", "1", "5.55"),
        ("5.55", "0", "5.55"),
        ("0.00005", "1", "0.00005"),
        ("1", "0.25", "4"),
        ("-9", "2", "-4.5"),
    ],
)
def test_dividing_rounds_to_four_places(total: str, quantity: str, each: str) -> None:
    assert divide_amount(Decimal(total), Decimal(quantity)) == Decimal(each)


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        (None, None),
        ("", None),
        ("0000-00-00T00:00:00", None),
        ("-0001-11-30T00:00:00", None),
        ("2026-11-21T00:56:49", datetime(2026, 11, 21, 0, 56, 49, tzinfo=UTC)),
        ("2026-11-21 00:56:49", datetime(2026, 11, 21, 0, 56, 49, tzinfo=UTC)),
        ("2026-11-21T00:56:49Z", datetime(2026, 11, 21, 0, 56, 49, tzinfo=UTC)),
        ("2026-11-21T02:56:49+02:00", datetime(2026, 11, 21, 0, 56, 49, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_utc(raw: str | None, moment: datetime | None) -> None:
    found = read_utc(raw, "date_created_gmt")

    assert found == moment
    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("raw", ["yesterday", "2026-13-01T00:00:00", "20261121T"])
def test_what_is_no_time(raw: str) -> None:
    with pytest.raises(InvalidRecordError, match="date_paid_gmt is not a time"):
        read_utc(raw, "date_paid_gmt")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Bücher &amp; Hefte", "Bücher & Hefte"),
        ("Tiny & Co", "Tiny & Co"),
        ("Fish&notes", "Fish&notes"),
        ("5 &lt; 6 &#8211; &#x41;", "5 < 6 – A"),
        ("&nosuchname; &amp;amp;", "&nosuchname; &amp;"),
        ("Box <b>XL</b>", "Box <b>XL</b>"),
    ],
)
def test_names_are_read_as_people_read_them(raw: str, name: str) -> None:
    assert read_name(raw) == name


@pytest.mark.parametrize(
    ("raw", "weight"), [("1.93", Decimal("1.93")), ("", None), (None, None), ("1,5 kg", None)]
)
def test_weights_typed_freely_are_no_reason_to_lose_a_product(
    raw: str | None, weight: Decimal | None
) -> None:
    assert read_weight(raw) == weight
