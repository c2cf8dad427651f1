"""From EasyOrders' orders to canonical ones. Pure.

Source: EasyOrders API docs, sample of "get order by id". Currency and country are not in orders:
they come from the connection.
"""

from typing import Any, Final

from domain.money import ZERO, trimmed
from domain.pages import Pulled
from domain.records import Address, Order, OrderLine
from domain.statuses import OrderStatus
from providers.easyorder.phones import to_international
from providers.easyorder.statuses import ORDER_STATUS
from providers.easyorder.wire import CartItemWire, OrderWire, quantity_of

_PAYMENT_TITLES: Final = {"cod": "Cash on delivery"}


def to_order(wire: OrderWire, *, currency: str, country: str) -> Pulled[Order]:
    """An order; its buyer has no account, and is known by telephone number."""
    address = _address(wire, country)
    extra: dict[str, Any] = dict(wire.more)
    if wire.store_id:
        extra["store_id"] = wire.store_id
    if wire.phone.strip() != address.phone:
        extra["phone"] = wire.phone
    record = Order(
        number=wire.short_id or wire.id.partition("-")[0],
        status=ORDER_STATUS.get(wire.status, OrderStatus.UNKNOWN),
        raw_status=wire.status,
        currency=currency,
        subtotal=wire.cost or ZERO,
        shipping_total=wire.shipping_cost or ZERO,
        total=wire.total_cost,
        billing=address,
        shipping=address,
        payment_method=wire.payment_method,
        payment_title=_PAYMENT_TITLES.get(wire.payment_method, ""),
        placed_at=wire.created_at,
        lines=tuple(_line(one) for one in wire.cart_items),
        extra=extra,
    )
    return Pulled(wire.id, record, wire.updated_at)


def _address(wire: OrderWire, country: str) -> Address:
    first, _, rest = wire.full_name.strip().partition(" ")
    return Address(
        first_name=first,
        last_name=rest.strip(),
        address_1=wire.address.strip(),
        state=wire.government.strip(),
        country=country,
        phone=to_international(wire.phone, country),
    )


def _line(wire: CartItemWire) -> OrderLine:
    quantity, price = quantity_of(wire.quantity), wire.price or ZERO
    total = trimmed(price * quantity)
    sold, variant = wire.product, wire.variant
    code = (variant.taager_code or variant.sku) if variant is not None else ""
    own = (sold.sku or sold.taager_code) if sold is not None else ""
    chosen = {
        one.variation.strip(): one.variation_prop.strip()
        for one in (variant.variation_props if variant is not None else ())
    }
    return OrderLine(
        external_id=wire.id,
        product_external_id=wire.product_id or None,
        # A product without variants is its own only variant.
        variant_external_id=wire.variant_id or wire.product_id or None,
        sku=(code or own).strip(),
        title=sold.name.strip() if sold is not None else "",
        quantity=quantity,
        unit_price=price,
        subtotal=total,
        total=total,
        extra={"options": chosen} if chosen else {},
    )
