"""What a shop sends beyond the canonical fields, and what of it is worth keeping.

`extra` keeps every field that is neither mapped, nor derived or volatile, nor empty, nor at
WooCommerce's usual value; fields of plug-ins are kept unless empty. Absent means empty or usual.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.woocommerce.rows import (
    CategoryRow,
    CustomerRow,
    LineRow,
    OrderRow,
    ProductRow,
    VariationRow,
)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What of a row goes to `extra`.

    Attributes:
        kept: fields that are kept unless empty.
        usual: fields that are kept unless they have this value.
        known: all fields there are without plug-ins; what is not among them is kept unless empty.
    """

    kept: tuple[str, ...]
    usual: tuple[tuple[str, Any], ...]
    known: frozenset[str]

    def of(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """What of a row goes to `extra`, in an order that does not depend on the row's."""
        extra = {name: value for name in self.kept if (value := raw.get(name))}
        for name, usual in self.usual:
            if raw.get(name, usual) != usual:
                extra[name] = raw[name]
        if not self.known.issuperset(raw):
            extra.update((name, raw[name]) for name in sorted(raw.keys() - self.known) if raw[name])
        return extra


def _leftovers(
    row: type, *, dropped: str, kept: str, usual: Mapping[str, Any] | None = None
) -> Leftovers:
    usual = usual or {}
    names = tuple(sorted(kept.split()))
    return Leftovers(
        kept=names,
        usual=tuple(sorted(usual.items())),
        known=_fields(row) | frozenset(names) | usual.keys() | frozenset(dropped.split()) | _NEVER,
    )


def _fields(row: type) -> frozenset[str]:
    """What the mapper reads of a row by name."""
    required: frozenset[str] = row.__dict__["__required_keys__"]
    optional: frozenset[str] = row.__dict__["__optional_keys__"]
    return required | optional


# Links to the shop's own routes, and times that are read as UTC or repeat it in the shop's zone.
_NEVER: Final = frozenset(("_links",)) | {
    f"date_{event}{zone}"
    for event in ("created", "modified", "paid", "completed")
    for zone in ("", "_gmt")
}
# These follow from other fields, the clock or the stock.
_DERIVED: Final = (
    "on_sale purchasable backorders_allowed backordered date_on_sale_from date_on_sale_to"
)
_SELLABLE: Final = (
    "date_on_sale_from_gmt date_on_sale_to_gmt downloadable downloads"
    " low_stock_amount menu_order meta_data sale_price shipping_class shipping_class_id"
    " tax_class virtual"
)
_USUAL: Final = {
    "dimensions": {"length": "", "width": "", "height": ""},
    "download_expiry": -1,
    "download_limit": -1,
    "tax_status": "taxable",
}

PRODUCT: Final = _leftovers(
    ProductRow,
    # These change without the product being touched, or follow from other fields.
    dropped=_DERIVED + " price_html related_ids total_sales average_rating rating_count has_options"
    " shipping_required shipping_taxable post_password parent_id",
    kept=_SELLABLE + " brands button_text cross_sell_ids default_attributes external_url featured"
    " grouped_products permalink purchase_note sold_individually upsell_ids",
    usual={**_USUAL, "catalog_visibility": "visible", "reviews_allowed": True},
)
VARIATION: Final = _leftovers(
    VariationRow,
    dropped=_DERIVED + " type permalink",
    kept=_SELLABLE + " description gallery_image_ids",
    usual=_USUAL,
)
CATEGORY: Final = _leftovers(
    CategoryRow,
    # This moves with the products.
    dropped="count",
    kept="image",
    usual={"display": "default"},
)
CUSTOMER: Final = _leftovers(CustomerRow, dropped="avatar_url meta_data", kept="role username")
ORDER: Final = _leftovers(
    OrderRow,
    # The order key opens the order's pages to whoever has it; the rest follows from the status.
    dropped="order_key payment_url is_editable needs_payment needs_processing currency_symbol",
    kept="parent_id created_via version prices_include_tax discount_tax shipping_tax cart_tax"
    " customer_ip_address customer_user_agent cart_hash meta_data",
)
LINE: Final = _leftovers(
    LineRow,
    # The price follows from the subtotal; picture and parent's name are the product's of today.
    dropped="price image parent_name",
    kept="tax_class subtotal_tax taxes meta_data global_unique_id",
)

_VISITS: Final = frozenset(("wc_last_active",))


def lasting_meta(meta: Any) -> list[Any]:
    """A customer's meta data without what moves with every visit."""
    if not isinstance(meta, list):
        return []
    return [
        entry for entry in meta if not (isinstance(entry, dict) and entry.get("key") in _VISITS)
    ]
