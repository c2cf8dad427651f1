"""Bodies of `POST /api/woocommerce-sync/webhook/test`."""

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import MAX_ID, Answer, Body, example
from api.schemas.run_diffs import FieldChangeAnswer

WouldDo = Literal[
    "created", "updated", "unchanged", "deleted", "conflict", "reread", "ignored", "rejected"
]


class WebhookTestBody(Body):
    """An event to try."""

    model_config = Body.model_config | example(
        {
            "event": "product.updated",
            "data": {"id": 123, "name": "Test Product", "stock_quantity": 50},
        }
    )

    event: str = Field(max_length=100, description="A topic, such as `product.updated`")
    data: dict[str, Any] = Field(
        description="The body a shop would send: the whole record as its REST API shows it, or a "
        "part of it"
    )
    apply: bool = Field(
        default=False,
        description="Also do it, through the store's inbox. Needs `records:write` as well: what "
        "the event says is taken for the store's word",
    )
    store_id: int | None = Field(
        default=None,
        ge=1,
        le=MAX_ID,
        description="One of your WooCommerce stores; needed where there are several",
    )


class RelatedChangeAnswer(Answer):
    """Something else that would change with the record."""

    entity: str
    action: str
    external_id: str | None
    record_id: int | None
    fields: dict[str, FieldChangeAnswer]


class WebhookTestAnswer(Answer):
    """What the event would do, and, where it was to be applied, what it did."""

    model_config = Answer.model_config | example(
        {
            "storeId": 12,
            "event": "product.updated",
            "eventType": "product_updated",
            "entity": "products",
            "externalId": "123",
            "recordId": 4711,
            "wouldDo": "reread",
            "reason": "The event alone does not say how the record stands: it is not the whole "
            "record, or a deletion at no known time. Nothing of it is taken over: the record is "
            "read again from the store. The diff shows the fields that the event names.",
            "diff": {
                "title": {"from": "Old Product", "to": "Test Product", "isHeld": False},
                "variants.123.available": {"from": "48", "to": "50", "isHeld": False},
            },
            "related": [],
            "pushesToFollow": 0,
            "applied": False,
            "eventId": None,
            "status": None,
            "outcome": None,
            "errorMessage": None,
            "statusUrl": None,
        }
    )

    store_id: int
    event: str
    event_type: str = Field(description="As it would stand in the store's list of events")
    entity: str | None
    external_id: str | None
    record_id: int | None = Field(description="The hub's id; null: the record is not known here")
    would_do: WouldDo = Field(
        description="`reread`: the store would be asked. `ignored`: it means nothing for the hub. "
        "`rejected`: it cannot be understood or kept. `conflict`: a person would have to decide"
    )
    reason: str
    diff: dict[str, FieldChangeAnswer] = Field(
        description="By path: `title`, `billing.city`, `variants.{external id}.price`"
    )
    related: list[RelatedChangeAnswer] = Field(
        description="What else would change: the guest of an order, stock"
    )
    pushes_to_follow: int = Field(description="Records that stores would have to be sent then")
    applied: bool = Field(description="Whether it was put into the inbox")
    event_id: int | None = Field(description="Of the event in the inbox")
    status: Literal["pending", "processed", "failed"] | None
    outcome: str | None = Field(
        description="What the inbox made of it: `applied`, `unchanged`, `stale`, `duplicate`, "
        "`reread`, `deleted` or `ignored`"
    )
    error_message: str | None
    status_url: str | None = Field(description="Where what becomes of it is shown")
