"""Seeded orders and refunds as WooCommerce 11.0.1 shows them (key order as captured)."""

from dataclasses import dataclass

from sandbox.woocommerce import clock, money, words
from sandbox.woocommerce.catalogue import Catalogue, links, variation_options
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.seed import (
    EXTERNAL,
    GROUPED,
    VARIABLE,
    ShopSeed,
    order_currency,
    order_status,
    scatter,
    variation_price,
)
from sandbox.woocommerce.table import Row

WC_VERSION = "11.0.1"
PAID = frozenset({"processing", "completed", "refunded", "awaiting-shipment"})
FIRST_CUSTOMER = 2
GONE_CUSTOMER = 900_000
GONE_PRODUCT = 990_000_000
_ITEMS_PER_ORDER = 12
_SHIPPING = 490
_GIFT_WRAP = 250


@dataclass(slots=True)
class Line:
    """One order line, amounts in minor units of the order's currency."""

    name: str
    product_id: int
    variation_id: int
    quantity: int
    subtotal: int
    total: int
    sku: str
    parent_name: str | None
    options: list[tuple[int, str, str, str, str]]


class Sales:
    """Renders seeded orders and refunds from their index alone."""

    def __init__(self, catalogue: Catalogue, home: str) -> None:
        self.seed: ShopSeed = catalogue.seed
        self.catalogue = catalogue
        self.home = home

    def order(self, row: Row) -> Document:
        """The REST document of a seeded order."""
        index = row.index
        bits = scatter(self.seed.seed, 4, index)
        currency = order_currency(self.seed, index)
        places = money.decimals(currency)
        country, city, postcode, rate, rate_id, label, rate_code = words.PLACES[bits % 3]
        coupon = bits >> 9 & 7 == 3
        lines = self._lines(bits, index, places, coupon=coupon)
        fee = _GIFT_WRAP if bits >> 12 & 7 == 1 else 0
        net = [line.total for line in lines]
        line_tax = [_tax(total, rate) for total in net]
        discounts = [line.subtotal - line.total for line in lines]
        cart_tax = sum(line_tax) + _tax(fee, rate)
        shipping_tax = _tax(_SHIPPING, rate)
        total = sum(net) + fee + _SHIPPING + cart_tax + shipping_tax
        status = order_status(index)
        paid = status in PAID
        billing, shipping = self._addresses(index, bits, (country, city, postcode), row.customer)
        key = f"wc_order_{bits:013x}"[:22]
        item = 100 + index * _ITEMS_PER_ORDER
        self_url = f"{self.home}/wp-json/wc/v3/orders/{row.id}"
        done = row.modified if status == "completed" else None

        def show(minor: int) -> str:
            return money.text(minor, places)

        document: Document = {
            "id": row.id,
            "parent_id": 0,
            "status": status,
            "currency": currency,
            "version": WC_VERSION,
            "prices_include_tax": False,
            "date_created": clock.local(row.created),
            "date_modified": clock.local(row.modified),
            "discount_total": show(sum(discounts)),
            "discount_tax": show(_tax(sum(discounts), rate)),
            "shipping_total": show(_SHIPPING),
            "shipping_tax": show(shipping_tax),
            "cart_tax": show(cart_tax),
            "total": show(total),
            "total_tax": show(cart_tax + shipping_tax),
            "customer_id": row.customer,
            "order_key": key,
            "billing": billing,
            "shipping": shipping,
            "payment_method": "bacs" if bits >> 15 & 1 else "cod",
            "payment_method_title": "Direct bank transfer" if bits >> 15 & 1 else "Cash on delivery",
            "transaction_id": "",
            "customer_ip_address": f"192.0.2.{index % 250}",
            "customer_user_agent": "Mozilla/5.0 seed",
            "created_via": "admin" if bits >> 16 & 3 == 0 else "checkout",
            "customer_note": f"Bitte klingeln – “{index}”" if bits >> 18 & 7 == 0 else "",
            "date_completed": clock.local(done) if done else None,
            "date_paid": clock.local(row.created) if paid else None,
            "cart_hash": "",
            "number": str(row.id),
            "meta_data": [{"id": 180 + index, "key": "_erp_id", "value": f"E{index}"}]
            if index % 7 == 0
            else [],
            "line_items": [
                _line(line, item + n, places, (rate_id, line_tax[n])) for n, line in enumerate(lines)
            ],
            "tax_lines": [
                {
                    "id": item + 6,
                    "rate_code": rate_code,
                    "rate_id": rate_id,
                    "label": label,
                    "compound": False,
                    "tax_total": show(cart_tax),
                    "shipping_tax_total": show(shipping_tax),
                    "rate_percent": rate,
                    "meta_data": [],
                }
            ]
            if rate
            else [],
            "shipping_lines": [
                {
                    "id": item + 7,
                    "method_title": "Flat rate",
                    "method_id": "flat_rate",
                    "instance_id": "1",
                    "total": show(_SHIPPING),
                    "total_tax": show(shipping_tax),
                    "taxes": _taxes(rate_id, show(shipping_tax), ""),
                    "tax_status": "taxable",
                    "meta_data": [],
                }
            ],
            "fee_lines": [
                {
                    "id": item + 8,
                    "name": "Gift wrap",
                    "tax_class": "",
                    "tax_status": "taxable",
                    "amount": show(fee),
                    "total": show(fee),
                    "total_tax": show(_tax(fee, rate)),
                    "taxes": _taxes(rate_id, show(_tax(fee, rate)), ""),
                    "meta_data": [],
                }
            ]
            if fee
            else [],
            "coupon_lines": [
                {
                    "id": item + 9,
                    "code": "ten",
                    "discount": show(sum(discounts)),
                    "discount_tax": show(_tax(sum(discounts), rate)),
                    "meta_data": [],
                    "discount_type": "percent",
                    "nominal_amount": 10,
                    "free_shipping": False,
                }
            ]
            if coupon
            else [],
            "refunds": [
                {"id": refund, "reason": "defekt", "total": show(-part), "total_tax": show(0)}
                for refund, part in refund_parts(row.id, index, total)
            ],
            "payment_url": f"{self.home}/checkout/order-pay/{row.id}/?pay_for_order=true&key={key}",
            "is_editable": status in ("pending", "on-hold", "checkout-draft"),
            "needs_payment": status in ("pending", "failed"),
            "needs_processing": True,
            "date_created_gmt": clock.gmt(row.created),
            "date_modified_gmt": clock.gmt(row.modified),
            "date_completed_gmt": clock.gmt(done) if done else None,
            "date_paid_gmt": clock.gmt(row.created) if paid else None,
            "currency_symbol": money.symbol(currency),
            "_links": order_links(self.home, row.id, row.customer, self_url),
        }
        return document

    def refund(self, row: Row, order: Document) -> Document:
        """The REST document of a seeded refund of `order`."""
        listed = next(part for part in order["refunds"] if part["id"] == row.id)
        full = order["status"] == "refunded"
        items = [_refunded(line) for line in order["line_items"]] if full else []
        document = {
            "id": row.id,
            "date_created": clock.local(row.created),
            "date_created_gmt": clock.gmt(row.created),
            "amount": listed["total"].removeprefix("-"),
            "reason": listed["reason"],
            "refunded_by": 1,
            "refunded_payment": False,
            "meta_data": [{"id": 185, "key": "_refund_type", "value": "full" if full else "partial"}],
            "line_items": items,
            "shipping_lines": [],
            "tax_lines": [],
            "fee_lines": [],
            "_links": refund_links(self.home, order["id"], row.id),
        }
        return document

    def _lines(self, bits: int, index: int, places: int, *, coupon: bool) -> list[Line]:
        lines = []
        for n in range(1 + (bits >> 20) % 3):
            pick = scatter(bits, 5, n)
            line = self._line(pick, index, n)
            if places == 3:
                line.subtotal = line.subtotal * 10 + pick % 10 * line.quantity
            line.total = line.subtotal - (line.subtotal // 10 if coupon else 0)
            lines.append(line)
        return lines

    def _line(self, pick: int, index: int, n: int) -> Line:
        quantity = 1 + (pick >> 40) % 4
        ids = self.catalogue.product_ids
        if not ids or (index % 12 == 5 and n == 0):
            cents = 1990 * quantity
            gone = GONE_PRODUCT + index if index % 24 == 5 else 0
            return Line("Deleted lamp", gone, 0, quantity, cents, cents, "", None, [])
        place = pick % len(ids)
        facts = self.catalogue.facts(place)
        while facts.kind in (GROUPED, EXTERNAL):
            place = (place + 1) % len(ids)
            facts = self.catalogue.facts(place)
        if facts.kind != VARIABLE:
            cents = facts.price * quantity
            return Line(facts.name, ids[place], 0, quantity, cents, cents, facts.sku, None, [])
        ordinal = (pick >> 50) % facts.variations
        cents = variation_price(facts, ordinal) * quantity
        options = variation_options(ordinal)
        name = f"{facts.name} - {', '.join(label for _, _, _, label, _ in options)}"
        sku = f"{facts.sku}-{ordinal + 1}" if facts.sku else ""
        variation = ids[place] + 1 + ordinal
        return Line(name, ids[place], variation, quantity, cents, cents, sku, facts.name, options)

    def _addresses(
        self, index: int, bits: int, place: tuple[str, str, str], customer: int
    ) -> tuple[Document, Document]:
        country, city, postcode = place
        shipping = {
            "first_name": words.FIRST_NAMES[(bits >> 30) % len(words.FIRST_NAMES)],
            "last_name": words.LAST_NAMES[(bits >> 34) % len(words.LAST_NAMES)],
            "company": "",
            "address_1": f"Weg {index}",
            "address_2": "",
            "city": city,
            "state": "",
            "postcode": postcode,
            "country": country,
        }
        email, phone = f"buyer{index}@example.test", f"0221 {index}"
        if customer == 0:
            email, phone = _guest_contact(index, phone)
        return {**shipping, "email": email, "phone": phone}, {**shipping, "phone": ""}


def _guest_contact(index: int, phone: str) -> tuple[str, str]:
    """Guests come back, write their e-mail in another case, or leave a phone number only."""
    guest = index // 16
    if index % 16 == 3:
        return "", f"+49 171 {guest:07d}"
    spelling = ("guest{}@example.test", "Guest{}@Example.test", "GUEST{}@EXAMPLE.TEST")[index % 3]
    return spelling.format(guest), phone


def _tax(amount: int, percent: int) -> int:
    return (amount * percent + 50) // 100


def _taxes(rate_id: int, total: str, subtotal: str) -> list[Document]:
    return [{"id": rate_id, "total": total, "subtotal": subtotal}] if rate_id else []


def _line(line: Line, item: int, places: int, tax: tuple[int, int]) -> Document:
    rate_id, total_tax = tax
    shown_tax = money.text(total_tax, places)
    return {
        "id": item,
        "name": line.name,
        "product_id": line.product_id,
        "variation_id": line.variation_id,
        "quantity": line.quantity,
        "tax_class": "",
        "subtotal": money.text(line.subtotal, places),
        "subtotal_tax": shown_tax,
        "total": money.text(line.total, places),
        "total_tax": shown_tax,
        "taxes": _taxes(rate_id, shown_tax, shown_tax),
        "meta_data": [
            {
                "id": 10 * item + n,
                "key": slug,
                "value": value,
                "display_key": name,
                "display_value": label,
            }
            for n, (_, name, slug, label, value) in enumerate(line.options)
        ],
        "sku": line.sku,
        "global_unique_id": "",
        # The one amount that the API sends as a JSON number (captured).
        "price": line.total / line.quantity / 10**places,
        "image": {"id": 0 if line.variation_id else "", "src": ""},
        "parent_name": line.parent_name,
    }


def _refunded(line: Document) -> Document:
    item = int(line["id"])
    amount = f"-{line['total']}"
    return {
        **line,
        "id": 5_000_000_000 + item,
        "quantity": -int(line["quantity"]),
        "subtotal": amount,
        "subtotal_tax": "0.00",
        "total": amount,
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": [
            {
                "id": 6_000_000_000 + item,
                "key": "_refunded_item_id",
                "value": str(item),
                "display_key": "_refunded_item_id",
                "display_value": str(item),
            }
        ],
    }


def refund_parts(order_id: int, index: int, total: int) -> list[tuple[int, int]]:
    """(refund id, minor units) of a seeded order: all of it, one part, or two parts."""
    status = order_status(index)
    if status == "refunded":
        return [(order_id + 1, total)]
    if status == "completed" and index % 10 == 4:
        return [(order_id + 1, total // 3)]
    if status == "completed" and index % 10 == 8:
        return [(order_id + 1, total // 4), (order_id + 2, total // 5)]
    return []


def order_links(home: str, order_id: int, customer: int, self_url: str) -> Document:
    """The `_links` of an order; guests have no `customer`."""
    templates = {"embeddable": True, "href": f"{self_url}/actions/email_templates"}
    found = links(home, "orders", order_id, email_templates=[templates])
    if customer:
        found["customer"] = [{"href": f"{home}/wp-json/wc/v3/customers/{customer}"}]
    return found


def refund_links(home: str, order_id: int, refund_id: int) -> Document:
    """The `_links` of a refund."""
    found = links(
        home,
        f"orders/{order_id}/refunds",
        refund_id,
        up=[{"href": f"{home}/wp-json/wc/v3/orders/{order_id}"}],
    )
    found["self"][0]["targetHints"] = {"allow": ["GET", "DELETE"]}
    return found
