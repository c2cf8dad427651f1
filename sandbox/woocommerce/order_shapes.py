"""A new order, a new order line and a new refund."""

from typing import TYPE_CHECKING

from sandbox.woocommerce import clock, money, words
from sandbox.woocommerce.errors import RestError
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.refunds import refund_links
from sandbox.woocommerce.sales import WC_VERSION, order_links
from sandbox.woocommerce.writing import created_stamps

if TYPE_CHECKING:
    from sandbox.woocommerce.shop import Shop

_ADDRESS = (
    *("first_name", "last_name", "company", "address_1", "address_2", "city", "state"),
    *("postcode", "country"),
)


def blank_order(record_id: int, home: str, currency: str, now: int) -> Document:
    """A pending order without lines."""
    zero = money.text(0, money.decimals(currency))
    key = f"wc_order_s{record_id:012d}"
    dates = created_stamps(now)
    amounts = ("discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax")
    blank = ("payment_method", "payment_method_title", "transaction_id", "customer_ip_address")
    lines = ("line_items", "tax_lines", "shipping_lines", "fee_lines", "coupon_lines", "refunds")
    return {
        "id": record_id,
        "parent_id": 0,
        "status": "pending",
        "currency": currency,
        "version": WC_VERSION,
        "prices_include_tax": False,
        "date_created": dates["date_created"],
        "date_modified": dates["date_modified"],
        **dict.fromkeys((*amounts, "total", "total_tax"), zero),
        "customer_id": 0,
        "order_key": key,
        "billing": dict.fromkeys((*_ADDRESS, "email", "phone"), ""),
        "shipping": dict.fromkeys((*_ADDRESS, "phone"), ""),
        **dict.fromkeys(blank, ""),
        "customer_user_agent": "",
        "created_via": "rest-api",
        "customer_note": "",
        "date_completed": None,
        "date_paid": None,
        "cart_hash": "",
        "number": str(record_id),
        "meta_data": [],
        **{name: [] for name in lines},
        "payment_url": f"{home}/checkout/order-pay/{record_id}/?pay_for_order=true&key={key}",
        "is_editable": True,
        "needs_payment": True,
        "needs_processing": True,
        "date_created_gmt": dates["date_created_gmt"],
        "date_modified_gmt": dates["date_modified_gmt"],
        "date_completed_gmt": None,
        "date_paid_gmt": None,
        "currency_symbol": money.symbol(currency),
        "_links": order_links(home, record_id, 0),
    }


def order_line(shop: "Shop", order: Document, item: Document, place: int) -> Document:
    """A line for a sent item; its `price` is ignored (recorded), `subtotal` and `total` count."""
    product_id, variation_id = int(item.get("product_id") or 0), int(item.get("variation_id") or 0)
    name, record_id = ("variations", variation_id) if variation_id else ("products", product_id)
    row = shop.tables[name].find(record_id)
    if row is None and product_id:
        raise RestError("woocommerce_rest_invalid_product_id", "Product ID is invalid.", 400)
    sold = shop.tables[name].document(row) if row else {}
    parent = shop.tables["products"].find(product_id) if variation_id else None
    places = money.decimals(order["currency"])
    quantity = int(item.get("quantity") or 1)
    catalogue = money.minor(str(sold.get("price") or "0"), places) * quantity
    subtotal = money.minor(str(item.get("subtotal") or money.text(catalogue, places)), places)
    total = money.minor(str(item.get("total") or money.text(subtotal, places)), places)
    country = order["billing"]["country"] or "DE"
    place_of = {known[0]: known for known in words.PLACES}
    _, _, _, rate, rate_id, _, _ = place_of.get(country, words.PLACES[2])
    tax = money.text((total * rate + 50) // 100, places)
    line_id = 3_000_000_000 + order["id"] * 100 + place
    return {
        "id": line_id,
        "name": str(item.get("name") or sold.get("name") or "Item"),
        "product_id": product_id,
        "variation_id": variation_id,
        "quantity": quantity,
        "tax_class": "",
        "subtotal": money.text(subtotal, places),
        "subtotal_tax": tax,
        "total": money.text(total, places),
        "total_tax": tax,
        "taxes": [{"id": rate_id, "total": tax, "subtotal": tax}] if rate else [],
        "meta_data": [],
        "sku": str(sold.get("sku") or ""),
        "global_unique_id": str(sold.get("global_unique_id") or ""),
        "price": total / quantity / 10**places,
        "image": {"id": 0 if variation_id else "", "src": ""},
        "parent_name": parent.name if parent else None,
    }


def refund_document(
    home: str, order: Document, record_id: int, now: int, data: Document
) -> Document:
    """A refund as asked for; its lines carry negative amounts (captured)."""
    lines = {line["id"]: line for line in order["line_items"]}
    items = []
    for sent in data.get("line_items") or []:
        line = lines.get(int(sent.get("id") or 0))
        if line is not None:
            amount = f"-{sent.get('refund_total') or line['total']}"
            quantity = -int(sent.get("quantity") or 0)
            own = {"id": line["id"] + 1_000_000_000, "quantity": quantity, "taxes": []}
            items.append({**line, **own, "subtotal": amount, "total": amount})
    full = data["amount"] == order["total"]
    return {
        "id": record_id,
        "date_created": clock.local(now),
        "date_created_gmt": clock.gmt(now),
        "amount": data["amount"],
        "reason": str(data.get("reason") or ""),
        "refunded_by": 1,
        "refunded_payment": bool(data.get("api_refund", True)),
        "meta_data": [{"id": 185, "key": "_refund_type", "value": "full" if full else "partial"}],
        "line_items": items,
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
        "_links": refund_links(home, order["id"], record_id),
    }
