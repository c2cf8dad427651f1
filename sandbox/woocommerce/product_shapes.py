"""A new product and a new variation before anything is set."""

from sandbox.woocommerce.catalogue import links
from sandbox.woocommerce.php import Document


def blank_product(record_id: int, home: str, name: str, slug: str) -> Document:
    """A simple, published product without a price."""
    return {
        "id": record_id,
        "name": name,
        "slug": slug,
        "permalink": f"{home}/product/{slug}/",
        "date_created": "",
        "date_created_gmt": "",
        "date_modified": "",
        "date_modified_gmt": "",
        "type": "simple",
        "status": "publish",
        "featured": False,
        "catalog_visibility": "visible",
        "description": "",
        "short_description": "",
        **_sold(),
        "total_sales": 0,
        **_delivered(),
        "external_url": "",
        "button_text": "",
        **_stocked(),
        "sold_individually": False,
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_required": True,
        "shipping_taxable": True,
        "shipping_class": "",
        "shipping_class_id": 0,
        "reviews_allowed": True,
        "average_rating": "0.00",
        "rating_count": 0,
        "upsell_ids": [],
        "cross_sell_ids": [],
        "parent_id": 0,
        "purchase_note": "",
        "categories": [],
        "brands": [],
        "tags": [],
        "images": [],
        "attributes": [],
        "default_attributes": [],
        "variations": [],
        "grouped_products": [],
        "menu_order": 0,
        "price_html": "",
        "related_ids": [],
        "meta_data": [],
        "stock_status": "instock",
        "has_options": False,
        "post_password": "",
        "global_unique_id": "",
        "_links": links(home, "products", record_id),
    }


def blank_variation(record_id: int, parent_id: int, home: str) -> Document:
    """A published variation without a price."""
    return {
        "id": record_id,
        "type": "variation",
        "date_created": "",
        "date_created_gmt": "",
        "date_modified": "",
        "date_modified_gmt": "",
        "description": "",
        "permalink": "",
        "global_unique_id": "",
        **_sold(),
        "status": "publish",
        **_delivered(),
        **_stocked(),
        "stock_status": "instock",
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_class": "",
        "shipping_class_id": 0,
        "image": None,
        "gallery_image_ids": [],
        "attributes": [],
        "menu_order": 0,
        "meta_data": [],
        "name": "",
        "parent_id": parent_id,
        "_links": links(
            home,
            f"products/{parent_id}/variations",
            record_id,
            up=[{"href": f"{home}/wp-json/wc/v3/products/{parent_id}"}],
        ),
    }


def _sold() -> Document:
    return {
        "sku": "",
        "price": "",
        "regular_price": "",
        "sale_price": "",
        "date_on_sale_from": None,
        "date_on_sale_from_gmt": None,
        "date_on_sale_to": None,
        "date_on_sale_to_gmt": None,
        "on_sale": False,
        "purchasable": True,
    }


def _delivered() -> Document:
    return {
        "virtual": False,
        "downloadable": False,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
    }


def _stocked() -> Document:
    return {
        "tax_status": "taxable",
        "tax_class": "",
        "manage_stock": False,
        "stock_quantity": None,
        "backorders": "no",
        "backorders_allowed": False,
        "backordered": False,
        "low_stock_amount": None,
    }
