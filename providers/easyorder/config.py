"""The connection form of an EasyOrders store.

What the documentation leaves open is a setting here, with the guess that does the least harm.
"""

import re
from enum import StrEnum
from typing import Any, Final

from pydantic import ConfigDict, Field, SecretStr, field_validator

from providers._kit.protocols import StoreConfig
from providers._kit.store_url import normalise_store_url

DEFAULT_API_URL: Final = "https://api.easy-orders.net/api/v1/external-apps"
_MOST_PROBED_ORDERS: Final = 30
_FORM_ORDER: Final = (
    *("storeUrl", "apiKey", "currency", "country", "webhookSecret", "statusWebhookSecret"),
    *("orderWebhookId", "statusWebhookId", "processingWord", "updatedAtFilter", "sortBy"),
    *("completeProducts", "variantsOnUpdate", "variantSkuAddressable", "orderScan"),
    *("orderScanLimit", "apiUrl"),
)


class ProcessingWord(StrEnum):
    """What an order becomes in the store when the hub says `processing`."""

    PROCESSING = "processing"
    CONFIRMED = "confirmed"


class UpdatedAtFilter(StrEnum):
    """Whether lists can be asked for what changed since a moment."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


def _order_fields(schema: dict[str, Any]) -> None:
    properties = schema["properties"]
    schema["properties"] = {name: properties[name] for name in _FORM_ORDER}


class EasyOrderConfig(StoreConfig):
    """What a merchant enters to connect a store."""

    model_config = ConfigDict(title="EasyOrder", json_schema_extra=_order_fields)

    store_url: str = Field(
        title="Store URL",
        description="The address buyers see.",
        examples=["https://store.easyorder.example/store/my-store"],
        json_schema_extra={"format": "uri"},
    )
    api_key: SecretStr = Field(
        title="API key",
        description="From the dashboard: account settings, Public API, Create New API Key. It is "
        "shown once. Permissions: products, categories and orders, each read and update; "
        "products and categories also create.",
        min_length=8,
        max_length=500,
    )
    currency: str = Field(
        default="EGP",
        title="Currency",
        description="ISO 4217. The store tells no currency anywhere, so it has to be entered.",
        pattern=r"^[A-Z]{3}$",
    )
    country: str = Field(
        default="EG",
        title="Country",
        description="ISO 3166-1 alpha-2, of the store's buyers: orders name none.",
        pattern=r"^[A-Z]{2}$",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        title="Secret of the orders webhook",
        description="The store makes it when the webhook is created: enter it afterwards. Without "
        "it no order is taken in.",
        min_length=8,
        max_length=500,
    )
    status_webhook_secret: SecretStr | None = Field(
        default=None,
        title="Secret of the order status webhook",
        description="Each webhook has a secret of its own.",
        min_length=8,
        max_length=500,
    )
    order_webhook_id: str | None = Field(
        default=None,
        title="Id of the orders webhook",
        description="As the dashboard shows it; for people.",
        max_length=100,
    )
    status_webhook_id: str | None = Field(
        default=None,
        title="Id of the order status webhook",
        description="As the dashboard shows it; for people.",
        max_length=100,
    )
    processing_word: ProcessingWord = Field(
        default=ProcessingWord.PROCESSING,
        title="Status for orders in processing",
        description="What an order is set to in the store when the hub has it in processing.",
    )
    updated_at_filter: UpdatedAtFilter = Field(
        default=UpdatedAtFilter.AUTO,
        title="Filter by modification time",
        description="Not documented. auto: tried, and everything is read where the store refuses "
        "or ignores it.",
    )
    sort_by: str = Field(
        default="created_at",
        title="Sort lists by",
        description="A field that only grows, so that pages do not move. Not documented; left out "
        "where the store refuses it.",
        pattern=r"^[a-z_]{0,40}$",
    )
    complete_products: bool = Field(
        default=True,
        title="Complete products",
        description="Read a product by itself where the list leaves out its description, pictures,"
        " categories or variants. Costs a request for each.",
    )
    variants_on_update: bool = Field(
        default=True,
        title="Send variants with updates",
        description="Whether an update of a product carries its variants, all of them with their "
        "ids, when they changed. Not documented whether the store merges or replaces them; "
        "switched off, changes of variants are reported as not supported.",
    )
    variant_sku_addressable: bool = Field(
        default=False,
        title="Stock by variant SKU",
        description="Whether the stock of a variant can be set by its code alone. Not documented.",
    )
    order_scan: bool = Field(
        default=False,
        title="Look for missed orders",
        description="Orders can only be found by webhook. With this, numbers after the highest "
        "known one are tried, by a route that is not documented.",
    )
    order_scan_limit: int = Field(
        default=10,
        title="Most numbers tried at a time",
        description="Each costs a request of the store's 40 a minute.",
        ge=1,
        le=_MOST_PROBED_ORDERS,
    )
    api_url: str = Field(
        default=DEFAULT_API_URL,
        title="API URL",
        description="Where the API is; change it only for another host of the same API.",
        json_schema_extra={"format": "uri"},
    )

    @field_validator("store_url", "api_url")
    @classmethod
    def _normalise(cls, value: str) -> str:
        return normalise_store_url(value)

    @field_validator("currency", "country", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("api_key", "webhook_secret", "status_webhook_secret")
    @classmethod
    def _printable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        text = value.get_secret_value().strip()
        # All of them travel in headers.
        if not re.fullmatch(r"[\x21-\x7e]+", text):
            raise ValueError("A key holds only letters, digits and signs, without spaces.")
        return SecretStr(text)
