"""Creating and changing products and variations, with what WooCommerce derives from each change."""

from typing import TYPE_CHECKING

from sandbox.woocommerce import money, product_parts
from sandbox.woocommerce.errors import RestError, invalid_id
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.product_shapes import blank_product, blank_variation
from sandbox.woocommerce.table import Row
from sandbox.woocommerce.writing import (
    check,
    check_one_of,
    created_stamps,
    merge_meta,
    pick,
    slugify,
)

if TYPE_CHECKING:
    from sandbox.woocommerce.shop import Shop

_SHARED = (
    *("description", "sku", "global_unique_id", "regular_price", "sale_price", "virtual"),
    *("downloadable", "tax_status", "tax_class", "manage_stock", "backorders", "weight"),
    *("low_stock_amount", "menu_order", "status", "stock_status", "date_on_sale_from"),
    *("date_on_sale_from_gmt", "date_on_sale_to", "date_on_sale_to_gmt"),
)
_PRODUCT_ONLY = (
    *("name", "slug", "type", "featured", "catalog_visibility", "short_description"),
    *("external_url", "button_text", "sold_individually", "reviews_allowed", "parent_id"),
    *("purchase_note", "upsell_ids", "cross_sell_ids", "grouped_products"),
    *("default_attributes", "dimensions"),
)
_TYPES = {
    **dict.fromkeys(("name", "slug", "sku", "regular_price", "sale_price", "weight"), "string"),
    **dict.fromkeys(("description", "short_description", "status", "type"), "string"),
    **dict.fromkeys(("stock_quantity", "menu_order", "inventory_delta"), "integer"),
    **dict.fromkeys(("featured", "virtual", "downloadable"), "boolean"),
    **dict.fromkeys(("categories", "tags", "images", "attributes", "meta_data"), "array"),
}
_STATUSES = ("draft", "pending", "private", "publish", "future", "trash")
_KINDS = ("simple", "grouped", "external", "variable")


def create(shop: "Shop", data: Document) -> Row:
    """Add a product."""
    if data.get("id"):
        raise RestError("woocommerce_rest_product_exists", "Cannot create existing product.", 400)
    _check(shop, data, 0)
    now = shop.now()
    record_id = shop.next_id("products")
    name = str(data.get("name") or "Product")
    slug = f"{slugify(name)}-{record_id}"
    document = blank_product(record_id, shop.home_url, name, slug)
    document.update(created_stamps(now))
    _apply(shop, document, data, _SHARED + _PRODUCT_ONLY)
    row = Row(record_id, now, now)
    _describe(row, document)
    row.status = document["status"]
    shop.tables["products"].insert(row, document)
    return row


def create_variation(shop: "Shop", parent_id: int, data: Document) -> Row:
    """Add a variation to a product; the parent's date and price move too (measured)."""
    parent = shop.tables["products"].find(parent_id)
    if parent is None:
        raise invalid_id("product", 404)
    _check(shop, data, 0)
    now = shop.now()
    record_id = shop.next_id("variations")
    document = blank_variation(record_id, parent_id, shop.home_url)
    document.update(created_stamps(now))
    _apply(shop, document, data, _SHARED)
    _set_options(shop, document, data, parent)
    row = Row(record_id, now, now, document["status"], "variation", parent=parent_id)
    _describe(row, document)
    shop.tables["variations"].insert(row, document)
    refresh_parent(shop, parent_id)
    return row


def update(shop: "Shop", row: Row, document: Document, data: Document) -> None:
    """Change the sent fields of a product or variation."""
    _check(shop, data, row.id)
    if row.kind == "variation":
        _apply(shop, document, data, _SHARED)
        parent = shop.tables["products"].rows[row.parent]
        if "attributes" in data:
            _set_options(shop, document, data, parent)
        shop.save("variations", row, document)
        _describe(row, document)
        refresh_parent(shop, row.parent)
        return
    _apply(shop, document, data, _SHARED + _PRODUCT_ONLY)
    shop.save("products", row, document)
    _describe(row, document)
    if {"manage_stock", "stock_quantity", "inventory_delta"} & data.keys():
        _share_stock(shop, row)


def refresh_parent(shop: "Shop", parent_id: int) -> None:
    """Recompute what a variable product takes from its variations, and move its date (measured on
    11.0.1: a price or stock change of a variation does)."""
    parent = shop.tables["products"].find(parent_id)
    if parent is None:
        return
    document = shop.tables["products"].document(parent)
    children = shop.variations_of(parent)
    prices = [shop.tables["variations"].document(child)["price"] for child in children]
    known = [price for price in prices if price]
    document["price"] = min(known, key=float) if known else ""
    document["variations"] = [child.id for child in children]
    document["price_html"] = _html(shop, document)
    shop.save("products", parent, document)


def take_stock(shop: "Shop", product_id: int, variation_id: int, quantity: int) -> None:
    """Take `quantity` (negative: put back) from whoever holds the stock. The variation's and the
    parent's dates move (measured)."""
    name, record_id = ("variations", variation_id) if variation_id else ("products", product_id)
    row = shop.tables[name].find(record_id)
    if row is None:
        return
    document = shop.tables[name].document(row)
    if document["manage_stock"] == "parent":
        take_stock(shop, product_id, 0, quantity)
        return
    if document["manage_stock"] is not True:
        return
    document["stock_quantity"] = (document["stock_quantity"] or 0) - quantity
    _derive(shop, document)
    shop.save(name, row, document)
    if variation_id:
        refresh_parent(shop, product_id)
    else:
        _share_stock(shop, row)
    shop.announce(name, record_id, "updated")


def _check(shop: "Shop", data: Document, own_id: int) -> None:
    check(data, _TYPES)
    if "status" in data:
        check_one_of("status", data["status"], _STATUSES)
    if "type" in data:
        check_one_of("type", data["type"], _KINDS)
    sku = data.get("sku")
    if not sku:
        return
    for name in ("products", "variations"):
        for row in shop.tables[name].rows.values():
            if row.sku == sku and row.id != own_id and not row.hidden:
                raise RestError(
                    "product_invalid_sku",
                    "Invalid or duplicated SKU.",
                    400,
                    resource_id=row.id,
                    unique_sku=f"{sku}-1",
                )


def _apply(shop: "Shop", document: Document, data: Document, names: tuple[str, ...]) -> None:
    document.update(pick(data, names))
    if document["type"] == "variation" and document["manage_stock"] is not True:
        _leave_to_parent(shop, document)
    _count(document, data)
    if document["type"] != "variation":
        _set_parts(shop, document, data)
    if "meta_data" in data:
        fresh = 10_000_000 + shop.tables["products"].version * 100
        document["meta_data"] = merge_meta(document["meta_data"], data["meta_data"], fresh)
    if "slug" in document:
        document["permalink"] = f"{shop.home_url}/product/{document['slug']}/"
    _derive(shop, document)


def _count(document: Document, data: Document) -> None:
    if document["manage_stock"] is True:
        if data.get("stock_quantity") is not None:
            document["stock_quantity"] = int(data["stock_quantity"])
        elif "inventory_delta" in data:
            document["stock_quantity"] = (document["stock_quantity"] or 0) + data["inventory_delta"]
        document["stock_quantity"] = document["stock_quantity"] or 0
    elif document["manage_stock"] is False:
        document["stock_quantity"] = None


def _set_parts(shop: "Shop", document: Document, data: Document) -> None:
    for name in ("categories", "tags"):
        if name in data:
            document[name] = product_parts.terms(shop, name, data[name])
    if "images" in data:
        document["images"] = product_parts.images(shop, document["images"], data["images"])
    if "attributes" in data:
        document["attributes"] = product_parts.attributes(shop, data["attributes"])
    for name in ("description", "short_description"):
        if name in data:
            document[name] = product_parts.paragraphs(str(data[name] or ""))


def _leave_to_parent(shop: "Shop", document: Document) -> None:
    """A variation that does not count shows "parent" where its product counts (docs PR 272)."""
    row = shop.tables["products"].find(document["parent_id"])
    parent = shop.tables["products"].document(row) if row is not None else {}
    counts = parent.get("manage_stock") is True
    document["manage_stock"] = "parent" if counts else False
    if counts:
        document["stock_quantity"] = parent["stock_quantity"]
        document["stock_status"] = parent["stock_status"]


def _share_stock(shop: "Shop", parent: Row) -> None:
    """The variations that leave the counting to their product show its number."""
    table = shop.tables["variations"]
    for child in shop.variations_of(parent):
        variation = table.document(child)
        if variation["manage_stock"] is True:
            continue
        before = dict(variation)
        _apply(shop, variation, {}, ())
        if variation != before:
            table.rewrite(child, variation, modified=child.modified, status=child.status)


def _derive(shop: "Shop", document: Document) -> None:
    sale = document["sale_price"] if document["sale_price"] != "" else None
    if document.get("type") not in ("variable", "grouped"):
        document["price"] = document["regular_price"] if sale is None else sale
    document["on_sale"] = sale is not None
    document["backorders_allowed"] = document["backorders"] != "no"
    stock = document["stock_quantity"]
    if document["manage_stock"] is True:
        allowed = document["backorders_allowed"]
        empty = "onbackorder" if allowed else "outofstock"
        document["stock_status"] = "instock" if stock > 0 else empty
        document["backordered"] = allowed and stock < 0
    if "price_html" in document:
        document["price_html"] = _html(shop, document)


def _html(shop: "Shop", document: Document) -> str:
    currency = shop.seed.currency
    if document["sale_price"]:
        return money.sale_html(document["regular_price"], document["sale_price"], currency)
    return money.price_html(document["price"], currency) if document["price"] else ""


def _describe(row: Row, document: Document) -> None:
    row.kind = document["type"]
    row.sku = document["sku"]
    row.name = document["name"]


def _set_options(shop: "Shop", document: Document, data: Document, parent: Row) -> None:
    chosen = product_parts.choices(shop, data.get("attributes") or [])
    document["attributes"] = chosen
    document["name"] = ", ".join(item["option"] for item in chosen)
    slug = shop.tables["products"].document(parent)["slug"]
    document["permalink"] = product_parts.variation_link(shop.home_url, slug, chosen)
