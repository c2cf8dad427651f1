"""From WooCommerce's products and categories to canonical records. Pure.

Source: WooCommerce REST API docs (v3), and answers of WooCommerce 11.0.1. The same row gives the
same record, byte for byte: what the shop orders by name is sorted here by id.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from domain.errors import InvalidRecordError
from domain.money import ZERO, trimmed
from domain.pages import Pulled
from domain.records import Category, Image, InventoryLevel, Option, Product, Variant
from domain.statuses import ProductStatus
from providers._kit.assemble import assemble
from providers._kit.wire_values import read_name, read_utc, read_weight, to_optional_amount
from providers.woocommerce import leftovers
from providers.woocommerce.images import HUB_IMAGES, read_sources
from providers.woocommerce.rows import (
    AttributeRow,
    CategoryRow,
    ImageRow,
    ProductRow,
    SellableRow,
    TermRow,
    VariationRow,
)
from providers.woocommerce.wire import Row
from providers.woocommerce.writing import HUB_REF, find_meta

PRODUCT_STATUS: Final[Mapping[str, ProductStatus]] = {
    "publish": ProductStatus.ACTIVE,
    "draft": ProductStatus.DRAFT,
    "pending": ProductStatus.DRAFT,
    "future": ProductStatus.DRAFT,
    "private": ProductStatus.HIDDEN,
}

_HUBS_OWN: Final = frozenset((HUB_REF, HUB_IMAGES))


def to_category(row: Row[CategoryRow]) -> Pulled[Category]:
    """A category; WooCommerce keeps no modification time of it."""
    wire = row.wire
    parent = wire.get("parent")
    return Pulled(
        str(wire["id"]),
        assemble(
            Category,
            {
                "name": read_name(wire["name"]),
                "slug": wire.get("slug", ""),
                "parent_external_id": str(parent) if parent else None,
                "description": wire.get("description", ""),
                "position": wire.get("menu_order", 0),
                "extra": leftovers.CATEGORY.of(row.raw),
            },
        ),
    )


def to_product(
    row: Row[ProductRow], variations: Sequence[Row[VariationRow]], *, currency: str
) -> Pulled[Product]:
    """A product with its variants and stock levels.

    `variations` are those of this product, in its own order. A product that is not sold in
    variations has one variant, with the product's own id.
    """
    wire = row.wire
    attributes = wire.get("attributes", ())
    extra = leftovers.PRODUCT.of(row.raw)
    sources = _keep_hubs_own(extra)
    if sells_variations(wire):
        _keep_parents_own(wire, extra)
        variants = tuple(_variant(variation, attributes) for variation in variations)
        levels = [_level(variation.wire, wire) for variation in variations]
    else:
        variants = (_only_variant(wire),)
        levels = [_level(wire, wire)]
    options: tuple[Option, ...] = ()
    if attributes:
        options = tuple(_option(attribute) for attribute in attributes if _varies(attribute))
        if len(options) < len(attributes):
            extra["attributes"] = [
                {"name": read_name(attribute["name"]), "options": attribute.get("options", [])}
                for attribute in attributes
                if not _varies(attribute)
            ]
    status = wire.get("status", "")
    return Pulled(
        str(wire["id"]),
        assemble(
            Product,
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
                "tags": _names(wire.get("tags", ())),
                "images": tuple(_image(image, sources) for image in wire.get("images", ())),
                "options": options,
                "variants": variants,
                "created_at": read_utc(wire.get("date_created_gmt"), "date_created_gmt"),
                "extra": extra,
            },
        ),
        read_utc(wire.get("date_modified_gmt"), "date_modified_gmt"),
        tuple(level for level in levels if level is not None),
    )


def version_of_number(*rows: Mapping[str, Any]) -> datetime | None:
    """When the row that carries a number of stock was last saved; None where the shop does not say.

    Orders that take stock move it (measured on 11.0.1), or leave it as it is on older versions
    (woocommerce#40060); nothing sets it back. Of a variation that shares its product's number both
    rows count: it may have had its own before, and was saved when that ended.
    """
    dates = []
    for row in rows:
        with suppress(InvalidRecordError):
            dates.append(read_utc(row.get("date_modified_gmt"), "date_modified_gmt"))
    return max((date for date in dates if date is not None), default=None)


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


def _keep_hubs_own(extra: dict[str, Any]) -> Mapping[str, str]:
    """Our own key moves out of the meta data; gives where the pictures were fetched from."""
    meta = extra.get("meta_data")
    if not isinstance(meta, list):
        return {}
    reference = find_meta(meta, HUB_REF)
    sources = read_sources(meta)
    if reference is not None and isinstance(reference.get("value"), str):
        extra["hub_ref"] = reference["value"]
    if reference is not None or sources:
        kept = [
            entry
            for entry in meta
            if not (isinstance(entry, dict) and entry.get("key") in _HUBS_OWN)
        ]
        if kept:
            extra["meta_data"] = kept
        else:
            del extra["meta_data"]
    return sources


def _sold(wire: SellableRow) -> dict[str, Any]:
    price = to_optional_amount(wire.get("price"))
    regular = to_optional_amount(wire.get("regular_price"))
    is_reduced = price is not None and regular is not None and regular > price
    return {
        "external_id": str(wire["id"]),
        "title": "",
        "sku": wire.get("sku", ""),
        "barcode": wire.get("global_unique_id", ""),
        "price": price,
        "compare_at_price": regular if is_reduced else None,
        "option_values": {},
        "tracks_stock": bool(wire.get("manage_stock", False)),
        "in_stock": wire.get("stock_status", "instock") == "instock",
        "allows_backorder": wire.get("backorders", "no") != "no",
        "weight": read_weight(wire.get("weight")),
        "is_active": True,
        "extra": {},
    }


def _only_variant(wire: ProductRow) -> Variant:
    return assemble(Variant, _sold(wire))


def _variant(row: Row[VariationRow], attributes: Sequence[AttributeRow]) -> Variant:
    wire = row.wire
    extra = leftovers.VARIATION.of(row.raw)
    if image := wire.get("image"):
        extra["image"] = _image(image).model_dump(exclude_defaults=True)
    if wire.get("manage_stock") == "parent":
        extra["manage_stock"] = "parent"
    chosen = {
        read_name(attribute["name"]): option
        for attribute in wire.get("attributes", ())
        if (option := attribute.get("option"))
    }
    in_order = [read_name(attribute["name"]) for attribute in attributes]
    values = _sold(wire)
    values["title"] = read_name(wire.get("name", ""))
    values["option_values"] = {
        **{name: chosen[name] for name in in_order if name in chosen},
        **chosen,
    }
    values["is_active"] = wire.get("status", "publish") == "publish"
    values["extra"] = extra
    return assemble(Variant, values)


def _level(wire: SellableRow, parent: ProductRow) -> InventoryLevel | None:
    """What the shop has of it. A variation of "parent" stock shares the parent's quantity."""
    manages = wire.get("manage_stock")
    if not manages:
        return None
    rows: list[Mapping[str, Any]] = [wire]
    if manages == "parent" and parent.get("stock_quantity") is not None:
        rows.append(parent)
    quantity = rows[-1].get("stock_quantity")
    return assemble(
        InventoryLevel,
        {
            "variant_external_id": str(wire["id"]),
            "location_external_id": "default",
            "available": trimmed(Decimal(quantity)) if quantity else ZERO,
            "version": version_of_number(*rows),
        },
    )


def _ids(terms: Sequence[TermRow]) -> tuple[str, ...]:
    if len(terms) == 1:
        return (str(terms[0]["id"]),)
    return tuple(str(number) for number in sorted({term["id"] for term in terms}))


def _names(terms: Sequence[TermRow]) -> tuple[str, ...]:
    return tuple(sorted(read_name(term.get("name", "")) for term in terms)) if terms else ()


def _image(image: ImageRow, sources: Mapping[str, str] = MappingProxyType({})) -> Image:
    """A picture; one that the shop fetched for us keeps the address it was fetched from."""
    number = image.get("id")
    return assemble(
        Image,
        {
            "src": sources.get(str(number)) or image.get("src", ""),
            "external_id": str(number) if number else "",
            "name": read_name(image.get("name", "")),
            "alt": read_name(image.get("alt", "")),
        },
    )


def _varies(attribute: AttributeRow) -> bool:
    return attribute.get("variation", False)


def _option(attribute: AttributeRow) -> Option:
    return assemble(
        Option,
        {
            "name": read_name(attribute["name"]),
            "values": tuple(attribute.get("options", ())),
        },
    )
