"""What a shop sends beyond the canonical fields, and what of it is worth keeping.

`extra` keeps every field that is neither mapped, nor derived or volatile, nor empty, nor at
WooCommerce's usual value; fields of plug-ins are kept this way too. Absent means empty or usual.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from providers.woocommerce.wire import (
    CategoryRow,
    CustomerRow,
    LineRow,
    OrderRow,
    ProductRow,
    VariationRow,
)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Which fields of a row are not for `extra`, and which values are not worth keeping."""

    taken: frozenset[str]
    usual: Mapping[str, Any] = field(default_factory=dict)

    def of(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """What of a row goes to `extra`, by name."""
        taken, usual = self.taken, self.usual
        kept = {
            name: value
            for name, value in raw.items()
            if name not in taken and (value or name in usual) and usual.get(name) != value
        }
        return dict(sorted(kept.items())) if len(kept) > 1 else kept


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _fields(row: type) -> frozenset[str]:
    """What the mapper reads of a row by name."""
    required: frozenset[str] = row.__dict__["__required_keys__"]
    optional: frozenset[str] = row.__dict__["__optional_keys__"]
    return required | optional


_LINKS: Final = frozenset(("_links",))
# Either read as UTC, or the same moment in the shop's own time zone.
_DATES: Final = frozenset(
    f"date_{event}{zone}"
    for event in ("created", "modified", "paid", "completed")
    for zone in ("", "_gmt")
)
# Follow from other fields, the clock or the stock.
_DERIVED: Final = _LINKS | _DATES | _names("on_sale purchasable backorders_allowed backordered")
_LOCAL_SALE_DATES: Final = _names("date_on_sale_from date_on_sale_to")
_USUAL_SELLABLE: Final = {
    "download_expiry": -1,
    "download_limit": -1,
    "dimensions": {"length": "", "width": "", "height": ""},
    "tax_status": "taxable",
}

PRODUCT: Final = Leftovers(
    taken=_fields(ProductRow)
    | _DERIVED
    | _LOCAL_SALE_DATES
    # Change without the product being touched, or follow from other fields.
    | _names(
        "price_html related_ids total_sales average_rating rating_count has_options"
        " shipping_required shipping_taxable post_password"
    ),
    usual={**_USUAL_SELLABLE, "catalog_visibility": "visible", "reviews_allowed": True},
)
VARIATION: Final = Leftovers(
    taken=_fields(VariationRow) | _DERIVED | _LOCAL_SALE_DATES | _names("type permalink"),
    usual=_USUAL_SELLABLE,
)
CATEGORY: Final = Leftovers(
    # `count` moves with the products.
    taken=_fields(CategoryRow) | _LINKS | _names("count"),
    usual={"display": "default"},
)
CUSTOMER: Final = Leftovers(
    taken=_fields(CustomerRow) | _LINKS | _DATES | _names("avatar_url meta_data")
)
ORDER: Final = Leftovers(
    taken=_fields(OrderRow)
    | _LINKS
    | _DATES
    # The order key opens the order's pages to whoever has it; the rest follows from the status.
    | _names("order_key payment_url is_editable needs_payment needs_processing currency_symbol")
)
LINE: Final = Leftovers(
    # The price follows from the subtotal; picture and parent's name are the product's of today.
    taken=_fields(LineRow) | _names("price image parent_name")
)

_VISITS: Final = frozenset(("wc_last_active",))


def lasting_meta(meta: Any) -> list[Any]:
    """A customer's meta data without what moves with every visit."""
    if not isinstance(meta, list):
        return []
    return [
        entry for entry in meta if not (isinstance(entry, dict) and entry.get("key") in _VISITS)
    ]
