"""Telephone numbers as buyers type them, in international form."""

import re
from collections.abc import Mapping
from typing import Final

_DIAL_CODES: Final[Mapping[str, str]] = {
    "AE": "971",
    "BH": "973",
    "DZ": "213",
    "EG": "20",
    "IQ": "964",
    "JO": "962",
    "KW": "965",
    "LB": "961",
    "LY": "218",
    "MA": "212",
    "OM": "968",
    "PS": "970",
    "QA": "974",
    "SA": "966",
    "SD": "249",
    "SY": "963",
    "TN": "216",
    "YE": "967",
}
"""ITU-T E.164 country codes of where such stores sell."""

_NUMBER: Final = re.compile(r"\+?[0-9]{6,15}")
_BETWEEN: Final = re.compile(r"[\s().-]+")
_ARABIC_DIGITS: Final = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")


def to_international(raw: str, country: str) -> str:
    """A number with + and country code; what cannot be understood stays as it is."""
    number = _BETWEEN.sub("", raw.translate(_ARABIC_DIGITS))
    if not _NUMBER.fullmatch(number):
        return raw.strip()
    if number.startswith("+"):
        return number
    if number.startswith("00"):
        return f"+{number[2:]}"
    code = _DIAL_CODES.get(country)
    if code is None:
        return raw.strip()
    # Without the trunk 0 it may be a local number, or carry the country's code already.
    if not number.startswith("0") and number.startswith(code) and len(number) > len(code) + 7:
        return f"+{number}"
    return f"+{code}{number.lstrip('0')}"
