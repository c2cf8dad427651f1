"""Seeded products and variations as WooCommerce 11.0.1 shows them (key order as captured)."""

from typing import Any

from sandbox.woocommerce import clock, money, words
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.seed import (
    EXTERNAL,
    GROUPED,
    SIMPLE,
    VARIABLE,
    ProductFacts,
    ShopSeed,
    product_facts,
    variation_price,
)
from sandbox.woocommerce.table import Row

ALLOW_ALL = {"allow": ["GET", "POST", "PUT", "PATCH", "DELETE"]}
FIRST_TERM = 15
_IMAGES = 6
_FIRST_IMAGE = 9


def links(home: str, path: str, record_id: int, **more: Any) -> Document:
    """The `_links` of a record below `path`."""
    base = f"{home}/wp-json/wc/v3/{path}"
    return {
        "self": [{"href": f"{base}/{record_id}", "targetHints": ALLOW_ALL}],
        "collection": [{"href": base}],
        **more,
    }


class Catalogue:
    """Renders seeded products and variations from their index alone."""

    def __init__(self, seed: ShopSeed, home: str, product_ids: list[int]) -> None:
        self.seed = seed
        self.home = home
        self.currency = seed.currency
        self.places = money.decimals(seed.currency)
        self.product_ids = product_ids
        self._facts: dict[int, ProductFacts] = {}

    def facts(self, index: int) -> ProductFacts:
        """What the seed says of a product."""
        found = self._facts.get(index)
        if found is None:
            found = self._facts[index] = product_facts(self.seed.seed, index)
        return found

    def amount(self, minor: int | None) -> str:
        """A price as text, empty where there is none."""
        return "" if minor is None else money.text(minor, self.places)

    def product(self, row: Row) -> Document:
        """The REST document of a seeded product."""
        f = self.facts(row.index)
        bits = f.bits
        created, modified = row.created, row.modified
        number = row.index + 1
        price = self._shown_price(f)
        stock = product_stock(f)
        virtual = f.kind == SIMPLE and bits >> 53 & 15 == 3
        sale = f.sale is not None
        ids = self.product_ids
        return {
            "id": row.id,
            "name": f.name,
            "slug": f.slug,
            "permalink": f"{self.home}/product/{f.slug}/",
            **stamps(created, modified),
            "type": f.kind,
            "status": f.status,
            "featured": bits >> 57 & 15 == 0,
            "catalog_visibility": "visible",
            "description": _description(number),
            "short_description": f"<p>Short {number}</p>\n",
            "sku": f.sku,
            "price": price,
            "regular_price": self.amount(f.regular),
            "sale_price": self.amount(f.sale),
            "date_on_sale_from": clock.local(created) if sale else None,
            "date_on_sale_from_gmt": clock.gmt(created) if sale else None,
            "date_on_sale_to": None,
            "date_on_sale_to_gmt": None,
            "on_sale": sale,
            "purchasable": f.kind in (SIMPLE, VARIABLE) and bool(price),
            "total_sales": (bits >> 48) % 30,
            "virtual": virtual,
            "downloadable": False,
            "downloads": [],
            "download_limit": -1,
            "download_expiry": -1,
            "external_url": f"https://example.test/p/{number}" if f.kind == EXTERNAL else "",
            "button_text": "Buy there" if f.kind == EXTERNAL else "",
            "tax_status": "taxable",
            "tax_class": "reduced-rate" if bits >> 58 & 7 == 2 else "",
            "manage_stock": stock is not None,
            "stock_quantity": stock,
            "backorders": "no",
            "backorders_allowed": False,
            "backordered": False,
            "low_stock_amount": None,
            "sold_individually": False,
            "weight": "" if f.kind in (VARIABLE, GROUPED) else f"1.{10 + bits % 90}",
            "dimensions": {"length": "10", "width": "5.5", "height": "2"},
            "shipping_required": not virtual,
            "shipping_taxable": not virtual,
            "shipping_class": "",
            "shipping_class_id": 0,
            "reviews_allowed": True,
            "average_rating": "0.00",
            "rating_count": 0,
            "upsell_ids": [],
            "cross_sell_ids": [],
            "parent_id": 0,
            "purchase_note": "",
            "categories": self._categories(bits),
            "brands": [],
            "tags": self._tags(bits),
            "images": self._images(bits),
            "attributes": _attributes() if f.kind == VARIABLE else [],
            "default_attributes": [],
            "variations": [row.id + 1 + n for n in range(f.variations)],
            "grouped_products": self._grouped(row.index) if f.kind == GROUPED else [],
            "menu_order": 0,
            "price_html": self._html(f, price),
            "related_ids": [ids[(bits >> n) % len(ids)] for n in (3, 9, 15)],
            "meta_data": _meta(number) if bits >> 59 & 3 == 1 else [],
            "stock_status": "outofstock" if stock == 0 else "instock",
            "has_options": f.kind == VARIABLE,
            "post_password": "",
            "global_unique_id": f"40000000{number:05d}" if bits >> 61 & 1 else "",
            "_links": links(self.home, "products", row.id),
        }

    def _shown_price(self, f: ProductFacts) -> str:
        if f.kind == VARIABLE:
            return self.amount(variation_price(f, 0))
        return self.amount(f.sale if f.sale is not None else f.regular)

    def _html(self, f: ProductFacts, price: str) -> str:
        if f.sale is not None:
            return money.sale_html(self.amount(f.regular), price, self.currency)
        return money.price_html(price, self.currency) if price else ""

    def _categories(self, bits: int) -> list[Document]:
        count = self.seed.categories
        if not count:
            return []
        first = (bits >> 5) % count
        chosen = [first] if bits >> 3 & 1 else sorted({first, (first + 3) % count})
        return [
            {"id": FIRST_TERM + n, "name": category_name(n), "slug": category_slug(n)}
            for n in chosen
        ]

    def _tags(self, bits: int) -> list[Document]:
        if bits >> 13 & 3:
            return []
        n = (bits >> 11) % len(words.TAGS)
        first = FIRST_TERM + self.seed.categories
        return [{"id": first + n, "name": words.TAGS[n], "slug": words.TAGS[n]}]

    def _images(self, bits: int) -> list[Document]:
        if bits >> 22 & 1:
            return []
        n = (bits >> 23) % _IMAGES
        stamp = stamps(1_706_745_600, 1_706_745_600)
        src = f"{self.home}/wp-content/uploads/2024/02/seed-{n + 1}.png"
        return [
            {
                "id": _FIRST_IMAGE + n,
                **stamp,
                "src": src,
                "name": f"seed {n + 1}",
                "alt": "",
                "srcset": "",
                "sizes": "(max-width: 64px) 100vw, 64px",
                "thumbnail": src,
            }
        ]

    def _grouped(self, index: int) -> list[int]:
        return [self.product_ids[n] for n in range(max(0, index - 3), index)]


def product_stock(f: ProductFacts) -> int | None:
    """The quantity a seeded product holds itself; one variable product in three holds it for its
    variations, which then say `manage_stock: "parent"`."""
    managed = f.bits >> 44 & 1 == 1 if f.kind == SIMPLE else f.index % 20 == 10
    return (f.bits >> 45) % 120 if managed else None


def stamps(created: int, modified: int) -> Document:
    """The four dates of a post."""
    return {
        "date_created": clock.local(created),
        "date_created_gmt": clock.gmt(created),
        "date_modified": clock.local(modified),
        "date_modified_gmt": clock.gmt(modified),
    }


def category_name(index: int) -> str:
    """Beyond the named ones, categories are numbered."""
    named = index < len(words.CATEGORIES)
    return words.CATEGORIES[index][0] if named else f"Category {index + 1}"


def category_slug(index: int) -> str:
    """The slug of a seeded category."""
    named = index < len(words.CATEGORIES)
    return words.CATEGORIES[index][1] if named else f"category-{index + 1}"


def _attributes() -> list[Document]:
    shared = {"position": 0, "visible": True}
    colors = {"options": [label for label, _ in words.COLORS]}
    sizes = {"options": [label for label, _ in words.SIZES]}
    return [
        {"id": 1, "name": "Color", "slug": "pa_color", **shared, "variation": True, **colors},
        {"id": 2, "name": "Size", "slug": "pa_size", **shared, "variation": True, **sizes},
        {
            "id": 0,
            "name": "Material",
            "slug": "Material",
            **shared,
            "variation": False,
            "options": ["Cotton", "Wolle"],
        },
    ]


def _description(number: int) -> str:
    if number % 4 == 0:
        return (
            f"<p>Text of product {number} &amp; more – “dashes”.</p>\n<ul>\n<li>zwei</li>\n</ul>\n"
        )
    return f"<p>Long text for product {number} &amp; more.</p>\n<ul>\n<li>one</li>\n</ul>\n"


def _meta(number: int) -> list[Document]:
    return [
        {"id": 2 * number, "key": "ean", "value": f"40000000{number:05d}"},
        {"id": 2 * number + 1, "key": "custom_json", "value": {"a": 1, "b": ["x"]}},
    ]
