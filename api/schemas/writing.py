"""The kinds of values that bodies write into records, each with its limits."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from api.schemas.base import MAX_ID, Body
from domain.currencies import CURRENCIES


def clean(value: str) -> str:
    """Refuse the one character that PostgreSQL keeps in no text."""
    if "\x00" in value:
        raise ValueError("NUL characters (U+0000) cannot be kept")
    return value


def _known(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("is no currency of ISO 4217, such as EUR")
    return code


# What the validators above refuse, told in the schema; they say it in words.
CLEAN: Any = Field(json_schema_extra={"pattern": r"^[^\x00]*$"})
CLEAN_WORD: Any = Field(json_schema_extra={"pattern": r"^[^\x00]*[^\s\x00][^\x00]*$"})

ShortText = Annotated[str, StringConstraints(max_length=500), AfterValidator(clean), CLEAN]
LongText = Annotated[str, StringConstraints(max_length=100_000), AfterValidator(clean), CLEAN]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(clean),
    CLEAN_WORD,
]
Slug = Annotated[
    str,
    StringConstraints(max_length=200, pattern=r"^[^\s/?#\x00]*$"),
    Field(description="For addresses; left empty, a new record gets it from its name"),
]
Sku = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=100),
    AfterValidator(clean),
    CLEAN,
    Field(description="Stores find products by it: unique in the hub"),
]
Barcode = Annotated[str, StringConstraints(max_length=100), AfterValidator(clean), CLEAN]
Tag = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(clean),
    CLEAN_WORD,
]
Email = Annotated[
    str, StringConstraints(max_length=320, pattern=r"^([^\s@\x00]+@[^\s@\x00]+\.[^\s@\x00]+)?$")
]
MoneyText = Annotated[
    str,
    StringConstraints(pattern=r"^\d{1,15}(\.\d{1,4})?$"),
    Field(description="A decimal string, such as 1250.00"),
]
Currency = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{3}$"),
    AfterValidator(_known),
    Field(description="ISO 4217", json_schema_extra={"enum": sorted(CURRENCIES)}),
]
OptionValues = Annotated[dict[Name, ShortText], Field(max_length=10)]
OpeningQuantity = Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=4)]
Weight = Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=4)]
PositiveId = Annotated[int, Field(ge=1, le=MAX_ID)]


def _drop_null(told: JsonSchemaValue) -> None:
    kept = [one for one in told.pop("anyOf", ()) if one.get("type") != "null"]
    told.pop("default", None)
    told |= kept[0] if len(kept) == 1 else {"anyOf": kept}


class PatchBody(Body):
    """Base of partial writes: what is named is set. Null is a value for `nullable` fields only."""

    nullable: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Null is told where it is a value, and no default: what is left out is kept."""
        told = handler.resolve_ref_schema(handler(schema))
        for name, field in cls.model_fields.items():
            if name not in cls.nullable and field.default is None:
                _drop_null(told["properties"][field.alias or name])
        return told

    @model_validator(mode="after")
    def _no_empty_values(self) -> "PatchBody":
        empty = [
            name
            for name in sorted(self.model_fields_set - self.nullable)
            if getattr(self, name) is None
        ]
        if empty:
            alias = type(self).model_fields[empty[0]].alias
            raise ValueError(f"{alias}: null is no value for it; leave it out to keep it")
        return self

    def named(self) -> dict[str, Any]:
        """What is set, by its name in records."""
        return {name: getattr(self, name) for name in self.model_fields_set}
