"""Seeded variations as WooCommerce 11.0.1 shows them (key order as captured)."""

from functools import lru_cache
from urllib.parse import quote

from sandbox.woocommerce import words
from sandbox.woocommerce.catalogue import Catalogue, links, product_stock, stamps
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.seed import scatter, variation_price
from sandbox.woocommerce.table import Row


def seeded_variation(catalogue: Catalogue, row: Row) -> Document:
    """The REST document of a seeded variation; `row.index` is its parent's."""
    f = catalogue.facts(row.index)
    ordinal = row.id - row.parent - 1
    bits = scatter(catalogue.seed.seed, 2, row.id)
    chosen = variation_options(ordinal)
    price = catalogue.amount(variation_price(f, ordinal))
    shared = product_stock(f)
    managed: bool | str = bits % 3 > 0 or ("parent" if shared is not None else False)
    query = "&".join(f"attribute_{slug}={quote(option)}" for _, _, slug, _, option in chosen)
    private = ordinal == 1 and row.index % 40 == 3
    stock = (bits >> 8) % 40 if managed is True else shared
    return {
        "id": row.id,
        "type": "variation",
        **stamps(row.created, row.modified),
        "description": "",
        "permalink": f"{catalogue.home}/product/{f.slug}/?{query}",
        "sku": f"{f.sku}-{ordinal + 1}" if f.sku else "",
        "global_unique_id": "",
        "price": price,
        "regular_price": price,
        "sale_price": "",
        "date_on_sale_from": None,
        "date_on_sale_from_gmt": None,
        "date_on_sale_to": None,
        "date_on_sale_to_gmt": None,
        "on_sale": False,
        "status": "private" if private else "publish",
        "purchasable": not private,
        "virtual": False,
        "downloadable": False,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
        "tax_status": "taxable",
        "tax_class": "",
        "manage_stock": managed,
        "stock_quantity": stock,
        "stock_status": "outofstock" if stock == 0 else "instock",
        "backorders": "no",
        "backorders_allowed": False,
        "backordered": False,
        "low_stock_amount": None,
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_class": "",
        "shipping_class_id": 0,
        "image": None,
        "gallery_image_ids": [],
        "attributes": [
            {"id": n, "name": name, "slug": slug, "option": label}
            for n, name, slug, label, _ in chosen
        ],
        "menu_order": 0,
        "meta_data": [],
        "name": ", ".join(label for _, _, _, label, _ in chosen),
        "parent_id": row.parent,
        "_links": links(
            catalogue.home,
            f"products/{row.parent}/variations",
            row.id,
            up=[{"href": f"{catalogue.home}/wp-json/wc/v3/products/{row.parent}"}],
        ),
    }


@lru_cache(maxsize=16)
def variation_options(ordinal: int) -> tuple[tuple[int, str, str, str, str], ...]:
    """(attribute id, name, slug, option label, option slug); every fourth leaves its size open,
    which is how WooCommerce says "any size"."""
    color, color_slug = words.COLORS[ordinal % len(words.COLORS)]
    size, size_slug = words.SIZES[ordinal % len(words.SIZES)]
    chosen = [(1, "Color", "pa_color", color, color_slug)]
    if ordinal % 4 != 3:
        chosen.append((2, "Size", "pa_size", size, size_slug))
    return tuple(chosen)
