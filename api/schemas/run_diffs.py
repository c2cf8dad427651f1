"""Bodies about what a dry run would do."""

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import Answer, UtcTime, example

DiffEntity = Literal["categories", "products", "customers", "orders", "inventory"]
DiffAction = Literal[
    "created",
    "updated",
    "deleted",
    "conflict",
    "rejected",
    "create",
    "match",
    "update",
    "unpublish",
    "unsupported",
]


class FieldChangeAnswer(Answer):
    """A field, before and after. Values longer than 2,000 characters are cut, with a mark; personal
    data is `***` to a caller without `records:read`."""

    before: Any = Field(alias="from", description="What is there now; null: nothing")
    to: Any = Field(description="What would be there; null: nothing")
    is_held: bool = Field(
        default=False,
        description="It would wait for a person: `from` is what the hub has, `to` the store",
    )


class DiffAnswer(Answer):
    """What would become of one record."""

    way: str = Field(description="`pull`: into the hub, `push`: from the hub to the store")
    entity: str
    action: str
    external_id: str | None = Field(description="The store's id; null: it has none yet")
    record_id: int | None = Field(description="The hub's id; null: it has none yet")
    reason: str | None = Field(description="Why it is set aside, or would not be sent")
    fields: dict[str, FieldChangeAnswer] = Field(
        description="By path: `title`, `extra.weight`, `variants.{external id}.price`"
    )


class DiffCountAnswer(Answer):
    """How many records of one kind."""

    way: str
    entity: str
    action: str
    count: int


class DiffListAnswer(Answer):
    """A page of what a dry run found, in the order it was found."""

    model_config = Answer.model_config | example(
        {
            "workflowId": "demand/12/5f0c3a9d2b7e4418",
            "status": "success",
            "startedAt": "2026-11-21T09:30:02Z",
            "counts": [{"way": "pull", "entity": "products", "action": "updated", "count": 1}],
            "pushesToFollow": 1,
            "data": [
                {
                    "way": "pull",
                    "entity": "products",
                    "action": "updated",
                    "externalId": "123",
                    "recordId": 4711,
                    "reason": None,
                    "fields": {
                        "title": {"from": "Tea", "to": "Green tea", "isHeld": False},
                        "variants.123.price": {"from": "9.50", "to": "10", "isHeld": False},
                    },
                }
            ],
            "nextCursor": None,
        }
    )

    workflow_id: str
    status: str = Field(description="Of the run: what is not `success` yet, or failed, may lack")
    started_at: UtcTime | None = Field(default=None, description="None: it has not begun yet")
    counts: list[DiffCountAnswer] | None = Field(
        default=None, description="All the run found, whatever the filter; on the first page alone"
    )
    pushes_to_follow: int | None = Field(
        default=None,
        description="Records that would have to be sent to stores because of what comes in; on the "
        "first page alone",
    )
    data: list[DiffAnswer] = Field(default_factory=list)
    next_cursor: str | None = None
