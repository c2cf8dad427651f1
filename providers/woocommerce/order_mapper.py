"""From WooCommerce's order rows to canonical orders. Pure.

Source: WooCommerce REST API docs (v3, orders), and answers of WooCommerce 11.0.1.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from domain.money import ZERO, trimmed
from domain.pages import Pulled
from domain.records import Charge, Order, OrderLine, Refund
from domain.statuses import OrderStatus
from providers._kit.assemble import assemble
from providers._kit.wire_values import divide_amount, read_name, read_utc, to_amount
from providers.woocommerce import leftovers
from providers.woocommerce.people_mapper import to_address
from providers.woocommerce.rows import LineRow, OrderRow, RefundRow
from providers.woocommerce.wire import Row

ORDER_STATUS: Final[Mapping[str, OrderStatus]] = {
    "pending": OrderStatus.PENDING,
    "processing": OrderStatus.PROCESSING,
    "on-hold": OrderStatus.ON_HOLD,
    "completed": OrderStatus.COMPLETED,
    "cancelled": OrderStatus.CANCELLED,
    "refunded": OrderStatus.REFUNDED,
    "failed": OrderStatus.FAILED,
}
"""A slug that is not here was registered by a plug-in: work in progress, its raw name kept."""


def to_order(row: Row[OrderRow], *, currency: str) -> Pulled[Order]:
    """An order with its lines, charges and refunds. `currency` is the shop's, if it names none."""
    wire = row.wire
    status = wire["status"]
    customer = wire.get("customer_id")
    number = str(wire["id"])
    lines = _lines(row)
    return Pulled(
        number,
        assemble(
            Order,
            {
                "number": wire.get("number") or number,
                "status": ORDER_STATUS.get(status, OrderStatus.PROCESSING),
                "raw_status": status,
                "currency": wire.get("currency") or currency,
                "subtotal": trimmed(sum((line.subtotal for line in lines), ZERO)),
                "discount_total": to_amount(wire.get("discount_total")),
                "shipping_total": to_amount(wire.get("shipping_total")),
                "tax_total": to_amount(wire.get("total_tax")),
                "total": to_amount(wire["total"]),
                "customer_external_id": str(customer) if customer else None,
                "billing": to_address(wire.get("billing")),
                "shipping": to_address(wire.get("shipping")),
                "payment_method": wire.get("payment_method", ""),
                "payment_title": wire.get("payment_method_title", ""),
                "transaction_id": wire.get("transaction_id", ""),
                "customer_note": wire.get("customer_note", ""),
                "placed_at": read_utc(wire.get("date_created_gmt"), "date_created_gmt"),
                "paid_at": read_utc(wire.get("date_paid_gmt"), "date_paid_gmt"),
                "completed_at": read_utc(wire.get("date_completed_gmt"), "date_completed_gmt"),
                "lines": lines,
                "charges": _charges(wire),
                "refunds": _refunds(wire.get("refunds", [])),
                "extra": leftovers.ORDER.of(row.raw),
            },
        ),
        read_utc(wire.get("date_modified_gmt"), "date_modified_gmt"),
    )


def _lines(row: Row[OrderRow]) -> tuple[OrderLine, ...]:
    wires = row.wire.get("line_items", ())
    raws = row.raw.get("line_items", ())
    return tuple(_line(wire, raw) for wire, raw in zip(wires, raws, strict=True))


def _line(wire: LineRow, raw: Mapping[str, Any]) -> OrderLine:
    product, variation = wire.get("product_id"), wire.get("variation_id")
    sold = variation or product
    quantity = trimmed(Decimal(wire.get("quantity") or 0))
    subtotal, total = to_amount(wire.get("subtotal")), to_amount(wire.get("total"))
    return assemble(
        OrderLine,
        {
            "external_id": str(wire["id"]),
            "product_external_id": str(product) if product else None,
            "variant_external_id": str(sold) if sold else None,
            "sku": wire.get("sku", ""),
            "title": read_name(wire.get("name", "")),
            "quantity": quantity,
            "unit_price": divide_amount(subtotal, quantity),
            "subtotal": subtotal,
            "discount": trimmed(subtotal - total),
            "tax": to_amount(wire.get("total_tax")),
            "total": total,
            "extra": leftovers.LINE.of(raw),
        },
    )


def _charges(wire: OrderRow) -> tuple[Charge, ...]:
    """What an order costs or saves besides its lines: kind by kind, as the shop lists them."""
    charges = [
        _charge(
            "shipping",
            row["id"],
            code=row.get("method_id", ""),
            title=read_name(row.get("method_title", "")),
            total=to_amount(row.get("total")),
            tax=to_amount(row.get("total_tax")),
        )
        for row in wire.get("shipping_lines", ())
    ]
    for fee in wire.get("fee_lines", ()):
        total, tax = to_amount(fee.get("total")), to_amount(fee.get("total_tax"))
        title = read_name(fee.get("name", ""))
        charges.append(_charge("fee", fee["id"], code="", title=title, total=total, tax=tax))
    for rate in wire.get("tax_lines", ()):
        taxed = to_amount(rate.get("tax_total")) + to_amount(rate.get("shipping_tax_total"))
        total = trimmed(taxed)
        code, title = rate.get("rate_code", ""), read_name(rate.get("label", ""))
        charges.append(_charge("tax", rate["id"], code=code, title=title, total=total, tax=ZERO))
    for coupon in wire.get("coupon_lines", ()):
        total, tax = to_amount(coupon.get("discount")), to_amount(coupon.get("discount_tax"))
        code = coupon.get("code", "")
        charges.append(_charge("coupon", coupon["id"], code=code, title=code, total=total, tax=tax))
    return tuple(charges)


def _charge(
    kind: str, number: int, *, code: str, title: str, total: Decimal, tax: Decimal
) -> Charge:
    return assemble(
        Charge,
        {
            "kind": kind,
            "external_id": str(number),
            "code": code,
            "title": title,
            "total": total,
            "tax": tax,
        },
    )


def _refunds(rows: list[RefundRow]) -> tuple[Refund, ...]:
    """Refunds by id; WooCommerce shows what was given back as negative."""
    if not rows:
        return ()
    return tuple(
        assemble(
            Refund,
            {
                "external_id": str(row["id"]),
                "amount": abs(to_amount(row.get("total"))),
                "reason": row.get("reason", ""),
            },
        )
        for row in sorted(rows, key=lambda row: row["id"])
    )
