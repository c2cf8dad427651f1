"""From canonical records to the bodies of writes: only what changed. Pure.

Source: EasyOrders API docs, "create product", "update product", "create category".
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from domain.entities import Entity
from domain.fields import field_of, paths_between
from domain.money import ZERO
from domain.records import Category, Product, Record, Variant
from domain.statuses import ProductStatus
from providers.easyorder.manifest import UNKEPT
from providers.easyorder.wire import ProductWire, VariationWire

_VARIANTS: Final = "variants."
_SKUS: Final = "sku"
_VISIBILITY: Final[Mapping[ProductStatus, bool]] = {
    ProductStatus.ACTIVE: False,
    ProductStatus.DRAFT: True,
    ProductStatus.HIDDEN: True,
}
"""`hidden` of a status; one we do not know is left as it is."""


def changed_paths(entity: Entity, record: Record, base: Record | None) -> frozenset[str] | None:
    """What differs from what was agreed on, as far as the store keeps it; None: send everything."""
    if base is None:
        return None
    pairs = paths_between(entity, record, base)
    unkept = UNKEPT.get(entity, frozenset())
    changed = {
        path
        for path, (mine, theirs) in pairs.items()
        if mine != theirs and field_of(path) not in unkept
    }
    if isinstance(record, Product) and any(not one.external_id for one in record.variants):
        changed.add(_VARIANTS)
    return frozenset(changed)


def changes_variants(changed: frozenset[str] | None) -> bool:
    """Whether variants, or what tells them apart, have to be sent."""
    return changed is None or any(
        path.startswith(_VARIANTS) or path == "options" for path in changed
    )


def category_body(
    category: Category, changed: frozenset[str] | None, *, key: str
) -> dict[str, Any]:
    """The body of a category. It has no description in the store."""
    body: dict[str, Any] = {}
    if _goes("name", changed):
        body["name"] = category.name
    if _goes("slug", changed):
        body["slug"] = category.slug or _slug_of(key)
    if _goes("parent_external_id", changed):
        body["parent_id"] = category.parent_external_id
    if _goes("position", changed):
        body["position"] = category.position
    return body


def product_body(product: Product, changed: frozenset[str] | None, *, key: str) -> dict[str, Any]:
    """The body of a product without its variants."""
    body: dict[str, Any] = {}
    if _goes("title", changed):
        body["name"] = product.title
    if _goes("slug", changed):
        # "English, unique" (docs).
        body["slug"] = product.slug if product.slug.isascii() and product.slug else _slug_of(key)
    if _goes("status", changed) and product.status in _VISIBILITY:
        body["hidden"] = _VISIBILITY[product.status]
    if _goes("description", changed):
        body["description"] = product.description
    if _goes("images", changed):
        sources = [image.src for image in product.images]
        body |= {"thumb": sources[0] if sources else "", "images": sources[1:]}
    if _goes("category_external_ids", changed):
        body["categories"] = [{"id": one} for one in product.category_external_ids]
    return body


def is_simple(product: Product, external_id: str | None) -> bool:
    """Whether a product is sold as it is: one variant, which nothing tells apart."""
    if len(product.variants) != 1:
        return not product.variants
    only = product.variants[0]
    return not only.option_values and only.external_id in ("", external_id)


def only_variant_body(product: Product, changed: frozenset[str] | None) -> dict[str, Any]:
    """What a product without variants says of its price, code and stock rules."""
    if not product.variants:
        return {}
    only = product.variants[0]
    touched = _touched(changed, only.external_id)
    body: dict[str, Any] = {}
    if touched is None or touched & {"price", "compare_at_price"}:
        body |= prices(only)
    if touched is None or _SKUS in touched:
        body["sku"] = only.sku
    if touched is None or touched & {"tracks_stock", "allows_backorder"}:
        body |= _stock_rules(only)
    return body


def variants_body(product: Product, now: ProductWire | None, *, key: str) -> dict[str, Any]:
    """All variants of a product, with their ids, and the variations they name.

    What the store has `now` is kept: the texts exactly as it writes them, and the quantities,
    which are set apart from this.
    """
    held = now.variations if now is not None else ()
    quantities = {one.id: one.quantity for one in now.variants} if now is not None else {}
    first = product.variants[0]
    return {
        **prices(first),
        **_stock_rules(first),
        "taager_code": (now.taager_code if now is not None else "") or key,
        "variations": [
            _variation(option.name, option.values, _exact(held, option.name))
            for option in product.options
        ],
        "variants": [
            {
                **({"id": one.external_id} if one.external_id in quantities else {}),
                **prices(one),
                "quantity": quantities.get(one.external_id) or ZERO,
                "taager_code": one.sku,
                "variation_props": [
                    _chosen(_exact(held, name), name, value)
                    for name, value in one.option_values.items()
                ],
            }
            for one in product.variants
        ],
    }


def prices(variant: Variant) -> dict[str, Decimal]:
    """`price` is the regular one, and a `sale_price` of 0 is none (docs)."""
    price, regular = variant.price, variant.compare_at_price
    if price is None:
        return {}
    if regular is not None and regular > price:
        return {"price": regular, "sale_price": price}
    return {"price": price, "sale_price": ZERO}


def lacks_price(product: Product) -> bool:
    """Whether something of it could not be sold: the store wants a price for everything."""
    return not product.variants or any(one.price is None for one in product.variants)


def _stock_rules(variant: Variant) -> dict[str, bool]:
    return {
        "track_stock": variant.tracks_stock,
        "disable_orders_for_no_stock": variant.tracks_stock and not variant.allows_backorder,
    }


def _variation(name: str, values: Sequence[str], held: VariationWire | None) -> dict[str, Any]:
    known = {prop.told: prop for prop in held.props} if held is not None else {}
    props = [
        {"name": known[value].name, "value": known[value].value}
        if value in known
        else {"name": value, "value": value}
        for value in values
    ]
    if held is None:
        return {"name": name, "type": "dropdown", "props": props}
    return {"name": held.name, "type": held.type or "dropdown", "props": props}


def _chosen(held: VariationWire | None, name: str, value: str) -> dict[str, str]:
    props = held.props if held is not None else ()
    exact = next((prop.value or prop.name for prop in props if prop.told == value), value)
    return {"variation": held.name if held is not None else name, "variation_prop": exact}


def _exact(held: Sequence[VariationWire], name: str) -> VariationWire | None:
    return next((one for one in held if one.name.strip() == name.strip()), None)


def _goes(path: str, changed: frozenset[str] | None) -> bool:
    return changed is None or path in changed


def _touched(changed: frozenset[str] | None, external_id: str) -> set[str] | None:
    if changed is None or _VARIANTS in changed:
        return None
    prefix = f"{_VARIANTS}{external_id}"
    if prefix in changed:
        return None
    return {path.removeprefix(f"{prefix}.") for path in changed if path.startswith(f"{prefix}.")}


def _slug_of(key: str) -> str:
    return key.replace("_", "-").lower()
