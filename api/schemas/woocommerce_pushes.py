"""Bodies of `/api/woocommerce-sync/sync/…/push`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from activities.demand_models import MOST_IDS
from api.schemas.base import MAX_ID, Answer, Body, Moment, Quantity, example
from api.schemas.woocommerce_sync import StoreBody

RecordIds = Annotated[
    tuple[Annotated[int, Field(ge=1, le=MAX_ID)], ...],
    Field(max_length=MOST_IDS, description=f"Ids of the hub, at most {MOST_IDS}"),
]

_SINCE = Field(
    None, description="Those that changed in the hub at this moment or later, with a zone"
)
_ALL = Field(False, description="All of them")
_FORCE = Field(
    False, description="The hub wins whatever the store has, and what is alike is written too"
)
_DRY = Field(False, description="Only find out what would be sent, and send nothing")


class PushBody(StoreBody):
    """What a push of any kind says beside the ids."""

    sync_all: bool = _ALL
    sync_modified_since: Moment | None = _SINCE
    force: bool = _FORCE
    dry_run: bool = _DRY


class PushCustomersBody(PushBody):
    """Which customers to send: say one of `customerIds`, `syncAll` and `syncModifiedSince`."""

    model_config = Body.model_config | example({"syncModifiedSince": "2025-01-01T00:00:00Z"})

    customer_ids: RecordIds = ()


class PushInventoryBody(PushBody):
    """Whose stock to send: say one of `productIds`, `syncAll` and `syncModifiedSince`."""

    model_config = Body.model_config | example({"productIds": [4711, 4712]})

    product_ids: RecordIds = ()


class PushProductStockBody(StoreBody):
    """How to send the stock of one product."""

    model_config = Body.model_config | example({"force": True})

    force: bool = _FORCE
    dry_run: bool = _DRY


_PRODUCT_STOCK: dict[str, Any] = {
    "storeId": 12,
    "productId": 4711,
    "variants": [
        {
            "variantId": 5012,
            "sku": "TEA-1",
            "externalId": "88",
            "before": "10",
            "after": "7",
            "outcome": "done",
            "reason": None,
        }
    ],
}


class VariantStockAnswer(Answer):
    """What the store shows of one variant."""

    variant_id: int
    sku: str
    external_id: str | None = Field(description="The store's id of it; None: it has it not")
    before: Quantity | None = Field(description="What the store was known to show before")
    after: Quantity | None = Field(description="What it shows now")
    outcome: Literal["done", "waiting", "failed", "skipped"] = Field(
        description="`done`: the store shows the hub's number; `waiting`: it is tried again; "
        "`skipped`: there is nothing to send"
    )
    reason: str | None = Field(description="Why it is not done")


class ProductStockAnswer(Answer):
    """The stock of a product in a store after a push of it."""

    model_config = Answer.model_config | example(_PRODUCT_STOCK)

    store_id: int
    product_id: int
    variants: list[VariantStockAnswer]
