"""Small readings that every shop's data needs: amounts, times, names.

Amounts and times are proven where a wire model is validated: `AmountText` is a plain decimal
number that `NUMERIC(19,4)` holds, so a mapper turns it into a `Decimal` without another look.
"""

import html
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Annotated, Final

from pydantic import Field

from domain.errors import InvalidRecordError
from domain.money import ZERO, parse_amount, trimmed

_NAMED_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_PLACES: Final = Decimal("0.0001")

AmountText = Annotated[str, Field(pattern=r"^(?:-?[0-9]{1,14}(?:\.[0-9]{1,4})?)?$")]
"""An amount as nearly every shop writes it, or empty. `plain_amount` makes others like it."""


def plain_amount(raw: object) -> str:
    """Write an amount that came as a number, or with more places or an exponent, as `AmountText`.

    Raises:
        InvalidRecordError: not a finite number, or too large.
    """
    if not isinstance(raw, (str, int, float)) or isinstance(raw, bool):
        raise InvalidRecordError("not an amount")
    text = f"{parse_amount(str(raw).strip()):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(maxsize=16_384)
def _read_amount(raw: str) -> Decimal:
    """Remembered, because a shop writes the same few prices again and again."""
    return trimmed(Decimal(raw))


def to_amount(raw: str | None) -> Decimal:
    """The amount of an `AmountText`; empty is zero."""
    return _read_amount(raw) if raw else ZERO


def to_optional_amount(raw: str | None) -> Decimal | None:
    """The amount of an `AmountText`; empty is None."""
    return _read_amount(raw) if raw else None


def read_weight(raw: str | None) -> Decimal | None:
    """A weight, which many shops let people type freely: None if it is no number."""
    if not raw:
        return None
    try:
        return trimmed(parse_amount(raw))
    except InvalidRecordError:
        return None


def divide_amount(total: Decimal, quantity: Decimal) -> Decimal:
    """`total` for each, rounded half-even to four places; of nothing it is the total itself."""
    if quantity == 1 or not quantity:
        return total
    return trimmed((total / quantity).quantize(_PLACES, ROUND_HALF_EVEN))


def read_utc(raw: str | None, field: str) -> datetime | None:
    """A time in UTC, written with or without an offset, as aware UTC; empty is None.

    Year zero is how WordPress and MySQL write "never", and is None too.

    Raises:
        InvalidRecordError: not an ISO 8601 time.
    """
    if not raw:
        return None
    try:
        return datetime.fromisoformat(raw + "+00:00")
    except ValueError:
        return _read_unusual_time(raw, field)


def _read_unusual_time(raw: str, field: str) -> datetime | None:
    if raw.startswith(("0000-", "-")):
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
