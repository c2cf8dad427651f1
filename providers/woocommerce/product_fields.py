"""What of a product or variant is sent, and how the shop spells it. Pure.

Source: WooCommerce REST API docs (v3, products and product variations). `price` is computed by the
shop: the regular and the sale price are set. Sub-lists (categories, images, attributes) are
replaced as a whole.
"""

from collections.abc import Mapping
from typing import Any, Final

from domain.records import Product, Variant
from domain.statuses import ProductStatus
from providers.woocommerce.mapper import PRODUCT_STATUS
from providers.woocommerce.writing import (
    Field,
    amount_text,
    changed_fields,
    is_held,
    new_fields,
    store_number,
)

_STATUS: Final[Mapping[ProductStatus, str]] = {
    ProductStatus.ACTIVE: "publish",
    ProductStatus.DRAFT: "draft",
    ProductStatus.HIDDEN: "private",
}
UNPUBLISHED: Final = "draft"
_VARIABLE: Final = "variable"


def sells_variants(product: Product) -> bool:
    """Whether it has to be a `variable` product: several variants, or one with options."""
    return (
        product.kind.startswith(_VARIABLE)
        or len(product.variants) > 1
        or any(variant.option_values for variant in product.variants)
    )


def status_word(product: Product) -> str:
    """The shop's status; its own word where that means the same (`pending` is a draft too)."""
    if PRODUCT_STATUS.get(product.raw_status) is product.status:
        return product.raw_status
    return _STATUS.get(product.status, "")


def _category_rows(product: Product) -> list[dict[str, int]]:
    numbers = map(store_number, product.category_external_ids)
    return [{"id": number} for number in sorted({number for number in numbers if number})]


_PRODUCT: Final[tuple[Field[Product], ...]] = (
    Field("name", "title", lambda product: product.title, keep_filled=True),
    Field("slug", "slug", lambda product: product.slug, keep_filled=True),
    Field("status", "status", status_word, keep_filled=True),
    Field("description", "description", lambda product: product.description),
    Field("short_description", "short_description", lambda product: product.short_description),
    Field("categories", "category_external_ids", _category_rows),
)

_VARIANT: Final[tuple[Field[Variant], ...]] = (
    Field("sku", "sku", lambda variant: variant.sku),
    Field("global_unique_id", "barcode", lambda variant: variant.barcode),
    Field("manage_stock", "tracks_stock", lambda variant: variant.tracks_stock),
    Field("weight", "weight", lambda variant: amount_text(variant.weight)),
)


def product_changes(
    product: Product, base: Product | None, held: frozenset[str], *, is_forced: bool = False
) -> dict[str, Any]:
    """The changed members of a product itself, without tags, pictures and attributes; forced, those
    that are as they were too."""
    changes = changed_fields(_PRODUCT, product, None if is_forced else base, held)
    if base is not None and sells_variants(product) and not sells_variants(base):
        # Its variations bear the SKUs from now on, and a SKU is borne once.
        changes |= {"type": _VARIABLE, "sku": ""}
    return changes


def spared(product: Product, base: Product) -> frozenset[str]:
    """The paths that are left out also by force while they are as both sides agreed.

    A shop may hold a SKU or barcode twice (it came with an import, say), and refuses both products
    when either says its own again. Source: `WC_Product::set_sku` and `set_global_unique_id`. And a
    variation that leaves the counting to its product would begin to count for itself, from what all
    of them share, and the shop's stock would multiply.
    """
    known = {one.external_id: one for one in base.variants}
    paths = set[str]()
    for variant in product.variants:
        before = known.get(variant.external_id)
        if before is None:
            continue
        # The one variant of a simple product has the product's id, and is no variation.
        names = ("sku", "barcode", *(("tracks_stock",) if sells_variants(product) else ()))
        same = (name for name in names if getattr(variant, name) == getattr(before, name))
        paths |= {f"variants.{variant.external_id}.{name}" for name in same}
    return frozenset(paths)


def new_product(product: Product) -> dict[str, Any]:
    """The members of a product to create, without tags, pictures and attributes."""
    members = new_fields(_PRODUCT, product)
    # Without a status the shop would publish it.
    members.setdefault("status", UNPUBLISHED)
    if sells_variants(product):
        return {**members, "type": _VARIABLE}
    if product.kind == "external":
        links = {
            name: product.extra[name]
            for name in ("external_url", "button_text")
            if product.extra.get(name)
        }
        return {**members, **links, "type": "external"}
    return {**members, "type": "simple"}


def variant_changes(
    variant: Variant,
    base: Variant | None,
    held: frozenset[str],
    beside: Mapping[str, Any],
    *,
    is_forced: bool = False,
) -> dict[str, Any]:
    """The changed members of what is sold: of a simple product, or of a variation; forced, those
    that are as they were too, but for a sale that is only planned, which the `extra` of its row
    (`beside`) shows."""
    prefix = f"variants.{variant.external_id}."
    compared = None if is_forced else base
    changes = changed_fields(_VARIANT, variant, compared, held, prefix=prefix)
    if not (is_held(held, f"{prefix}price") or is_held(held, f"{prefix}compare_at_price")):
        ends_sale = is_forced and not beside.get("sale_price")
        changes |= _prices(variant, base, is_forced=is_forced, ends_sale=ends_sale)
    changes |= _stock_rules(variant, base, held, prefix)
    return changes


def new_variant(variant: Variant) -> dict[str, Any]:
    """The members of what is sold, to create it. How many there are is pushed by itself."""
    members = new_fields(_VARIANT, variant) | {
        name: value for name, value in _prices(variant, None).items() if value
    }
    return members | _stock_rules(variant, None, frozenset(), "")


def _prices(
    variant: Variant, base: Variant | None, *, is_forced: bool = False, ends_sale: bool = False
) -> dict[str, str]:
    """Regular and sale price. A sale that is only planned is left alone, unless `ends_sale`."""
    reduced = variant.compare_at_price is not None
    is_alike = base is not None and (variant.price, variant.compare_at_price) == (
        base.price,
        base.compare_at_price,
    )
    if is_alike and not is_forced:
        return {}
    regular = variant.compare_at_price if reduced else variant.price
    prices = {"regular_price": amount_text(regular)}
    if reduced:
        prices["sale_price"] = amount_text(variant.price)
    elif base is None or base.compare_at_price is not None or ends_sale:
        prices["sale_price"] = ""
    return prices


def _stock_rules(
    variant: Variant, base: Variant | None, held: frozenset[str], prefix: str
) -> dict[str, Any]:
    """Back orders, and whether there are any where nobody counts (else the shop derives it)."""
    rules: dict[str, Any] = {}
    backorders = variant.allows_backorder
    if backorders != (base.allows_backorder if base is not None else False) and not is_held(
        held, f"{prefix}allows_backorder"
    ):
        rules["backorders"] = "yes" if backorders else "no"
    if variant.tracks_stock or is_held(held, f"{prefix}in_stock"):
        return rules
    if base is None or base.tracks_stock or base.in_stock != variant.in_stock:
        rules["stock_status"] = "instock" if variant.in_stock else "outofstock"
    return rules
