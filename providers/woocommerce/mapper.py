"""From WooCommerce's rows to canonical records. Pure.

Source: WooCommerce REST API docs (v3), and answers of WooCommerce 11.0.1. The same row gives the
same record, byte for byte: what the shop orders by name or by chance is sorted here by id.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.pages import Pulled
from domain.records import Category, Customer, InventoryLevel, Product
from domain.statuses import ProductStatus
from providers._kit.wire_values import (
    read_amount,
    read_name,
    read_optional_amount,
    read_utc,
)
from providers.woocommerce import leftovers
from providers.woocommerce.wire import (
    AttributeRow,
    CategoryRow,
    CustomerRow,
    ImageRow,
    ProductRow,
    Row,
    SellableRow,
    TermRow,
    VariationRow,
)

PRODUCT_STATUS: Final[Mapping[str, ProductStatus]] = {
    "publish": ProductStatus.ACTIVE,
    "draft": ProductStatus.DRAFT,
    "pending": ProductStatus.DRAFT,
    "future": ProductStatus.DRAFT,
    "private": ProductStatus.HIDDEN,
}


def to_category(row: Row[CategoryRow]) -> Pulled[Category]:
    """A category; WooCommerce keeps no modification time of it."""
    wire = row.wire
    parent = wire.get("parent", 0)
    return Pulled(
        str(wire["id"]),
        Category.model_validate(
            {
                "name": read_name(wire["name"]),
                "slug": wire.get("slug", ""),
                "parent_external_id": str(parent) if parent else None,
                "description": wire.get("description", ""),
                "position": wire.get("menu_order", 0),
                "extra": leftovers.CATEGORY.of(row.raw),
            }
        ),
    )


def to_customer(row: Row[CustomerRow]) -> Pulled[Customer]:
    """A registered customer."""
    wire = row.wire
    billing, shipping = wire.get("billing", {}), wire.get("shipping", {})
    extra = leftovers.CUSTOMER.of(row.raw)
    meta = leftovers.lasting_meta(row.raw.get("meta_data"))
    if meta:
        extra = dict(sorted({**extra, "meta_data": meta}.items()))
    return Pulled(
        str(wire["id"]),
        Customer.model_validate(
            {
                "email": wire.get("email", "") or billing.get("email", ""),
                "phone": billing.get("phone", "") or shipping.get("phone", ""),
                "first_name": wire.get("first_name", ""),
                "last_name": wire.get("last_name", ""),
                "is_paying": wire.get("is_paying_customer", False),
                "billing": billing,
                "shipping": shipping,
                "created_at": read_utc(wire.get("date_created_gmt"), "date_created_gmt"),
                "extra": extra,
            }
        ),
        read_utc(wire.get("date_modified_gmt"), "date_modified_gmt"),
    )


def to_product(
    row: Row[ProductRow], variations: Sequence[Row[VariationRow]], *, currency: str
) -> Pulled[Product]:
    """A product with its variants and stock levels.

    `variations` are those of this product, in its own order. A product that is not sold in
    variations has one variant, with the product's own id.
    """
    wire = row.wire
    options = wire.get("attributes", ())
    extra = leftovers.PRODUCT.of(row.raw)
    if sells_variations(wire):
        variants = [_variant(variation, options) for variation in variations]
        levels = [_level(variation.wire, wire) for variation in variations]
        _keep_parents_own(wire, extra)
    else:
        variants = [{**_sold(wire), "external_id": str(wire["id"])}]
        levels = [_level(wire, wire)]
    unvaried = [attribute for attribute in options if not attribute.get("variation")]
    if unvaried:
        extra["attributes"] = unvaried
    status = wire.get("status", "")
    return Pulled(
        str(wire["id"]),
        Product.model_validate(
            {
                "title": read_name(wire.get("name", "")),
                "slug": wire.get("slug", ""),
                "status": PRODUCT_STATUS.get(status, ProductStatus.UNKNOWN),
                "raw_status": status,
                "kind": wire.get("type", "simple"),
                "description": wire.get("description", ""),
                "short_description": wire.get("short_description", ""),
                "currency": currency,
                "category_external_ids": _ids(wire.get("categories", ())),
                "tags": sorted(read_name(tag.get("name", "")) for tag in wire.get("tags", ())),
                "images": [_image(image) for image in wire.get("images", ())],
                "options": [
                    {"name": read_name(option["name"]), "values": option.get("options", ())}
                    for option in options
                    if option.get("variation")
                ],
                "variants": variants,
                "created_at": read_utc(wire.get("date_created_gmt"), "date_created_gmt"),
                "extra": extra,
            }
        ),
        read_utc(wire.get("date_modified_gmt"), "date_modified_gmt"),
        tuple(level for level in levels if level is not None),
    )


def sells_variations(wire: ProductRow) -> bool:
    """Whether the product's variations are what is sold (`variable` and its kin)."""
    return bool(wire.get("variations")) or wire.get("type", "simple").startswith("variable")


def _keep_parents_own(wire: ProductRow, extra: dict[str, Any]) -> None:
    if sku := wire.get("sku"):
        extra["sku"] = sku
    if barcode := wire.get("global_unique_id"):
        extra["global_unique_id"] = barcode
    if weight := wire.get("weight"):
        extra["weight"] = weight


def _sold(wire: SellableRow) -> dict[str, Any]:
    price = read_optional_amount(wire.get("price"), "price")
    regular = read_optional_amount(wire.get("regular_price"), "regular_price")
    return {
        "sku": wire.get("sku", ""),
        "barcode": wire.get("global_unique_id", ""),
        "price": price,
        "compare_at_price": regular
        if regular is not None and price is not None and regular > price
        else None,
        "tracks_stock": bool(wire.get("manage_stock", False)),
        "in_stock": wire.get("stock_status", "instock") == "instock",
        "allows_backorder": wire.get("backorders", "no") != "no",
        "weight": read_optional_amount(wire.get("weight"), "weight"),
    }


def _variant(row: Row[VariationRow], options: Sequence[AttributeRow]) -> dict[str, Any]:
    wire = row.wire
    extra = leftovers.VARIATION.of(row.raw)
    if image := wire.get("image"):
        extra["image"] = _image(image)
    if wire.get("manage_stock") == "parent":
        extra["manage_stock"] = "parent"
    chosen = {
        read_name(attribute["name"]): attribute.get("option", "")
        for attribute in wire.get("attributes", ())
        if attribute.get("option")
    }
    in_order = [read_name(option["name"]) for option in options]
    return {
        **_sold(wire),
        "external_id": str(wire["id"]),
        "title": read_name(wire.get("name", "")),
        "option_values": {
            **{name: chosen[name] for name in in_order if name in chosen},
            **chosen,
        },
        "is_active": wire.get("status", "publish") == "publish",
        "extra": extra,
    }


def _level(wire: SellableRow, parent: ProductRow) -> InventoryLevel | None:
    """What the shop has of it. A variation of "parent" stock shows the parent's quantity."""
    manages = wire.get("manage_stock", False)
    if not manages:
        return None
    quantity = wire.get("stock_quantity")
    if manages == "parent" and parent.get("stock_quantity") is not None:
        quantity = parent.get("stock_quantity")
    return InventoryLevel.model_validate(
        {
            "variant_external_id": str(wire["id"]),
            "available": read_amount(quantity, "stock_quantity"),
        }
    )


def _ids(terms: Sequence[TermRow]) -> list[str]:
    if len(terms) == 1:
        return [str(terms[0]["id"])]
    return [str(number) for number in sorted({term["id"] for term in terms})]


def _image(image: ImageRow) -> dict[str, str]:
    number = image.get("id", 0)
    return {
        "src": image.get("src", ""),
        "external_id": str(number) if number else "",
        "name": read_name(image.get("name", "")),
        "alt": read_name(image.get("alt", "")),
    }
