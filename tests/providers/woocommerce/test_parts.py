"""What of a record a body names that does not hold all of it."""

import json
from typing import Any

import pytest

from domain.deliveries import Delivery, Hint
from domain.entities import Entity
from providers._kit.manifest import StoreFacts
from providers._kit.parts import ReadsParts
from providers.woocommerce.config import WooCommerceConfig
from providers.woocommerce.webhooks import WooCommerceWebhooks

FACTS = StoreFacts(store_url="https://shop.example", currency="EUR")
CONFIG = WooCommerceConfig.model_validate(
    {
        "storeUrl": "https://shop.example",
        "consumerKey": "ck_" + "0" * 40,
        "consumerSecret": "cs_" + "0" * 40,
    }
)


def part_of(topic: str, data: Any) -> dict[str, Any]:
    webhooks = WooCommerceWebhooks()
    assert isinstance(webhooks, ReadsParts)
    delivery = Delivery("test", {}, json.dumps(data).encode(), topic)
    return dict(webhooks.read_part(CONFIG, FACTS, delivery))


@pytest.mark.parametrize(
    ("topic", "data", "part"),
    [
        (
            "product.updated",
            {"id": 123, "name": "Test Product", "stock_quantity": 50},
            {"title": "Test Product", "variants.123.available": "50"},
        ),
        ("product.updated", {"id": 1}, {}),
        # What is left out is not empty, and what is empty is said.
        ("product.updated", {"id": 1, "description": ""}, {"description": ""}),
        ("product.updated", {"id": 1, "sku": "TEA"}, {"variants.1.sku": "TEA"}),
        ("product.updated", {"id": 1, "regular_price": "12"}, {"variants.1.price": "12"}),
        (
            "product.updated",
            {"id": 1, "regular_price": "12", "sale_price": "9"},
            {
                "variants.1.price": "9",
                "variants.1.compare_at_price": "12",
                "extra.sale_price": "9",
            },
        ),
        (
            "product.updated",
            {"id": 1, "status": "draft"},
            {"status": "draft", "raw_status": "draft"},
        ),
        ("product.updated", {"id": 1, "a_plugin_s": "x"}, {"extra.a_plugin_s": "x"}),
        (
            "customer.updated",
            {"id": 3, "billing": {"city": "Galle"}},
            {"billing.city": "Galle"},
        ),
        (
            "order.updated",
            {"id": 4, "status": "on-hold", "total": "5.50"},
            {"status": "on_hold", "raw_status": "on-hold", "total": "5.5"},
        ),
        # What cannot be understood, or is about something else, says nothing.
        ("product.updated", {"id": 1, "regular_price": "cheap"}, {}),
        ("product.updated", {"name": "No id"}, {}),
        ("product.updated", {"id": 7, "type": "variation", "parent_id": 3, "sku": "X"}, {}),
        ("coupon.updated", {"id": 1, "code": "X"}, {}),
        ("product.updated", [1], {}),
    ],
)
def test_a_part_is_what_the_body_decides(topic: str, data: Any, part: dict[str, Any]) -> None:
    assert part_of(topic, data) == part


def test_the_documents_example_is_never_read_as_the_record() -> None:
    data = {"id": 123, "name": "Test Product", "stock_quantity": 50}
    delivery = Delivery("test", {}, json.dumps(data).encode(), "product.updated")
    assert WooCommerceWebhooks().read(CONFIG, FACTS, delivery) == Hint(Entity.PRODUCTS, "123")
