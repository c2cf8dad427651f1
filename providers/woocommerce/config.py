"""The connection form of a WooCommerce shop."""

import re
from typing import Any, Final, Self

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from providers._kit.protocols import StoreConfig
from providers._kit.store_url import normalise_store_url

_API_PATH: Final = re.compile(r"/(?:wp-json(?:/.*)?|wp-admin(?:/.*)?|wp-login\.php|index\.php)$")
_FORM_ORDER: Final = ("storeUrl", "consumerKey", "consumerSecret", "webhookSecret")


def _order_fields(schema: dict[str, Any]) -> None:
    properties = schema["properties"]
    schema["properties"] = {name: properties[name] for name in _FORM_ORDER}


class WooCommerceConfig(StoreConfig):
    """What a merchant enters to connect a shop."""

    model_config = ConfigDict(title="WooCommerce", json_schema_extra=_order_fields)

    store_url: str = Field(
        title="Store URL",
        description="The shop's home address, with its folder if it has one.",
        examples=["https://shop.example"],
        json_schema_extra={"format": "uri"},
    )
    consumer_key: SecretStr = Field(
        title="Consumer key",
        description="From WooCommerce, Settings, Advanced, REST API. Begins with ck_.",
        min_length=8,
        max_length=200,
    )
    consumer_secret: SecretStr = Field(
        title="Consumer secret",
        description="Shown once beside the key. Begins with cs_.",
        min_length=8,
        max_length=200,
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        title="Webhook secret",
        description="Signs the shop's webhooks. Left empty, one is made.",
        min_length=1,
        max_length=1_000,
    )

    @field_validator("store_url")
    @classmethod
    def _normalise(cls, value: str) -> str:
        return normalise_store_url(value, strip_path=_API_PATH)

    @field_validator("consumer_key", "consumer_secret")
    @classmethod
    def _printable(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value().strip()
        # Both travel in headers and in signature keys.
        if not re.fullmatch(r"[\x21-\x7e]+", text):
            raise ValueError("A key holds only letters, digits and signs, without spaces.")
        return SecretStr(text)

    @model_validator(mode="after")
    def _not_swapped(self) -> Self:
        if self.consumer_key.get_secret_value().startswith("cs_"):
            raise ValueError("The consumer key begins with cs_: key and secret are swapped.")
        return self
