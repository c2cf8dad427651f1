"""What the sandbox shop holds, read by the demo's own eyes into fields to compare.

Nothing of the import is used here: a mistake of the mapper must not be made twice. Source: the
WooCommerce REST API docs (v3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runtime.cli.demo.tally import Fields
from runtime.cli.demo.wire import (
    Document,
    amount,
    guest_identity,
    moment,
    shop_address,
    total,
    words,
)

READ: Final = ("categories", "products", "variations", "customers", "orders")
"""The entities of the sandbox's truth that are needed."""

_PRODUCT_STATUS: Final = {
    "publish": "active",
    "draft": "draft",
    "pending": "draft",
    "future": "draft",
    "private": "hidden",
}
_ORDER_STATUS: Final = {
    "pending": "pending",
    "processing": "processing",
    "on-hold": "on_hold",
    "completed": "completed",
    "cancelled": "cancelled",
    "refunded": "refunded",
    "failed": "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Live:
    """The ids that orders can lead to."""

    accounts: frozenset[str]
    products: frozenset[str]
    variants: frozenset[str]


@dataclass(frozen=True, slots=True)
class Truth:
    """The live records of the shop, as its REST API tells them."""

    documents: Mapping[str, Sequence[Document]]
    currency: str

    def expected(self) -> dict[str, dict[str, Fields]]:
        """What the hub should hold, by entity and the shop's id."""
        sold = self._sold()
        live = _Live(
            accounts=frozenset(str(one["id"]) for one in self.documents["customers"]),
            products=frozenset(str(one["id"]) for one in self.documents["products"]),
            variants=frozenset(str(one["id"]) for _, one in sold),
        )
        return {
            "categories": {str(one["id"]): _category(one) for one in self.documents["categories"]},
            "products": {str(one["id"]): self._product(one) for one in self.documents["products"]},
            "variants": {str(one["id"]): self._variant(one, of) for of, one in sold},
            "levels": {
                str(one["id"]): {"on_hand": _stock(one, of)}
                for of, one in sold
                if one["manage_stock"]
            },
            "customers": {str(one["id"]): _customer(one) for one in self.documents["customers"]},
            "guests": self._guests(),
            "orders": {str(one["id"]): _order(one, live) for one in self.documents["orders"]},
        }

    def _sold(self) -> list[tuple[Document, Document]]:
        """(product, what is sold of it): its variations, or the product itself."""
        variations: dict[int, list[Document]] = {}
        for one in self.documents["variations"]:
            variations.setdefault(one["parent_id"], []).append(one)
        return [
            (one, sold)
            for one in self.documents["products"]
            for sold in (variations.get(one["id"], []) if _has_variations(one) else [one])
        ]

    def _product(self, one: Document) -> Fields:
        return {
            "title": words(one["name"]),
            "slug": one["slug"],
            "status": _PRODUCT_STATUS[one["status"]],
            "raw_status": one["status"],
            "kind": one["type"],
            "description": one["description"],
            "short_description": one["short_description"],
            "currency": self.currency,
            "categories": {str(term["id"]) for term in one["categories"]},
            "tags": {words(term["name"]) for term in one["tags"]},
            "images": [(image["src"], str(image["id"])) for image in one["images"]],
            "options": [
                (words(each["name"]), list(each["options"]))
                for each in one["attributes"]
                if each["variation"]
            ],
            "listed_at": moment(one["date_created_gmt"]),
        }

    def _variant(self, sold: Document, product: Document) -> Fields:
        is_variation = sold is not product
        price, regular = amount(sold["price"]), amount(sold["regular_price"])
        is_reduced = price is not None and regular is not None and regular > price
        return {
            "product": str(product["id"]),
            "title": words(sold["name"]) if is_variation else "",
            "sku": sold["sku"],
            "barcode": sold["global_unique_id"],
            "price": price,
            "compare_at_price": regular if is_reduced else None,
            "currency": self.currency,
            "option_values": {words(each["name"]): each["option"] for each in sold["attributes"]}
            if is_variation
            else {},
            "tracks_stock": bool(sold["manage_stock"]),
            "in_stock": sold["stock_status"] == "instock",
            "allows_backorder": sold["backorders"] != "no",
            "weight": amount(sold["weight"]),
            "is_active": not is_variation or sold["status"] == "publish",
        }

    def _guests(self) -> dict[str, Fields]:
        """Each guest as their newest order tells."""
        guests: dict[str, Fields] = {}
        by_age = sorted(
            self.documents["orders"], key=lambda one: (one["date_created_gmt"], one["id"])
        )
        for one in by_age:
            identity = guest_identity(one["billing"])
            if one["customer_id"] or identity is None:
                continue
            billing = one["billing"]
            guests[identity] = {
                "email": billing["email"].strip().lower(),
                "phone": billing["phone"],
                "first_name": billing["first_name"],
                "last_name": billing["last_name"],
                "billing": shop_address(billing),
                "shipping": shop_address(one["shipping"]),
            }
        return guests


def _has_variations(product: Document) -> bool:
    return bool(product["variations"]) or product["type"].startswith("variable")


def _stock(sold: Document, product: Document) -> Any:
    holder = product if sold["manage_stock"] == "parent" else sold
    return amount(holder["stock_quantity"] or 0)


def _category(one: Document) -> Fields:
    return {
        "name": words(one["name"]),
        "slug": one["slug"],
        "description": one["description"],
        "parent": str(one["parent"]) if one["parent"] else None,
        "position": one["menu_order"],
    }


def _customer(one: Document) -> Fields:
    return {
        "email": one["email"] or one["billing"]["email"],
        "phone": one["billing"]["phone"] or one["shipping"]["phone"],
        "first_name": one["first_name"],
        "last_name": one["last_name"],
        "is_paying": one["is_paying_customer"],
        "billing": shop_address(one["billing"]),
        "shipping": shop_address(one["shipping"]),
        "registered_at": moment(one["date_created_gmt"]),
    }


def _buyer(one: Document, live: _Live) -> tuple[str, str] | None:
    """An account, an account that is gone, a guest, or nobody."""
    if one["customer_id"]:
        number = str(one["customer_id"])
        return ("account" if number in live.accounts else "gone", number)
    identity = guest_identity(one["billing"])
    return None if identity is None else ("guest", identity)


def _order(one: Document, live: _Live) -> Fields:
    return {
        "number": one["number"],
        "status": _ORDER_STATUS.get(one["status"], "processing"),
        "raw_status": one["status"],
        "currency": one["currency"],
        "subtotal": total(line["subtotal"] for line in one["line_items"]),
        "discount_total": amount(one["discount_total"]),
        "shipping_total": amount(one["shipping_total"]),
        "tax_total": amount(one["total_tax"]),
        "total": amount(one["total"]),
        "refunded_total": -total(refund["total"] for refund in one["refunds"]),
        "buyer": _buyer(one, live),
        "billing": shop_address(one["billing"]),
        "shipping": shop_address(one["shipping"]),
        "payment_method": one["payment_method"],
        "payment_title": one["payment_method_title"],
        "transaction_id": one["transaction_id"],
        "customer_note": one["customer_note"],
        "placed_at": moment(one["date_created_gmt"]),
        "paid_at": moment(one["date_paid_gmt"]),
        "completed_at": moment(one["date_completed_gmt"]),
        "lines": [_line(line, live) for line in one["line_items"]],
        "charges": _charges(one),
        "refunds": sorted(
            (str(each["id"]), -total([each["total"]]), each["reason"]) for each in one["refunds"]
        ),
    }


def _line(one: Document, live: _Live) -> Fields:
    product = str(one["product_id"]) if one["product_id"] else None
    variant = str(one["variation_id"]) if one["variation_id"] else product
    return {
        "external_id": str(one["id"]),
        "product": product,
        "product_record": product if product in live.products else None,
        "variant": variant,
        "variant_record": variant if variant in live.variants else None,
        "sku": one["sku"],
        "title": words(one["name"]),
        "quantity": amount(one["quantity"]),
        "subtotal": amount(one["subtotal"]),
        "total": amount(one["total"]),
        "discount": total([one["subtotal"]]) - total([one["total"]]),
        "tax": amount(one["total_tax"]),
    }


def _charges(one: Document) -> list[tuple[Any, ...]]:
    """(kind, id, code, title, total, tax) of what an order costs or saves besides its lines."""
    charges: list[tuple[Any, ...]] = []
    for each in one["shipping_lines"]:
        named = (each["method_id"], words(each["method_title"]))
        charges.append(("shipping", str(each["id"]), *named, *_paid(each, "total", "total_tax")))
    for each in one["fee_lines"]:
        named = ("", words(each["name"]))
        charges.append(("fee", str(each["id"]), *named, *_paid(each, "total", "total_tax")))
    for each in one["tax_lines"]:
        tax = total([each["tax_total"], each["shipping_tax_total"]])
        named = (each["rate_code"], words(each["label"]))
        charges.append(("tax", str(each["id"]), *named, tax, total([])))
    for each in one["coupon_lines"]:
        named = (each["code"], each["code"])
        charges.append(
            ("coupon", str(each["id"]), *named, *_paid(each, "discount", "discount_tax"))
        )
    return charges


def _paid(one: Document, *names: str) -> tuple[Any, ...]:
    return tuple(amount(one[name]) for name in names)
