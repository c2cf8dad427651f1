"""Records as a provider hands them over, each with the one thing a test is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.pages import Pulled
from domain.records import (
    Address,
    Category,
    Customer,
    InventoryLevel,
    Order,
    OrderLine,
    Product,
    Variant,
)
from domain.statuses import OrderStatus, ProductStatus

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def at(second: int | None) -> datetime | None:
    """A store's modification time, in seconds from the beginning of the tests' time."""
    return None if second is None else T0 + timedelta(seconds=second)


def category(key: str, name: str = "Tea", *, parent: str | None = None) -> Pulled[Category]:
    return Pulled(key, Category(name=name, slug=name.lower(), parent_external_id=parent))


def variant(key: str, price: str | None = "10", **changes: Any) -> Variant:
    amount = None if price is None else Decimal(price)
    return Variant.model_validate({"external_id": key, "price": amount} | changes)


def product(
    key: str,
    *variants: Variant,
    version: int | None = 0,
    stock: Any = None,
    counted: int | None = None,
    **changes: Any,
) -> Pulled[Product]:
    """A product; `stock` maps external ids of variants to quantities. Without variants it has one,
    by its own id. `counted` is the second at which the store dates the quantities, if it does."""
    levels = stock or {}
    sold = variants or (variant(key, tracks_stock=key in levels),)
    values = {
        "title": f"Product {key}",
        "status": ProductStatus.ACTIVE,
        "currency": "EUR",
        "variants": sold,
    }
    return Pulled(
        key,
        Product.model_validate(values | changes),
        version=at(version),
        levels=tuple(
            InventoryLevel(variant_external_id=one, available=Decimal(count), version=at(counted))
            for one, count in levels.items()
        ),
    )


def customer(key: str, email: str = "ann@example.test", **changes: Any) -> Pulled[Customer]:
    version = changes.pop("version", 0)
    return Pulled(key, Customer.model_validate({"email": email} | changes), version=at(version))


def line(key: str, product_key: str | None = None, **changes: Any) -> OrderLine:
    values = {
        "external_id": key,
        "product_external_id": product_key,
        "variant_external_id": product_key,
        "title": f"Line {key}",
        "quantity": Decimal(1),
        "total": Decimal("5.25"),
    }
    return OrderLine.model_validate(values | changes)


def order(key: str, *lines: OrderLine, version: int | None = 0, **changes: Any) -> Pulled[Order]:
    """An order; `email` makes it a guest's, `customer` a registered buyer's."""
    email, buyer = changes.pop("email", ""), changes.pop("customer", None)
    values = {
        "number": key,
        "status": OrderStatus.PROCESSING,
        "raw_status": "processing",
        "currency": "EUR",
        "total": Decimal("5.25"),
        "customer_external_id": buyer,
        "billing": Address(first_name="Ann", email=email),
        "placed_at": T0,
        "lines": lines or (line(f"{key}-1"),),
    }
    return Pulled(key, Order.model_validate(values | changes), version=at(version))
