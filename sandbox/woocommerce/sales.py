"""Seeded orders and refunds as WooCommerce 11.0.1 shows them (key order as captured)."""

from dataclasses import dataclass

from sandbox.woocommerce import clock, money, words
from sandbox.woocommerce.buyers import addresses
from sandbox.woocommerce.catalogue import Catalogue, links
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.refunds import refund_parts
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
from sandbox.woocommerce.variants import variation_options

WC_VERSION = "11.0.1"
PAID = frozenset({"processing", "completed", "refunded", "awaiting-shipment"})
FIRST_CUSTOMER = 2
GONE_CUSTOMER = 900_000
GONE_PRODUCT = 990_000_000
_ITEMS_PER_ORDER = 12
_PAYMENTS = (("cod", "Cash on delivery"), ("bacs", "Direct bank transfer"))
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
    options: tuple[tuple[int, str, str, str, str], ...]


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
        billing, shipping = addresses(index, bits, (country, city, postcode), row.customer)
        key = f"wc_order_{bits:013x}"[:22]
        item = 100 + index * _ITEMS_PER_ORDER
        method, method_title = _PAYMENTS[bits >> 15 & 1]
        created, created_gmt = clock.local(row.created), clock.gmt(row.created)
        modified, modified_gmt = clock.local(row.modified), clock.gmt(row.modified)
        done = status == "completed"

        def show(minor: int) -> str:
            return money.text(minor, places)

        return {
            "id": row.id,
            "parent_id": 0,
            "status": status,
            "currency": currency,
            "version": WC_VERSION,
            "prices_include_tax": False,
            "date_created": created,
            "date_modified": modified,
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
            "payment_method": method,
            "payment_method_title": method_title,
            "transaction_id": "",
            "customer_ip_address": f"192.0.2.{index % 250}",
            "customer_user_agent": "Mozilla/5.0 seed",
            "created_via": "admin" if bits >> 16 & 3 == 0 else "checkout",
            "customer_note": f"Bitte klingeln – “{index}”" if bits >> 18 & 7 == 0 else "",
            "date_completed": modified if done else None,
            "date_paid": created if paid else None,
            "cart_hash": "",
            "number": str(row.id),
            "meta_data": [{"id": 180 + index, "key": "_erp_id", "value": f"E{index}"}]
            if index % 7 == 0
            else [],
            "line_items": [
                _line(line, item + n, places, (rate_id, rate)) for n, line in enumerate(lines)
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
            "date_created_gmt": created_gmt,
            "date_modified_gmt": modified_gmt,
            "date_completed_gmt": modified_gmt if done else None,
            "date_paid_gmt": created_gmt if paid else None,
            "currency_symbol": money.symbol(currency),
            "_links": order_links(self.home, row.id, row.customer),
        }

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
            return Line("Deleted lamp", gone, 0, quantity, cents, cents, "", None, ())
        place = pick % len(ids)
        facts = self.catalogue.facts(place)
        while facts.kind in (GROUPED, EXTERNAL):
            place = (place + 1) % len(ids)
            facts = self.catalogue.facts(place)
        if facts.kind != VARIABLE:
            cents = facts.price * quantity
            return Line(facts.name, ids[place], 0, quantity, cents, cents, facts.sku, None, ())
        ordinal = (pick >> 50) % facts.variations
        cents = variation_price(facts, ordinal) * quantity
        options = variation_options(ordinal)
        name = f"{facts.name} - {', '.join(label for _, _, _, label, _ in options)}"
        sku = f"{facts.sku}-{ordinal + 1}" if facts.sku else ""
        variation = ids[place] + 1 + ordinal
        return Line(name, ids[place], variation, quantity, cents, cents, sku, facts.name, options)


def _tax(amount: int, percent: int) -> int:
    return (amount * percent + 50) // 100


def _taxes(rate_id: int, total: str, subtotal: str) -> list[Document]:
    return [{"id": rate_id, "total": total, "subtotal": subtotal}] if rate_id else []


def _line(line: Line, item: int, places: int, tax: tuple[int, int]) -> Document:
    rate_id, rate = tax
    subtotal_tax = money.text(_tax(line.subtotal, rate), places)
    total_tax = money.text(_tax(line.total, rate), places)
    return {
        "id": item,
        "name": line.name,
        "product_id": line.product_id,
        "variation_id": line.variation_id,
        "quantity": line.quantity,
        "tax_class": "",
        "subtotal": money.text(line.subtotal, places),
        "subtotal_tax": subtotal_tax,
        "total": money.text(line.total, places),
        "total_tax": total_tax,
        "taxes": _taxes(rate_id, total_tax, subtotal_tax),
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


def order_links(home: str, order_id: int, customer: int) -> Document:
    """The `_links` of an order; guests have no `customer`."""
    href = f"{home}/wp-json/wc/v3/orders/{order_id}/actions/email_templates"
    templates = {"embeddable": True, "href": href}
    found = links(home, "orders", order_id, email_templates=[templates])
    if customer:
        found["customer"] = [{"href": f"{home}/wp-json/wc/v3/customers/{customer}"}]
    return found
