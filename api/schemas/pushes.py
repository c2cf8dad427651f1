"""Bodies about what is sent to a store, or would be."""

from typing import Literal

from pydantic import Field

from api.schemas.base import Answer, UtcTime, example

PushStatus = Literal["pending", "failed", "unsupported"]

PushedEntity = Literal["categories", "products", "customers", "inventory", "orders"]
"""What can be sent to a store, see `domain.sync_settings.PUSHED`."""

_PUSH = {
    "id": 501,
    "entity": "products",
    "recordId": 4,
    "status": "failed",
    "attempts": 1,
    "nextAttemptAt": None,
    "lastError": "The SKU TEA-1 is taken by product 77 of the store.",
    "createdAt": "2026-11-21T09:30:02Z",
    "updatedAt": "2026-11-21T09:30:05Z",
}


class PushAnswer(Answer):
    """A record that a store has still to be told of: one row, always for its latest state."""

    id: int
    entity: PushedEntity = Field(description="`inventory` counts by variant")
    record_id: int
    status: PushStatus = Field(
        description="`failed` waits for a person: retry it, or change the record. `unsupported` "
        "is what the store cannot be told; it is tried again when the record changes"
    )
    attempts: int
    next_attempt_at: UtcTime | None = Field(description="None: as soon as the store's lane can")
    last_error: str | None
    created_at: UtcTime
    updated_at: UtcTime


class PushListAnswer(Answer):
    """A page of a store's pushes, oldest first. What the store has is not in it any more."""

    model_config = Answer.model_config | example({"data": [_PUSH], "nextCursor": None})

    data: list[PushAnswer]
    next_cursor: str | None


PreviewAction = Literal[
    "create", "match", "update", "unpublish", "conflict", "unsupported", "unchanged"
]


class PreviewItemAnswer(Answer):
    """What a push would do with one record."""

    record_id: int
    name: str
    action: PreviewAction
    external_id: str | None = Field(description="Its id in the store, where it has one")
    linked_to: int | None = Field(
        description="With `conflict`: the record of ours that the store's is linked to already"
    )


class PushPreviewAnswer(Answer):
    """What a push would do. Nothing was written."""

    model_config = Answer.model_config | example(
        {
            "storeId": 12,
            "entity": "products",
            "total": 240,
            "examined": 2,
            "counts": {"create": 1, "match": 1},
            "items": [
                {
                    "recordId": 4,
                    "name": "Green tea",
                    "action": "create",
                    "externalId": None,
                    "linkedTo": None,
                },
                {
                    "recordId": 5,
                    "name": "Black tea",
                    "action": "match",
                    "externalId": "77",
                    "linkedTo": None,
                },
            ],
        }
    )

    store_id: int
    entity: PushedEntity
    total: int = Field(
        description="Records that wait to be pushed, and those the store does not have yet"
    )
    examined: int = Field(description="How many of them were looked up in the store")
    counts: dict[PreviewAction, int] = Field(
        description="Of those examined. `match`: the store has it already, so it is linked and "
        "updated instead of created"
    )
    items: list[PreviewItemAnswer]
