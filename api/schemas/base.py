"""What all bodies share: camelCase names, frozen values, times in UTC, decimals as strings."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


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

Moment = Annotated[AwareDatetime, AfterValidator(_sent)]
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


class Body(BaseModel):
    """Base of what the API is sent: nothing unknown, and no input in errors."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
    )


def example(value: dict[str, Any]) -> ConfigDict:
    """Model settings that show this example in the API's description."""
    return ConfigDict(json_schema_extra={"example": value})
