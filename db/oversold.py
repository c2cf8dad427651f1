"""What an alert says of an order that wants more than there is."""

from typing import Final

TITLE: Final = "Order {number} is oversold"
"""Field: number."""

MESSAGE: Final = (
    "Order {number} wants more than there is of {variants} variant(s). Order more and book it in "
    "(POST /api/inventory/movements), or cancel the order (PATCH /api/orders/{order})."
)
"""Fields: number, variants (how many), order (its id)."""
