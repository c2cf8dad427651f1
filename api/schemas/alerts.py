"""Bodies of alerts and of the channels they are told through."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import MAX_ID, Answer, Body, UtcTime, example

AlertStatus = Literal["open", "resolved"]

_ALERT: dict[str, Any] = {
    "id": 31,
    "storeId": 12,
    "kind": "sync_failed",
    "event": "sync.failed",
    "title": "Main shop: sync stopped",
    "message": "The shop did not answer 5 times in 4 h 20 min. Nothing is lost; 3 changes wait.",
    "command": "entrepot retry 12",
    "details": {"lane": "push"},
    "status": "open",
    "count": 1,
    "createdAt": "2026-11-21T09:30:00Z",
    "updatedAt": "2026-11-21T09:30:00Z",
    "resolvedAt": None,
}

_WEBHOOK: dict[str, Any] = {
    "name": "On call",
    "isActive": True,
    "config": {
        "kind": "webhook",
        "url": "https://alerts.example/entrepot",
        "secret": "a-long-secret-of-yours",
    },
}

_SHOWN: dict[str, Any] = {
    "id": 3,
    "name": "On call",
    "isActive": True,
    "config": {"kind": "webhook", "url": "https://alerts.example/entrepot", "secret": "********"},
}


class AlertAnswer(Answer):
    """An alert."""

    model_config = Answer.model_config | example(_ALERT)

    id: int
    store_id: int | None
    kind: str
    event: str
    title: str
    message: str = Field(description="What happened and what to do")
    command: str = Field(description="The call that tries again, where there is one")
    details: dict[str, Any]
    status: AlertStatus
    count: int = Field(description="How often it happened while the alert was open")
    created_at: UtcTime
    updated_at: UtcTime
    resolved_at: UtcTime | None


class AlertListAnswer(Answer):
    """A page of alerts."""

    model_config = Answer.model_config | example({"data": [_ALERT], "nextCursor": None})

    data: list[AlertAnswer]
    next_cursor: str | None


class ChannelBody(Body):
    """One way of telling."""

    model_config = Body.model_config | example(_WEBHOOK)

    id: Annotated[int, Field(ge=1, le=MAX_ID)] | None = Field(
        default=None, description="Of a channel that is there: secrets left out stay as they are"
    )
    name: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00]*$")]
    is_active: bool = True
    config: dict[str, Any] = Field(
        max_length=20, description="`kind` is `webhook` (url, secret) or `smtp` (host, port, …)"
    )


class ChannelsBody(Body):
    """All channels; those that are not named are removed."""

    model_config = Body.model_config | example({"channels": [_WEBHOOK]})

    channels: Annotated[list[ChannelBody], Field(max_length=20)]


class ChannelAnswer(Answer):
    """A channel. Its secrets are write-only."""

    model_config = Answer.model_config | example(_SHOWN)

    id: int
    name: str
    is_active: bool
    config: dict[str, Any]


class ChannelListAnswer(Answer):
    """The tenant's channels."""

    model_config = Answer.model_config | example({"data": [_SHOWN]})

    data: list[ChannelAnswer]


class RetryBody(Body):
    """What to retry; nothing: everything of the store that failed."""

    model_config = Body.model_config | example({"pushIds": [7, 8], "webhookEventIds": []})

    push_ids: Annotated[list[int], Field(max_length=1_000)] | None = None
    webhook_event_ids: Annotated[list[int], Field(max_length=1_000)] | None = None


class RetryAnswer(Answer):
    """What is tried again."""

    model_config = Answer.model_config | example(
        {
            "pushes": 2,
            "webhookEvents": 0,
            "resumedLanes": ["push"],
            "alertsResolved": 1,
            "importWorkflowId": None,
        }
    )

    pushes: int
    webhook_events: int
    resumed_lanes: list[str]
    alerts_resolved: int
    import_workflow_id: str | None = Field(
        description="The import that was started again because the last one had failed"
    )
