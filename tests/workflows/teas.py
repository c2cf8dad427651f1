"""A product for two stores, and what each of them makes of it."""

from typing import Any

from tests.workflows.two_stores import CURRENCY, Pair


def tea(**changes: Any) -> dict[str, Any]:
    """A product of the hub with two variants and stock."""
    return {
        "title": "Tea",
        "slug": "tea",
        "currency": CURRENCY,
        "tags": ["black"],
        "shortDescription": "In short",
        "variants": [
            {
                "sku": f"TEA-{size}",
                "price": price,
                "barcode": f"40000000000{place}",
                "weight": "0.25",
                "optionValues": {"Size": size},
                "quantity": "10",
            }
            for place, (size, price) in enumerate((("S", "10.00"), ("L", "18.00")))
        ],
        **changes,
    }


def woo_variants(pair: Pair) -> dict[str, dict[str, Any]]:
    """WooCommerce's variations by SKU."""
    return {row["sku"]: row for row in pair.woo_rows("variations")}


def easy_variants(pair: Pair) -> dict[str, dict[str, Any]]:
    """EasyOrder's variants by their code."""
    return {
        one["taager_code"]: one for row in pair.easy_rows("products") for one in row["variants"]
    }
