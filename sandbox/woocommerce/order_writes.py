"""Creating, changing and refunding orders."""

from typing import TYPE_CHECKING, Any

from sandbox.woocommerce import clock, money, product_writes
from sandbox.woocommerce.errors import RestError, invalid_id
from sandbox.woocommerce.order_shapes import blank_order, order_line, refund_document
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.sales import PAID, order_links
from sandbox.woocommerce.table import Row
from sandbox.woocommerce.writing import check, check_one_of, merge_address, merge_meta, pick

if TYPE_CHECKING:
    from sandbox.woocommerce.shop import Shop

STATUSES = (
    *("auto-draft", "pending", "processing", "on-hold", "completed", "cancelled", "refunded"),
    *("failed", "awaiting-shipment", "checkout-draft", "trash"),
)
_FIELDS = ("customer_note", "payment_method", "payment_method_title", "transaction_id", "currency")
_TYPES = {
    **dict.fromkeys((*_FIELDS, "status"), "string"),
    **dict.fromkeys(("billing", "shipping"), "object"),
    **dict.fromkeys(("line_items", "meta_data", "shipping_lines", "fee_lines"), "array"),
    "customer_id": "integer",
    "set_paid": "boolean",
}
# Stock is taken once an order reaches one of these, and put back when it is called off.
_TAKES_STOCK = frozenset({"processing", "completed", "on-hold"})
_CALLED_OFF = frozenset({"cancelled", "pending"})
_REDUCED = "_reduced_stock"


def create(shop: "Shop", data: Document) -> Row:
    """Add an order; prices come from the catalogue unless a line says subtotal and total."""
    if data.get("id"):
        raise RestError("woocommerce_rest_shop_order_exists", "Cannot create existing order.", 400)
    _check(shop, data)
    now = shop.now()
    record_id = shop.next_id("orders")
    currency = str(data.get("currency") or shop.seed.currency)
    document = blank_order(record_id, shop.home_url, currency, now)
    row = Row(record_id, now, now, "pending", "shop_order")
    _apply(shop, row, document, data)
    row.status = document["status"]
    shop.tables["orders"].insert(row, document)
    return row


def update(shop: "Shop", row: Row, document: Document, data: Document) -> None:
    """Change the sent fields; any status may follow any other (no transition guard)."""
    _check(shop, data)
    _apply(shop, row, document, data)
    shop.save("orders", row, document)


def refund(shop: "Shop", order_id: int, data: Document) -> Row:
    """Refund part or all of an order."""
    order_row = shop.tables["orders"].find(order_id)
    if order_row is None:
        raise RestError("woocommerce_rest_invalid_order", "Invalid order ID.", 404)
    order = shop.tables["orders"].document(order_row)
    places = money.decimals(order["currency"])
    amount = money.minor(str(data.get("amount") or "0"), places)
    refunded = sum(money.minor(part["total"], places) for part in order["refunds"])
    left = money.minor(order["total"], places) + refunded
    if not 0 < amount <= left:
        raise RestError(
            "woocommerce_rest_cannot_create_order_refund", "Invalid refund amount.", 500
        )
    now = shop.now()
    record_id = shop.next_id("refunds")
    shown = money.text(amount, places)
    document = refund_document(shop.home_url, order, record_id, now, data | {"amount": shown})
    row = Row(record_id, now, now, parent=order_id)
    shop.tables["refunds"].insert(row, document)
    zero = money.text(0, places)
    order["refunds"].append(
        {"id": record_id, "reason": document["reason"], "total": f"-{shown}", "total_tax": zero}
    )
    if amount == left:
        order["status"] = "refunded"
    shop.save("orders", order_row, order)
    shop.announce("orders", order_id, "updated")
    return row


def delete_refund(shop: "Shop", order_id: int, refund_id: int) -> Document:
    """Take a refund back."""
    row = shop.tables["refunds"].find(refund_id)
    order_row = shop.tables["orders"].find(order_id)
    if row is None or order_row is None or row.parent != order_id:
        raise invalid_id("shop_order_refund", 404)
    before = shop.tables["refunds"].document(row)
    shop.tables["refunds"].delete(row)
    order = shop.tables["orders"].document(order_row)
    order["refunds"] = [part for part in order["refunds"] if part["id"] != refund_id]
    shop.save("orders", order_row, order)
    shop.announce("orders", order_id, "updated")
    return before


def _check(shop: "Shop", data: Document) -> None:
    check(data, _TYPES)
    if data.get("status"):
        data["status"] = str(data["status"]).removeprefix("wc-")
        check_one_of("status", data["status"], STATUSES)
    customer = data.get("customer_id")
    if customer and shop.tables["customers"].find(customer) is None:
        raise RestError("woocommerce_rest_invalid_customer_id", "Customer ID is invalid.", 400)


def _apply(shop: "Shop", row: Row, document: Document, data: Document) -> None:
    document |= pick(data, _FIELDS)
    document["currency_symbol"] = money.symbol(document["currency"])
    if "customer_id" in data:
        document["customer_id"] = row.customer = int(data["customer_id"] or 0)
        document["_links"] = order_links(shop.home_url, row.id, row.customer)
    for kind in ("billing", "shipping"):
        if kind in data:
            document[kind] = merge_address(document[kind], data[kind])
    if "meta_data" in data:
        fresh = 30_000_000 + shop.tables["orders"].version * 100
        document["meta_data"] = merge_meta(document["meta_data"], data["meta_data"], fresh)
    if "line_items" in data or "billing" in data:
        _merge_lines(shop, document, data.get("line_items") or [])
        _total(document)
    status = str(data.get("status") or document["status"])
    if data.get("set_paid") and status not in PAID:
        status = "processing"
    _move(shop, document, status)


def _merge_lines(shop: "Shop", document: Document, sent: list[Any]) -> None:
    lines: list[Document] = document["line_items"]
    for item in sent:
        known = next((line for line in lines if line["id"] == item.get("id")), None)
        if known is None:
            lines.append(order_line(shop, document, item, len(lines)))
        elif item.get("quantity") == 0 or item.get("product_id", 1) is None:
            lines.remove(known)
        else:
            was = known["quantity"]
            known |= pick(item, ("quantity", "subtotal", "total", "name"))
            if known["quantity"] != was and "total" not in item:
                unit = money.minor(known["subtotal"], 4) // max(was, 1)
                places = money.decimals(document["currency"])
                amount = money.at_places(money.text(unit * known["quantity"], 4), places)
                known["subtotal"] = known["total"] = amount


def _total(document: Document) -> None:
    places = money.decimals(document["currency"])

    def add(name: str, field: str) -> int:
        return sum(money.minor(line[field], places) for line in document[name])

    tax = add("line_items", "total_tax") + add("fee_lines", "total_tax")
    shipping_tax = add("shipping_lines", "total_tax")
    subtotal, net = add("line_items", "subtotal"), add("line_items", "total")
    shipping = add("shipping_lines", "total")
    total = net + shipping + add("fee_lines", "total") + tax + shipping_tax
    document |= {
        "discount_total": money.text(subtotal - net, places),
        "shipping_total": money.text(shipping, places),
        "shipping_tax": money.text(shipping_tax, places),
        "cart_tax": money.text(tax, places),
        "total_tax": money.text(tax + shipping_tax, places),
        "total": money.text(total, places),
    }


def _move(shop: "Shop", document: Document, status: str) -> None:
    now = shop.now()
    document["status"] = status
    if status in PAID and document["date_paid_gmt"] is None:
        document |= {"date_paid": clock.local(now), "date_paid_gmt": clock.gmt(now)}
    if status == "completed" and document["date_completed_gmt"] is None:
        document |= {"date_completed": clock.local(now), "date_completed_gmt": clock.gmt(now)}
    document["is_editable"] = status in ("pending", "on-hold", "checkout-draft")
    document["needs_payment"] = status in ("pending", "failed")
    if status in _TAKES_STOCK:
        _reduce(shop, document)
    elif status in _CALLED_OFF:
        _put_back(shop, document)


def _reduce(shop: "Shop", document: Document) -> None:
    # Only orders made here: the seeded ones took their stock before history began.
    for line in document["line_items"]:
        if document["created_via"] != "rest-api" or _reduced(line):
            continue
        quantity = int(line["quantity"])
        product_writes.take_stock(shop, line["product_id"], line["variation_id"], quantity)
        shown = {"display_key": _REDUCED, "display_value": str(quantity)}
        meta = {"id": 10 * line["id"] + 9, "key": _REDUCED, "value": str(quantity), **shown}
        line["meta_data"].append(meta)


def _put_back(shop: "Shop", document: Document) -> None:
    for line in document["line_items"]:
        taken = _reduced(line)
        if taken:
            quantity = -int(taken["value"])
            product_writes.take_stock(shop, line["product_id"], line["variation_id"], quantity)
            line["meta_data"].remove(taken)


def _reduced(line: Document) -> Document | None:
    return next((meta for meta in line["meta_data"] if meta["key"] == _REDUCED), None)
