"""Reading single values of the shop's and the hub's JSON, without any code of the import."""

import html
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

Document = Mapping[str, Any]

_REFERENCE: Final = re.compile(r"&(?:#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);")
_ADDRESS: Final = {
    "firstName": "first_name",
    "lastName": "last_name",
    "company": "company",
    "address1": "address_1",
    "address2": "address_2",
    "city": "city",
    "state": "state",
    "postcode": "postcode",
    "country": "country",
    "email": "email",
    "phone": "phone",
}


def words(text: str) -> str:
    """What a person reads where the shop sends HTML character references."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text)


def amount(text: Any) -> Decimal | None:
    """An amount or quantity; None where nothing is set."""
    return None if text in (None, "") else Decimal(str(text))


def total(texts: Iterable[Any]) -> Decimal:
    """The sum of amounts."""
    return sum((Decimal(str(text)) for text in texts), Decimal(0))


def moment(text: str | None) -> datetime | None:
    """A time; the shop's `…_gmt` fields name no zone and mean UTC."""
    if not text:
        return None
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read


def shop_address(address: Document) -> tuple[str, ...]:
    """An address of the shop in one order of fields."""
    return tuple(address.get(name, "") for name in _ADDRESS.values())


def hub_address(address: Document) -> tuple[str, ...]:
    """The same of the hub."""
    return tuple(address[name] for name in _ADDRESS)


def guest_identity(billing: Document) -> str | None:
    """Who a buyer without an account is: the e-mail address, else the telephone number's digits."""
    email = str(billing.get("email", "")).strip().lower()
    return email or "".join(one for one in str(billing.get("phone", "")) if one.isdigit()) or None
