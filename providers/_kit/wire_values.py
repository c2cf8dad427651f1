"""Small readings that every shop's data needs: amounts, times, ids, names."""

import html
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final

from domain.errors import InvalidRecordError
from domain.money import ZERO, parse_amount

_PLACES: Final = Decimal("0.0001")
# Nearly every amount looks like this; it needs no further check of size or places.
_plain_amount = re.compile(r"-?\d{1,14}(?:\.\d{1,4})?", re.ASCII).fullmatch
_PLAIN_INT: Final = 10**14
_NAMED_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def read_amount(raw: str | float | None, field: str) -> Decimal:
    """An amount; empty is zero. Binary floats are read by their shortest decimal form.

    Raises:
        InvalidRecordError: not a finite number, or too large.
    """
    if raw is None or raw == "":
        return ZERO
    if type(raw) is str and _plain_amount(raw):
        return Decimal(raw)
    if type(raw) is int and -_PLAIN_INT < raw < _PLAIN_INT:
        return Decimal(raw)
    return parse_amount(str(raw), field=field)


def read_optional_amount(raw: str | float | None, field: str) -> Decimal | None:
    """An amount; empty is None. Raises InvalidRecordError."""
    return None if raw is None or raw == "" else read_amount(raw, field)


def divide_amount(total: Decimal, quantity: Decimal) -> Decimal:
    """`total` for each, rounded half-even to four places; nothing of nothing is zero."""
    if quantity == 1 or not quantity:
        return total
    try:
        return (total / quantity).quantize(_PLACES, ROUND_HALF_EVEN)
    except InvalidOperation:
        raise InvalidRecordError("a unit price is too large to keep") from None


def read_utc(raw: str | None, field: str) -> datetime | None:
    """A time in UTC written without an offset, as aware UTC; empty and year zero are None.

    Raises:
        InvalidRecordError: not an ISO 8601 time.
    """
    if not raw or raw.startswith(("0000-", "-")):
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        raise InvalidRecordError(f"{field} is not a time: {raw[:40]!r}") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_name(raw: str) -> str:
    """A name as people read it: HTML character references resolved, nothing else touched.

    Only references that end in `;` count: "Fish&notes" is not "Fish¬es".
    """
    if "&" not in raw:
        return raw
    return _NAMED_ENTITY.sub(lambda match: html.unescape(match[0]), raw)
