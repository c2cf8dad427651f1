"""Bodies of customers and orders."""

from typing import Any

from pydantic import Field

from api.schemas.base import Answer, Quantity, UtcTime, example
from api.schemas.records import REFERENCES, TIMES, RecordAnswer, page_example

ADDRESS = {
    "firstName": "Nimal",
    "lastName": "Perera",
    "company": "",
    "address1": "12 Galle Road",
    "address2": "",
    "city": "Colombo",
    "state": "",
    "postcode": "00300",
    "country": "LK",
    "email": "nimal@example.com",
    "phone": "+94 11 234 5678",
}


class AddressAnswer(Answer):
    """A postal address with its person."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address_1: str = ""
    address_2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


class CustomerAnswer(RecordAnswer):
    """A buyer: registered at the store, or a guest known from orders alone."""

    model_config = Answer.model_config | example(
        {
            "id": 8,
            "email": "nimal@example.com",
            "phone": "+94 11 234 5678",
            "firstName": "Nimal",
            "lastName": "Perera",
            "isGuest": False,
            "isPaying": True,
            "billing": ADDRESS,
            "shipping": ADDRESS,
            "registeredAt": "2026-01-05T10:00:00Z",
            "extra": {},
            "externalReferences": REFERENCES,
            **TIMES,
        }
    )

    email: str
    phone: str
    first_name: str
    last_name: str
    is_guest: bool
    is_paying: bool
    billing: AddressAnswer
    shipping: AddressAnswer
    registered_at: UtcTime | None


class CustomerListAnswer(Answer):
    """A page of customers by id."""

    model_config = Answer.model_config | page_example(CustomerAnswer)

    data: list[CustomerAnswer]
    next_cursor: str | None


class OrderLineAnswer(Answer):
    """A position of an order. `unitPrice` is before discount, `total` after it, both ex tax."""

    id: int
    external_id: str
    product_id: int | None
    variant_id: int | None
    product_external_id: str | None
    variant_external_id: str | None
    sku: str
    title: str
    quantity: Quantity
    unit_price: str
    subtotal: str
    discount: str
    tax: str
    total: str
    extra: dict[str, Any]


class ChargeAnswer(Answer):
    """A shipping, fee, tax or coupon position."""

    kind: str
    external_id: str = ""
    code: str = ""
    title: str = ""
    total: str
    tax: str


class RefundAnswer(Answer):
    """Money given back; `amount` is positive."""

    external_id: str
    amount: str
    reason: str = ""


class OrderAnswer(RecordAnswer):
    """A sale."""

    model_config = Answer.model_config | example(
        {
            "id": 91,
            "storeId": 12,
            "number": "1042",
            "status": "processing",
            "rawStatus": "processing",
            "oversold": False,
            "currency": "LKR",
            "subtotal": "2500.00",
            "discountTotal": "0.00",
            "shippingTotal": "300.00",
            "taxTotal": "0.00",
            "total": "2800.00",
            "refundedTotal": "0.00",
            "customerId": 8,
            "customerExternalId": "4",
            "billing": ADDRESS,
            "shipping": ADDRESS,
            "paymentMethod": "cod",
            "paymentTitle": "Cash on delivery",
            "transactionId": "",
            "customerNote": "",
            "placedAt": "2026-11-20T16:02:11Z",
            "paidAt": None,
            "completedAt": None,
            "lines": [
                {
                    "id": 130,
                    "externalId": "77",
                    "productId": 40,
                    "variantId": 55,
                    "productExternalId": "4711",
                    "variantExternalId": "4711",
                    "sku": "TEA-1",
                    "title": "Ceylon black tea",
                    "quantity": "2",
                    "unitPrice": "1250.00",
                    "subtotal": "2500.00",
                    "discount": "0.00",
                    "tax": "0.00",
                    "total": "2500.00",
                    "extra": {},
                }
            ],
            "charges": [
                {
                    "kind": "shipping",
                    "externalId": "78",
                    "code": "flat_rate",
                    "title": "Flat rate",
                    "total": "300.00",
                    "tax": "0.00",
                }
            ],
            "refunds": [],
            "extra": {},
            "externalReferences": REFERENCES,
            **TIMES,
        }
    )

    store_id: int
    number: str
    status: str
    raw_status: str
    oversold: bool = Field(description="It wants more than there was to reserve")
    currency: str
    subtotal: str
    discount_total: str
    shipping_total: str
    tax_total: str
    total: str
    refunded_total: str
    customer_id: int | None
    customer_external_id: str | None
    billing: AddressAnswer
    shipping: AddressAnswer
    payment_method: str
    payment_title: str
    transaction_id: str
    customer_note: str
    placed_at: UtcTime | None
    paid_at: UtcTime | None
    completed_at: UtcTime | None
    lines: list[OrderLineAnswer]
    charges: list[ChargeAnswer]
    refunds: list[RefundAnswer]


class OrderListAnswer(Answer):
    """A page of orders by id."""

    model_config = Answer.model_config | page_example(OrderAnswer)

    data: list[OrderAnswer]
    next_cursor: str | None
