"""Amounts of money: decimals with a currency, never floats.

An amount is a `Decimal` with at most four places, as the database keeps it (`NUMERIC(19,4)`);
its currency (ISO 4217) stands beside it in the record. JSON carries amounts as strings with the
number of places the currency has: `"total": "10.50", "currency": "LKR"`.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator

from domain.errors import InvalidRecordError

_PLACES = Decimal("0.0001")
_LIMIT = Decimal(10) ** 15

# ISO 4217, table A.1: the currencies whose minor unit is not two places.
THREE_PLACES = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
NO_PLACES = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND")
) | {"VUV", "XAF", "XOF", "XPF"}

ZERO = Decimal(0)
_ONE = Decimal(1)


def parse_amount(raw: str | int | Decimal, *, field: str = "amount") -> Decimal:
    """Read a wire amount, rounded half-even to four places.

    Args:
        raw: a decimal string such as `"24.99"`, or a number that JSON decoding left exact.
        field: the name used in the error.

    Raises:
        InvalidRecordError: not a finite number, or larger than `NUMERIC(19,4)` holds.
    """
    try:
        amount = Decimal(raw)
    except (InvalidOperation, ValueError, TypeError):
        raise InvalidRecordError(f"{field} is not a number: {str(raw)[:40]!r}") from None
    if not amount.is_finite() or abs(amount) >= _LIMIT:
        raise InvalidRecordError(f"{field} is not an amount we can keep: {str(raw)[:40]!r}")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -4:
        amount = amount.quantize(_PLACES, rounding=ROUND_HALF_EVEN)
    return amount


def exponent(currency: str) -> int:
    """Decimal places of the currency's minor unit (ISO 4217): 2 unless it says otherwise."""
    if currency in THREE_PLACES:
        return 3
    return 0 if currency in NO_PLACES else 2


def unusual_places() -> Mapping[str, int]:
    """The currencies whose `exponent` is not 2: for whoever formats amounts elsewhere."""
    return dict.fromkeys(sorted(NO_PLACES), 0) | dict.fromkeys(sorted(THREE_PLACES), 3)


def format_amount(amount: Decimal, currency: str) -> str:
    """Render an amount for JSON: the currency's places, and more only where they are not zero."""
    places = exponent(currency)
    trimmed = amount.normalize()
    digits = trimmed.as_tuple().exponent
    if isinstance(digits, int) and -digits > places:
        return f"{trimmed:f}"
    return f"{amount:.{places}f}"


def trimmed(amount: Decimal) -> Decimal:
    """The one form of an amount: no zeros behind, no exponent. `10.50` is `10.5`, `1E+2` is `100`.

    Records hold amounts in this form, so that equal amounts have equal snapshots whatever zeros
    their source wrote.
    """
    if not amount:
        return ZERO
    shortest = amount.normalize()
    digits = shortest.as_tuple().exponent
    return shortest.quantize(_ONE) if isinstance(digits, int) and digits > 0 else shortest


Amount = Annotated[Decimal, AfterValidator(trimmed)]
"""A decimal in its one form; JSON has it as a string."""
