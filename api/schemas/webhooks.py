"""Bodies of webhooks and of the events they become."""

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import Answer, UtcTime, example

EventStatus = Literal["pending", "processed", "failed"]


class ReceivedAnswer(Answer):
    """A webhook was received."""

    model_config = example({"received": True})

    received: bool


RECEIVED = ReceivedAnswer(received=True).model_dump_json().encode()

_EVENT: dict[str, Any] = {
    "id": 77,
    "eventType": "order_created",
    "topic": "order.created",
    "entity": "orders",
    "externalId": "1042",
    "status": "processed",
    "outcome": "applied",
    "attempts": 0,
    "nextAttemptAt": None,
    "errorMessage": None,
    "receivedAt": "2026-11-21T09:12:04Z",
    "processedAt": "2026-11-21T09:12:04Z",
    "payloadBytes": 3474,
    "payload": None,
}


class WebhookEventAnswer(Answer):
    """A webhook that was accepted, and what became of it."""

    model_config = example(_EVENT)

    id: int
    event_type: str = Field(description="`order_created`, `order_status_changed`, …")
    topic: str = Field(description="The provider's own word for it")
    entity: str | None
    external_id: str | None = Field(description="The record's id in the store")
    status: EventStatus
    outcome: str | None = Field(
        description="`applied`, `unchanged`, `stale`, `duplicate`, `reread`, `deleted` or `ignored`"
    )
    attempts: int = Field(description="How often it failed")
    next_attempt_at: UtcTime | None
    error_message: str | None = Field(description="Why it failed, or why it was ignored")
    received_at: UtcTime
    processed_at: UtcTime | None
    payload_bytes: int
    payload: Any = Field(
        default=None,
        description="With `includePayload`: the body, without secrets, and without personal data "
        "unless the key has `records:read`",
    )


class WebhookEventListAnswer(Answer):
    """Events, newest first."""

    model_config = example({"data": [_EVENT], "nextCursor": None})

    data: list[WebhookEventAnswer]
    next_cursor: str | None


class WebhookCountersAnswer(Answer):
    """How many webhooks of a store met which fate, since it was connected."""

    model_config = example(
        {"counters": {"accepted": 412, "applied": 396, "duplicate": 9, "forged": 2, "ping": 8}}
    )

    counters: dict[str, int] = Field(
        description="`accepted`, `forged`, `ping`, `too_large`, `blocked_ip`; and of those that "
        "were accepted, how many had which outcome"
    )


class ReplayAnswer(Answer):
    """An event that is due again."""

    model_config = example({"id": 77, "status": "pending", "woken": True})

    id: int
    status: EventStatus
    woken: bool = Field(
        description="False for an inactive store: the event waits until it is active again"
    )
