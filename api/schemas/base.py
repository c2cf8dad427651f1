"""What all bodies share: camelCase names, frozen values, times in UTC, decimals as strings."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    PlainSerializer,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from domain.documents import Document

MAX_ID: Final = 2**53 - 1
"""The highest id: up to it JSON's numbers are the same everywhere (RFC 8259, 6)."""

_EXACT: Final = frozenset({"bool", "int"})
_NUMBER: Final = re.compile(r"\s*[+-]?[\d._]+(?:[eE][+-]?\d+)?\s*")


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def as_text(sent: object) -> object:
    """What is sent as a moment. Raises ValueError for a count of seconds: RFC 3339 is promised."""
    if not isinstance(sent, str | datetime) or (isinstance(sent, str) and _NUMBER.fullmatch(sent)):
        raise ValueError("is no moment: write it like 2026-11-21T16:02:11Z (RFC 3339)")
    return sent


def _sent(moment: datetime) -> datetime:
    """In UTC: PostgreSQL takes no offset of 16 hours or more, though RFC 3339 has them."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of the years 1 to 9999") from None


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


UtcTime = Annotated[datetime, AfterValidator(_in_utc)]
"""A moment, told in UTC whatever zone the database speaks."""

Moment = Annotated[AwareDatetime, BeforeValidator(as_text), AfterValidator(_sent)]
"""A moment as it is sent: with its zone, and with any offset."""

Quantity = Annotated[Decimal, PlainSerializer(_plain, return_type=str)]
"""A count that may be a weight: a decimal string without needless zeros."""


class Answer(BaseModel):
    """Base of what the API answers."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        from_attributes=True,
        serialize_by_alias=True,
    )


def _make_exact(node: Any) -> None:
    if isinstance(node, dict):
        # A field may be called "type" too: that is no name of a kind.
        if isinstance(kind := node.get("type"), str) and kind in _EXACT:
            node["strict"] = True
        for one in node.values():
            _make_exact(one)
    elif isinstance(node, list):
        for one in node:
            _make_exact(one)


class Body(Document):
    """Base of what the API is sent."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Numbers and flags are sent as such: 0 is no false, and "7" is no 7."""
        made = handler(source)
        _make_exact(made)
        return made


def example(value: dict[str, Any]) -> ConfigDict:
    """Model settings that show this example in the API's description."""
    return ConfigDict(json_schema_extra={"example": value})
