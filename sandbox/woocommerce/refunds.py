"""Seeded refunds as WooCommerce 11.0.1 shows them."""

from sandbox.woocommerce import clock
from sandbox.woocommerce.catalogue import links
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.seed import order_status
from sandbox.woocommerce.table import Row


def seeded_refund(home: str, row: Row, order: Document) -> Document:
    """The REST document of a seeded refund of `order`."""
    listed = next(part for part in order["refunds"] if part["id"] == row.id)
    full = order["status"] == "refunded"
    items = [_refunded(line) for line in order["line_items"]] if full else []
    return {
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
        "_links": refund_links(home, order["id"], row.id),
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
