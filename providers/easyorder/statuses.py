"""The statuses of orders. Source: EasyOrders API docs, "update order status"."""

from collections.abc import Mapping
from typing import Final

from domain.statuses import OrderStatus
from providers.easyorder.config import ProcessingWord

ORDER_STATUS: Final[Mapping[str, OrderStatus]] = {
    "pending": OrderStatus.PENDING,
    "pending_payment": OrderStatus.PENDING,
    "confirmed": OrderStatus.PROCESSING,
    "paid": OrderStatus.PROCESSING,
    "processing": OrderStatus.PROCESSING,
    "waiting_for_pickup": OrderStatus.PROCESSING,
    "in_delivery": OrderStatus.SHIPPED,
    "delivered": OrderStatus.COMPLETED,
    "canceled": OrderStatus.CANCELLED,
    "paid_failed": OrderStatus.FAILED,
    "returning_from_delivery": OrderStatus.ON_HOLD,
    "request_refund": OrderStatus.ON_HOLD,
    "refund_in_progress": OrderStatus.ON_HOLD,
    "refunded": OrderStatus.REFUNDED,
}
"""What the store says. The list is open: clients report others, which become `UNKNOWN`."""

_WORDS: Final[Mapping[OrderStatus, str]] = {
    OrderStatus.PENDING: "pending",
    OrderStatus.SHIPPED: "in_delivery",
    OrderStatus.COMPLETED: "delivered",
    OrderStatus.CANCELLED: "canceled",
    OrderStatus.FAILED: "paid_failed",
    OrderStatus.REFUNDED: "refunded",
}


def word_for(status: OrderStatus, processing: ProcessingWord) -> str | None:
    """The store's word to set; None where it has none."""
    if status is OrderStatus.PROCESSING:
        return processing.value
    return _WORDS.get(status)
