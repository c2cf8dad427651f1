"""Bodies that all of `/api/woocommerce-sync` shares: who is meant, and what an action answers."""

from typing import Any

from pydantic import Field

from api.schemas.base import MAX_ID, Answer, Body, example

DIGEST_ID = "demand/12/5f0c2a9e1b7d4c38"
DEMAND_EXAMPLE: dict[str, Any] = {
    "workflowId": DIGEST_ID,
    "statusUrl": f"/api/syncs/{DIGEST_ID}",
    "temporalUiUrl": "http://127.0.0.1:8233/namespaces/default/workflows/"
    "demand%2F12%2F5f0c2a9e1b7d4c38",
    "storeId": 12,
    "alreadyRunning": False,
}


class StoreBody(Body):
    """Base of the bodies of actions."""

    store_id: int | None = Field(
        None,
        ge=1,
        le=MAX_ID,
        description="One of your WooCommerce stores; needed where there are several",
    )


class DemandAnswer(Answer):
    """What was asked for is being done: see `statusUrl`."""

    model_config = Answer.model_config | example(DEMAND_EXAMPLE)

    workflow_id: str
    status_url: str
    temporal_ui_url: str | None
    store_id: int
    already_running: bool = Field(description="The very same was asked for before, and still runs")
