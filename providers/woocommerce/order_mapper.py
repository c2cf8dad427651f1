"""From WooCommerce's order rows to canonical orders. Pure.

Source: WooCommerce REST API docs (v3, orders), and answers of WooCommerce 11.0.1.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from domain.errors import InvalidRecordError
from domain.money import ZERO
from domain.pages import Pulled
from domain.records import Order
from domain.statuses import OrderStatus
from providers._kit.wire_values import divide_amount, read_amount, read_name, read_utc
from providers.woocommerce import leftovers
from providers.woocommerce.wire import ChargeRow, LineRow, OrderRow, RefundRow, Row

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
    customer = wire.get("customer_id", 0)
    number = str(wire["id"])
    if wire["total"] is None or wire["total"] == "":
        raise InvalidRecordError("total: the order has none")
    lines, subtotal = _lines(row)
    return Pulled(
        number,
        Order.model_validate(
            {
                "number": wire.get("number") or number,
                "status": ORDER_STATUS.get(status, OrderStatus.PROCESSING),
                "raw_status": status,
                "currency": wire.get("currency") or currency,
                "subtotal": subtotal,
                "discount_total": read_amount(wire.get("discount_total"), "discount_total"),
                "shipping_total": read_amount(wire.get("shipping_total"), "shipping_total"),
                "tax_total": read_amount(wire.get("total_tax"), "total_tax"),
                "total": read_amount(wire["total"], "total"),
                "customer_external_id": str(customer) if customer else None,
                "billing": wire.get("billing", {}),
                "shipping": wire.get("shipping", {}),
                "payment_method": wire.get("payment_method", ""),
                "payment_title": wire.get("payment_method_title", ""),
                "transaction_id": wire.get("transaction_id", ""),
                "customer_note": wire.get("customer_note", ""),
                "placed_at": read_utc(wire.get("date_created_gmt"), "date_created_gmt"),
                "paid_at": read_utc(wire.get("date_paid_gmt"), "date_paid_gmt"),
                "completed_at": read_utc(wire.get("date_completed_gmt"), "date_completed_gmt"),
                "lines": lines,
                "charges": list(_charges(wire)),
                "refunds": _refunds(wire.get("refunds", ())),
                "extra": leftovers.ORDER.of(row.raw),
            }
        ),
        read_utc(wire.get("date_modified_gmt"), "date_modified_gmt"),
    )


def _lines(row: Row[OrderRow]) -> tuple[list[dict[str, Any]], Decimal]:
    wires = row.wire.get("line_items", ())
    lines = []
    subtotals = ZERO
    for wire, raw in zip(wires, row.raw.get("line_items", ()), strict=True):
        subtotal = read_amount(wire.get("subtotal"), "subtotal")
        subtotals += subtotal
        lines.append(_line(wire, raw, subtotal))
    return lines, subtotals


def _line(wire: LineRow, raw: Mapping[str, Any], subtotal: Decimal) -> dict[str, Any]:
    product, variation = wire.get("product_id", 0), wire.get("variation_id", 0)
    quantity = read_amount(wire.get("quantity", 1), "quantity")
    total = read_amount(wire.get("total"), "total")
    return {
        "external_id": str(wire["id"]),
        "product_external_id": str(product) if product else None,
        "variant_external_id": str(variation or product) if variation or product else None,
        "sku": wire.get("sku", ""),
        "title": read_name(wire.get("name", "")),
        "quantity": quantity,
        "unit_price": divide_amount(subtotal, quantity),
        "subtotal": subtotal,
        "discount": subtotal - total,
        "tax": read_amount(wire.get("total_tax"), "total_tax"),
        "total": total,
        "extra": leftovers.LINE.of(raw),
    }


def _charges(wire: OrderRow) -> Iterator[dict[str, Any]]:
    for kind, rows, describe in (
        ("shipping", wire.get("shipping_lines", ()), _shipping),
        ("fee", wire.get("fee_lines", ()), _fee),
        ("tax", wire.get("tax_lines", ()), _tax),
        ("coupon", wire.get("coupon_lines", ()), _coupon),
    ):
        read: Callable[[ChargeRow], dict[str, Any]] = describe
        for row in rows:
            charge = read(row)
            charge["kind"] = kind
            charge["external_id"] = str(row["id"])
            yield charge


def _shipping(row: ChargeRow) -> dict[str, Any]:
    return {
        "code": row.get("method_id", ""),
        "title": read_name(row.get("method_title", "")),
        "total": read_amount(row.get("total"), "shipping total"),
        "tax": read_amount(row.get("total_tax"), "shipping tax"),
    }


def _fee(row: ChargeRow) -> dict[str, Any]:
    return {
        "title": read_name(row.get("name", "")),
        "total": read_amount(row.get("total"), "fee total"),
        "tax": read_amount(row.get("total_tax"), "fee tax"),
    }


def _tax(row: ChargeRow) -> dict[str, Any]:
    goods = read_amount(row.get("tax_total"), "tax total")
    shipping = read_amount(row.get("shipping_tax_total"), "shipping tax total")
    return {
        "code": row.get("rate_code", ""),
        "title": read_name(row.get("label", "")),
        "total": goods + shipping,
    }


def _coupon(row: ChargeRow) -> dict[str, Any]:
    return {
        "code": row.get("code", ""),
        "title": row.get("code", ""),
        "total": read_amount(row.get("discount"), "coupon discount"),
        "tax": read_amount(row.get("discount_tax"), "coupon discount tax"),
    }


def _refunds(rows: "list[RefundRow] | tuple[()]") -> list[dict[str, Any]]:
    """Refunds by id; WooCommerce shows what was given back as negative."""
    return [
        {
            "external_id": str(row["id"]),
            "amount": abs(read_amount(row.get("total"), "refund total")),
            "reason": row.get("reason", ""),
        }
        for row in sorted(rows, key=lambda row: row["id"])
    ]
