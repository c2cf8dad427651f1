"""The rows of WooCommerce's REST API v3, as far as we read them by name.

Source: WooCommerce REST API docs (v3) and answers of WooCommerce 11.0.1. The keys are the shop's.
"""

from typing import Annotated, Literal, Required

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from providers._kit.wire_values import AmountText

_LAX = ConfigDict(coerce_numbers_to_str=True)

Id = Annotated[int, Field(gt=0)]
Reference = Annotated[int, Field(ge=0)]
Quantity = int | AmountText | None
Time = str | None


class CategoryRow(TypedDict, total=False):
    """A row of `/products/categories`."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    name: Required[str]
    slug: str
    parent: Reference
    description: str
    menu_order: int


class TermRow(TypedDict, total=False):
    """A category or tag as a product names it."""

    id: Required[Id]
    name: str


class ImageRow(TypedDict, total=False):
    """A picture. `id` is 0 for one from outside the shop."""

    id: Reference
    src: str
    name: str
    alt: str


class AttributeRow(TypedDict, total=False):
    """An attribute of a product, or its value at a variation (`option`)."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    name: Required[str]
    variation: bool
    options: list[str]
    option: str


class SellableRow(TypedDict, total=False):
    """What products and variations have in common."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    name: str
    status: str
    sku: str
    global_unique_id: str
    price: AmountText
    regular_price: AmountText
    manage_stock: bool | Literal["parent"]
    stock_quantity: Quantity
    stock_status: str
    backorders: str
    weight: str
    date_modified_gmt: Time
    attributes: list[AttributeRow]


class ProductRow(SellableRow, total=False):
    """A row of `/products`."""

    slug: str
    type: str
    description: str
    short_description: str
    date_created_gmt: Time
    categories: list[TermRow]
    tags: list[TermRow]
    images: list[ImageRow]
    variations: list[Id]


class VariationRow(SellableRow, total=False):
    """A row of `/variations` or `/products/{id}/variations`."""

    parent_id: Reference
    image: ImageRow | None


class AddressRow(TypedDict, total=False):
    """Billing or shipping; its keys are those of the canonical address."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    first_name: str
    last_name: str
    company: str
    address_1: str
    address_2: str
    city: str
    state: str
    postcode: str
    country: str
    email: str
    phone: str


class CustomerRow(TypedDict, total=False):
    """A row of `/customers`."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    email: str
    first_name: str
    last_name: str
    is_paying_customer: bool
    billing: AddressRow
    shipping: AddressRow
    date_created_gmt: Time
    date_modified_gmt: Time


class LineRow(TypedDict, total=False):
    """A position of `line_items`. A product that is gone has id 0."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    name: str
    product_id: Reference
    variation_id: Reference
    quantity: Quantity
    subtotal: AmountText
    total: AmountText
    total_tax: AmountText
    sku: str


class ShippingRow(TypedDict, total=False):
    """A position of `shipping_lines`."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    method_id: str
    method_title: str
    total: AmountText
    total_tax: AmountText


class FeeRow(TypedDict, total=False):
    """A position of `fee_lines`; a rebate is a fee below zero."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    name: str
    total: AmountText
    total_tax: AmountText


class TaxRow(TypedDict, total=False):
    """A position of `tax_lines`."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    rate_code: str
    label: str
    tax_total: AmountText
    shipping_tax_total: AmountText


class CouponRow(TypedDict, total=False):
    """A position of `coupon_lines`."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    code: str
    discount: AmountText
    discount_tax: AmountText


class RefundRow(TypedDict, total=False):
    """A refund as its order names it; `total` is negative."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    reason: str
    total: AmountText


class OrderRow(TypedDict, total=False):
    """A row of `/orders`."""

    __pydantic_config__ = _LAX  # type: ignore[misc]
    id: Required[Id]
    number: str
    status: Required[str]
    currency: str
    discount_total: AmountText
    shipping_total: AmountText
    total_tax: AmountText
    total: Required[Annotated[AmountText, Field(min_length=1)]]
    customer_id: Reference
    billing: AddressRow
    shipping: AddressRow
    payment_method: str
    payment_method_title: str
    transaction_id: str
    customer_note: str
    date_created_gmt: Time
    date_modified_gmt: Time
    date_paid_gmt: Time
    date_completed_gmt: Time
    line_items: list[LineRow]
    shipping_lines: list[ShippingRow]
    fee_lines: list[FeeRow]
    tax_lines: list[TaxRow]
    coupon_lines: list[CouponRow]
    refunds: list[RefundRow]
