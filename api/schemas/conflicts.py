"""Bodies of conflicts: what both sides say, and what a person decides."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import Answer, Body, UtcTime, example

ConflictStatus = Literal["open", "resolved"]
ConflictResolution = Literal["local", "remote", "merge", "manual"]

_SUMMARY: dict[str, Any] = {
    "id": 7,
    "storeId": 12,
    "entity": "products",
    "recordId": 40,
    "externalId": "1001",
    "paths": ["title"],
    "status": "open",
    "resolution": None,
    "remoteVersion": "2026-11-21T09:30:00Z",
    "createdAt": "2026-11-21T09:30:02Z",
    "updatedAt": "2026-11-21T09:30:02Z",
    "resolvedAt": None,
}
_FIELD: dict[str, Any] = {
    "path": "title",
    "base": "Tea",
    "local": "Black tea",
    "remote": "Ceylon tea",
    "hasBase": True,
    "suggestion": {
        "resolution": "remote",
        "value": "Ceylon tea",
        "reason": "the store changed its record last",
    },
}


class ConflictSummary(Answer):
    """A record with fields that both sides changed."""

    model_config = Answer.model_config | example(_SUMMARY)

    id: int
    store_id: int
    entity: str
    record_id: int
    external_id: str
    paths: list[str] = Field(description="The fields concerned")
    status: ConflictStatus
    resolution: str | None = Field(
        description="What was decided; `settled`: the sides came to agree by themselves"
    )
    remote_version: UtcTime | None = Field(description="When the store changed its record")
    created_at: UtcTime
    updated_at: UtcTime
    resolved_at: UtcTime | None


class ConflictListAnswer(Answer):
    """A page of conflicts, the newest first."""

    model_config = Answer.model_config | example({"data": [_SUMMARY], "nextCursor": None})

    data: list[ConflictSummary]
    next_cursor: str | None


class SuggestionAnswer(Answer):
    """How a conflict would best be decided."""

    resolution: ConflictResolution
    value: Any = Field(default=None, description="What would come of it")
    reason: str


class ConflictField(Answer):
    """One field, base, local and remote side by side."""

    path: str
    base: Any = Field(description="What both sides last agreed on")
    local: Any = Field(description="What the hub has")
    remote: Any = Field(description="What the store has")
    has_base: bool = Field(description="False: the sides never agreed on it before")
    suggestion: SuggestionAnswer


class ConflictAnswer(ConflictSummary):
    """A conflict with both sides of each field."""

    model_config = Answer.model_config | example(
        {
            **_SUMMARY,
            "fields": [_FIELD],
            "suggestion": {
                "resolution": "remote",
                "value": None,
                "reason": "title: the store changed its record last",
            },
        }
    )

    fields: list[ConflictField]
    suggestion: SuggestionAnswer


class ResolveBody(Body):
    """A person's decision."""

    model_config = Body.model_config | example(
        {"resolution": "manual", "data": {"title": "Ceylon black tea"}}
    )

    resolution: ConflictResolution
    data: Annotated[dict[str, Any], Field(max_length=500)] = Field(
        default_factory=dict,
        description="With `manual`: every field's path and the value it shall have on both sides",
    )
