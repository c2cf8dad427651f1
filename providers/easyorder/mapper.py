"""From EasyOrders' products and categories to canonical records. Pure.

Source: EasyOrders API docs, samples of "get product" and "get category".
"""

import re
from decimal import Decimal
from typing import Any, Final

from domain.entities import Entity
from domain.money import ZERO
from domain.pages import Pulled
from domain.records import Category, Image, InventoryLevel, Option, Product, Variant
from domain.statuses import ProductStatus
from providers.easyorder.manifest import UNKEPT
from providers.easyorder.wire import CategoryWire, ProductWire, VariantWire, quantity_of

HUB_REF: Final = re.compile(r"products-(?:[0-9a-f]{10}-)?[0-9]{1,19}")
"""Our own key, as we put it into `taager_code` of a product that we create."""

_VISIBLE: Final = "visible"
_HIDDEN: Final = "hidden"


def to_category(wire: CategoryWire) -> Pulled[Category]:
    """A category; the store keeps no modification time of it."""
    extra: dict[str, Any] = {}
    if wire.hidden:
        extra["hidden"] = True
    if wire.thumb:
        extra["thumb"] = wire.thumb
    record = Category(
        name=wire.name.strip(),
        slug=wire.slug,
        parent_external_id=wire.parent_id or None,
        position=wire.position,
        extra=extra,
    )
    return Pulled(wire.id, record, unkept=UNKEPT[Entity.CATEGORIES])


def to_product(wire: ProductWire, *, currency: str) -> Pulled[Product]:
    """A product with its variants and stock levels.

    A product without variants has one variant, with the product's own id. A list leaves out
    fields that a single read has, so only those which we ask a list for are kept in `extra`.
    """
    extra: dict[str, Any] = {}
    if wire.taager_code:
        extra["taager_code"] = wire.taager_code
    if HUB_REF.fullmatch(wire.taager_code):
        extra["hub_ref"] = wire.taager_code
    if wire.drop_shipping_provider:
        extra["drop_shipping_provider"] = wire.drop_shipping_provider
    if wire.is_free_shipping:
        extra["is_free_shipping"] = True
    if wire.variants and wire.sku:
        extra["sku"] = wire.sku
    variants = tuple(_variant(one, wire) for one in wire.variants) or (_only_variant(wire),)
    record = Product(
        title=wire.name.strip(),
        slug=wire.slug,
        status=ProductStatus.HIDDEN if wire.hidden else ProductStatus.ACTIVE,
        raw_status=_HIDDEN if wire.hidden else _VISIBLE,
        kind="variable" if wire.variants else "simple",
        description=wire.description,
        currency=currency,
        category_external_ids=tuple(sorted({one.id for one in wire.categories})),
        images=_images(wire),
        options=_options(wire),
        variants=variants,
        created_at=wire.created_at,
        extra=extra,
    )
    return Pulled(wire.id, record, wire.updated_at, _levels(wire), unkept=UNKEPT[Entity.PRODUCTS])


def selling_price(
    price: Decimal | None, sale_price: Decimal | None
) -> tuple[Decimal | None, Decimal | None]:
    """What a buyer pays, and the regular price while that is higher; a sale price of 0 is none."""
    if sale_price is not None and sale_price > 0 and (price is None or sale_price < price):
        return sale_price, price
    return price, None


def stock_of(wire: ProductWire, variant_id: str) -> Decimal | None:
    """How many there are of a variant; None: not counted, or no such variant."""
    if not wire.track_stock:
        return None
    if variant_id == wire.id:
        return quantity_of(wire.quantity)
    found = next((one for one in wire.variants if one.id == variant_id), None)
    return None if found is None else quantity_of(found.quantity)


def _images(wire: ProductWire) -> tuple[Image, ...]:
    """The thumb first, and no picture twice."""
    sources = dict.fromkeys(src for src in (wire.thumb, *wire.images) if src)
    return tuple(Image(src=src) for src in sources)


def _options(wire: ProductWire) -> tuple[Option, ...]:
    return tuple(
        Option(
            name=one.name.strip(),
            values=tuple(dict.fromkeys(prop.told for prop in one.props if prop.told)),
        )
        for one in wire.variations
    )


def _only_variant(wire: ProductWire) -> Variant:
    price, compare_at = selling_price(wire.price, wire.sale_price)
    return Variant(
        external_id=wire.id,
        sku=wire.sku.strip(),
        price=price,
        compare_at_price=compare_at,
        **_stock_rules(wire, wire.quantity),
    )


def _variant(one: VariantWire, wire: ProductWire) -> Variant:
    price, compare_at = selling_price(
        wire.price if one.price is None else one.price, one.sale_price
    )
    return Variant(
        external_id=one.id,
        sku=(one.taager_code or one.sku).strip(),
        price=price,
        compare_at_price=compare_at,
        # Options are named by text, which may carry spaces at its ends (docs, sample).
        option_values={
            prop.variation.strip(): prop.variation_prop.strip()
            for prop in one.variation_props
            if prop.variation.strip()
        },
        **_stock_rules(wire, one.quantity),
    )


def _stock_rules(wire: ProductWire, quantity: Decimal | None) -> dict[str, Any]:
    refuses = wire.track_stock and wire.disable_orders_for_no_stock
    return {
        "tracks_stock": wire.track_stock,
        "allows_backorder": wire.track_stock and not wire.disable_orders_for_no_stock,
        "in_stock": not refuses or quantity_of(quantity) > ZERO,
    }


def _levels(wire: ProductWire) -> tuple[InventoryLevel, ...]:
    if not wire.track_stock:
        return ()
    if not wire.variants:
        only = InventoryLevel(variant_external_id=wire.id, available=quantity_of(wire.quantity))
        return (only,)
    return tuple(
        InventoryLevel(variant_external_id=one.id, available=quantity_of(one.quantity))
        for one in wire.variants
    )
