"""Bodies of `/api/audit`."""

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import Answer, UtcTime, example

_ENTRY: dict[str, Any] = {
    "id": 4711,
    "at": "2026-11-21T09:30:00Z",
    "actor": {"kind": "user", "id": 3, "name": "nadia@example.com"},
    "action": "store.updated",
    "subject": "store/12",
    "address": "203.0.113.7",
    "requestId": "5f0c9a7be1d24c33",
    "details": {"fields": ["name", "config"]},
}


class AuditActorAnswer(Answer):
    """Who acted, named as they were then."""

    kind: Literal["user", "key", "cli", "shop"] = Field(
        description="A person, an API key, the command line, or a shop that followed a link"
    )
    id: int | None
    name: str


class AuditEntryAnswer(Answer):
    """Somebody did something. What they wrote is not here, only what it was called."""

    model_config = Answer.model_config | example(_ENTRY)

    id: int
    at: UtcTime
    actor: AuditActorAnswer
    action: str = Field(description="`area.verb`, such as `store.created`")
    subject: str = Field(description="What it was done to, such as `store/12`")
    address: str = Field(description="Where the request came from")
    request_id: str
    details: dict[str, Any] = Field(
        description="More of it. With an `outcome`: what became of what `entry` asked for"
    )


class AuditListAnswer(Answer):
    """A page of the audit trail."""

    model_config = Answer.model_config | example({"data": [_ENTRY], "nextCursor": None})

    data: list[AuditEntryAnswer]
    next_cursor: str | None
