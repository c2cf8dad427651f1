"""Bodies of `/api/stores`."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from api.schemas.base import Answer, Body, UtcTime, example
from domain.sync_settings import StoreSettings, SyncDirections

_VISIBLE = r"^[^\x00-\x1f\x7f]+$"

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=_VISIBLE),
    Field(description="What people call the store"),
]
Code = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$"),
    Field(description="Short name, unique among your stores"),
]
Form = Annotated[
    dict[str, Any],
    Field(
        max_length=50,
        repr=False,
        description="The provider's connection form; its schema is in GET /api/providers",
    ),
]
Settings = Annotated[
    StoreSettings | None,
    Field(description="Which way records go and who wins conflicts; what is left out stays usual"),
]
Directions = Annotated[
    SyncDirections | None,
    Field(description="The same as `settings.syncDirections`; what is left out stays usual"),
]

_SETTINGS: dict[str, Any] = {
    "syncDirections": {
        "products": "both",
        "categories": "both",
        "customers": "pull",
        "inventory": "both",
        "orderStatus": "both",
    },
    "conflictPolicy": "latest",
    "conflictPolicies": {},
    "pushImported": False,
    "reservePending": False,
    "restocksCancelled": True,
    "stockWarehouse": None,
    "stockSource": "sum",
    "ipAllowList": [],
    "maxDeleteShare": 0.2,
    "orderStatusMap": {},
}
_CONFIG = {
    "storeUrl": "https://shop.example.com",
    "consumerKey": "ck_0123456789abcdef0123456789abcdef01234567",
    "consumerSecret": "cs_0123456789abcdef0123456789abcdef01234567",
}
STORE_EXAMPLE: dict[str, Any] = {
    "id": 12,
    "name": "Main shop",
    "code": "main-shop",
    "provider": "woocommerce",
    "storeUrl": "https://shop.example.com",
    "isActive": True,
    "syncStatus": "pending",
    "lastSyncError": None,
    "syncRetryCount": 0,
    "lastSyncAttemptAt": None,
    "nextRetryAt": None,
    "facts": {"storeName": "Main shop", "version": "11.0.1", "currency": "LKR"},
    "webhookCode": "Zb6n0uQyT1mR4sK8vW2xJw",
    "webhookUrls": {
        "generic": "https://hub.example.com/api/stores/webhooks/Zb6n0uQyT1mR4sK8vW2xJw",
        "newOrder": "https://hub.example.com/api/stores/webhooks/Zb6n0uQyT1mR4sK8vW2xJw/newOrder",
        "orderStatus": (
            "https://hub.example.com/api/stores/webhooks/Zb6n0uQyT1mR4sK8vW2xJw/orderStatus"
        ),
    },
    "webhookUrlsReachable": True,
    "webhookUrlsUnreachableReason": None,
    "instructions": "Open WooCommerce > Settings > Advanced > Webhooks and add …",
    "settings": _SETTINGS,
    "createdAt": "2026-11-21T09:30:00Z",
    "updatedAt": "2026-11-21T09:30:00Z",
}


class CreateStoreBody(Body):
    """A store to connect."""

    model_config = Body.model_config | example(
        {
            "name": "Main shop",
            "code": "main-shop",
            "provider": "woocommerce",
            "config": _CONFIG,
            "syncDirections": {"products": "both", "customers": "off"},
            "sync": True,
        }
    )

    name: Name
    code: Code
    provider: Annotated[str, Field(max_length=50, description="A slug of GET /api/providers")]
    config: Form
    settings: Settings = None
    sync_directions: Directions = None
    sync: bool = Field(
        default=False,
        description="Start the first import at once; what the hub has already is then sent to the "
        "store where its directions say so",
    )


class UpdateStoreBody(Body):
    """What to change; what is left out stays."""

    model_config = Body.model_config | example(
        {"name": "Flagship shop", "config": {"consumerSecret": "cs_fedcba9876543210fedcba98765432"}}
    )

    name: Name = Field(default_factory=str)
    code: Code = Field(default_factory=str)
    config: Form = Field(
        default_factory=dict, description="Laid over the stored form and tried first"
    )
    settings: Settings = None
    sync_directions: Directions = None
    store_moved: bool = Field(
        default=False,
        description="Say that the same shop has a new address; without it the address of a store "
        "that was imported cannot become another shop's",
    )


class WebhookUrlsAnswer(Answer):
    """Where the shop sends its webhooks."""

    generic: str
    new_order: str
    order_status: str


class FactsAnswer(Answer):
    """What the last successful check found out."""

    store_name: str = ""
    store_url: str = ""
    version: str = ""
    currency: str = ""
    timezone: str = ""


class StoreAnswer(Answer):
    """A store. Its credentials are write-only and never here."""

    model_config = Answer.model_config | example(STORE_EXAMPLE)

    id: int
    name: str
    code: str
    provider: str
    store_url: str
    is_active: bool
    sync_status: Literal["pending", "in_progress", "success", "failed", "cancelled"]
    last_sync_error: str | None
    sync_retry_count: int
    last_sync_attempt_at: UtcTime | None
    next_retry_at: UtcTime | None
    facts: FactsAnswer
    webhook_code: str = Field(description="The store's name in webhook addresses: keep it secret")
    webhook_urls: WebhookUrlsAnswer
    webhook_urls_reachable: bool
    webhook_urls_unreachable_reason: str | None
    instructions: str = Field(description="Markdown: what to do in the shop")
    settings: StoreSettings
    created_at: UtcTime
    updated_at: UtcTime


class ChangedStoreAnswer(StoreAnswer):
    """A store after a change."""

    model_config = StoreAnswer.model_config | example({**STORE_EXAMPLE, "webhookSecret": None})

    webhook_secret: str | None = Field(
        default=None, description="Only when it was generated just now, and never again"
    )


class CreatedStoreAnswer(ChangedStoreAnswer):
    """A store that was just connected."""

    model_config = StoreAnswer.model_config | example(
        {
            **STORE_EXAMPLE,
            "webhookSecret": "kq3V8mB1yY5tG7nW9cX2zL4pR6sD0fH_jK-aEuIoTqw",
            "returned": False,
            "workflowId": "import/12",
            "temporalUiUrl": "http://127.0.0.1:8233/namespaces/default/workflows/import%2F12",
            "warning": None,
        }
    )

    returned: bool = Field(
        default=False, description="The shop was connected before: this is the store it was"
    )
    workflow_id: str | None = Field(default=None, description="The first import, if one was asked")
    temporal_ui_url: str | None = None
    warning: str | None = Field(
        default=None, description="The store is connected, but its import could not be started"
    )


class StoreListAnswer(Answer):
    """A page of stores."""

    model_config = Answer.model_config | example({"data": [STORE_EXAMPLE], "nextCursor": None})

    data: list[StoreAnswer]
    next_cursor: str | None


class TestConnectionAnswer(Answer):
    """Whether the stored credentials are right now."""

    model_config = Answer.model_config | example(
        {
            "connected": True,
            "message": "The store answered and accepts the credentials.",
            "facts": STORE_EXAMPLE["facts"],
        }
    )

    __test__ = False

    connected: bool
    message: str
    facts: FactsAnswer | None
