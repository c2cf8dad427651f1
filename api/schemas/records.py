"""What the bodies of all records share. Amounts are decimal strings in the currency beside them."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from api.schemas.base import Answer, UtcTime, example

REFERENCES = [{"storeId": 12, "externalId": "4711"}]
TIMES = {"createdAt": "2026-11-21T09:30:05Z", "updatedAt": "2026-11-21T09:30:05Z"}


class ReferenceAnswer(Answer):
    """Where a record is at a store."""

    store_id: int
    external_id: str


class RecordAnswer(Answer):
    """What every record has. `extra` is what the store says beyond our fields."""

    id: int
    external_references: list[ReferenceAnswer]
    extra: dict[str, Any]
    created_at: UtcTime
    updated_at: UtcTime


def page_example(of: type[BaseModel]) -> ConfigDict:
    """Model settings that show a page with the example of one record."""
    extra = of.model_config["json_schema_extra"]
    record = extra["example"] if isinstance(extra, dict) else {}
    return example({"data": [record], "nextCursor": "WyJwcm9kdWN0cyIsNDBd"})
