"""Bodies of `/api/providers`."""

from typing import Any

from pydantic import Field

from api.schemas.base import Answer, example


class ProviderAnswer(Answer):
    """An outside system that stores can be connected to."""

    slug: str
    title: str
    description: str
    documentation_url: str
    entities: list[str] = Field(description="What is imported, in this order")
    tracks_changes: list[str] = Field(description="Those the store can tell changes of")
    config_schema: dict[str, Any] = Field(description="JSON schema of the connection form")


class ProviderListAnswer(Answer):
    """All providers."""

    model_config = Answer.model_config | example(
        {
            "data": [
                {
                    "slug": "woocommerce",
                    "title": "WooCommerce",
                    "description": "Shops that run WordPress with WooCommerce",
                    "documentationUrl": "https://woocommerce.com/document/woocommerce-rest-api/",
                    "entities": ["categories", "products", "customers", "orders"],
                    "tracksChanges": ["products", "orders"],
                    "configSchema": {
                        "type": "object",
                        "required": ["storeUrl", "consumerKey", "consumerSecret"],
                        "properties": {
                            "storeUrl": {"type": "string", "title": "Store URL"},
                            "consumerKey": {
                                "type": "string",
                                "format": "password",
                                "writeOnly": True,
                            },
                        },
                    },
                }
            ]
        }
    )

    data: list[ProviderAnswer]
