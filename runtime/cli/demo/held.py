"""What the hub holds of one store, as its API tells it, in the fields that are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runtime.cli.demo.tally import Fields, Found
from runtime.cli.demo.wire import Document, amount, guest_identity, hub_address, moment

READ: Final = ("categories", "products", "customers", "orders")
"""The lists of the API that are needed."""


@dataclass(frozen=True, slots=True)
class Held:
    """The records of the hub."""

    records: Mapping[str, Sequence[Document]]
    store_id: int

    def found(self) -> dict[str, list[Found]]:
        """The records of the store by entity; those without any store are among them."""
        categories = self._names("categories")
        products = self._names("products")
        variants = self._variant_names()
        sold = [
            (self._ids(product), variant)
            for product in self._own("products")
            for variant in product["variants"]
        ]
        people = self._own("customers")
        buyers = {one["id"]: self._as_buyer(one) for one in self.records["customers"]}
        return {
            "categories": [
                Found(self._ids(one), _category(one, categories)) for one in self._own("categories")
            ],
            "products": [
                Found(self._ids(one), _product(one, categories)) for one in self._own("products")
            ],
            "variants": [Found(self._ids(one), _variant(one, owner)) for owner, one in sold],
            "levels": [
                Found(self._ids(one), {"on_hand": amount(one["onHand"])})
                for _, one in sold
                if one["onHand"] is not None
            ],
            "customers": [
                Found(self._ids(one), _customer(one)) for one in people if not one["isGuest"]
            ],
            "guests": [Found(_guest_ids(one), _guest(one)) for one in people if one["isGuest"]],
            "orders": [
                Found(
                    self._ids(one),
                    {
                        **_order(one),
                        "buyer": _buyer(one, buyers),
                        "lines": [_line(line, products, variants) for line in one["lines"]],
                    },
                )
                for one in self._own("orders")
            ],
        }

    def _own(self, entity: str) -> list[Document]:
        return [
            one for one in self.records[entity] if not one["externalReferences"] or self._ids(one)
        ]

    def _ids(self, one: Document) -> tuple[str, ...]:
        return tuple(
            reference["externalId"]
            for reference in one["externalReferences"]
            if reference["storeId"] == self.store_id
        )

    def _names(self, entity: str) -> dict[int, str]:
        return {one["id"]: "+".join(self._ids(one)) for one in self.records[entity]}

    def _variant_names(self) -> dict[int, str]:
        return {
            variant["id"]: "+".join(self._ids(variant))
            for product in self.records["products"]
            for variant in product["variants"]
        }

    def _as_buyer(self, one: Document) -> tuple[str, str]:
        if one["isGuest"]:
            return ("guest", guest_identity(one) or "")
        return ("account", "+".join(self._ids(one)))


def _buyer(one: Document, buyers: Mapping[int, tuple[str, str]]) -> tuple[str, str] | None:
    outside = one["customerExternalId"]
    if one["customerId"] is None:
        return None if outside is None else ("gone", outside)
    return buyers.get(one["customerId"])


def _category(one: Document, names: Mapping[int, str]) -> Fields:
    parent = one["parentId"]
    return {
        "name": one["name"],
        "slug": one["slug"],
        "description": one["description"],
        "parent": None if parent is None else names.get(parent, "?"),
        "position": one["position"],
    }


def _product(one: Document, categories: Mapping[int, str]) -> Fields:
    return {
        "title": one["title"],
        "slug": one["slug"],
        "status": one["status"],
        "raw_status": one["rawStatus"],
        "kind": one["kind"],
        "description": one["description"],
        "short_description": one["shortDescription"],
        "currency": one["currency"],
        "categories": {categories.get(number, "?") for number in one["categoryIds"]},
        "tags": set(one["tags"]),
        "images": [(image["src"], image["externalId"]) for image in one["images"]],
        "options": [(each["name"], each["values"]) for each in one["options"]],
        "listed_at": moment(one["listedAt"]),
    }


def _variant(one: Document, owner: Sequence[str]) -> Fields:
    return {
        "product": "+".join(owner),
        "title": one["title"],
        "sku": one["sku"],
        "barcode": one["barcode"],
        "price": amount(one["price"]),
        "compare_at_price": amount(one["compareAtPrice"]),
        "currency": one["currency"],
        "option_values": one["optionValues"],
        "tracks_stock": one["tracksStock"],
        "in_stock": one["inStock"],
        "allows_backorder": one["allowsBackorder"],
        "weight": amount(one["weight"]),
        "is_active": one["isActive"],
    }


def _guest_ids(one: Document) -> tuple[str, ...]:
    """Guests have no id at the shop: they are known by who they are."""
    identity = guest_identity(one)
    return () if identity is None else (identity,)


def _guest(one: Document) -> Fields:
    return {
        "email": one["email"],
        "phone": one["phone"],
        "first_name": one["firstName"],
        "last_name": one["lastName"],
        "billing": hub_address(one["billing"]),
        "shipping": hub_address(one["shipping"]),
    }


def _customer(one: Document) -> Fields:
    return {
        "email": one["email"],
        "phone": one["phone"],
        "first_name": one["firstName"],
        "last_name": one["lastName"],
        "is_paying": one["isPaying"],
        "billing": hub_address(one["billing"]),
        "shipping": hub_address(one["shipping"]),
        "registered_at": moment(one["registeredAt"]),
    }


def _order(one: Document) -> Fields:
    return {
        "number": one["number"],
        "status": one["status"],
        "raw_status": one["rawStatus"],
        "currency": one["currency"],
        "subtotal": amount(one["subtotal"]),
        "discount_total": amount(one["discountTotal"]),
        "shipping_total": amount(one["shippingTotal"]),
        "tax_total": amount(one["taxTotal"]),
        "total": amount(one["total"]),
        "refunded_total": amount(one["refundedTotal"]),
        "billing": hub_address(one["billing"]),
        "shipping": hub_address(one["shipping"]),
        "payment_method": one["paymentMethod"],
        "payment_title": one["paymentTitle"],
        "transaction_id": one["transactionId"],
        "customer_note": one["customerNote"],
        "placed_at": moment(one["placedAt"]),
        "paid_at": moment(one["paidAt"]),
        "completed_at": moment(one["completedAt"]),
        "charges": [
            (
                *(each["kind"], each["externalId"], each["code"], each["title"]),
                *(amount(each["total"]), amount(each["tax"])),
            )
            for each in one["charges"]
        ],
        "refunds": sorted(
            (each["externalId"], amount(each["amount"]), each["reason"]) for each in one["refunds"]
        ),
    }


def _line(one: Document, products: Mapping[int, str], variants: Mapping[int, str]) -> Fields:
    """A line leads to the records of what was sold, where the hub has them."""
    return {
        "external_id": one["externalId"],
        "product": one["productExternalId"],
        "product_record": products.get(one["productId"]),
        "variant": one["variantExternalId"],
        "variant_record": variants.get(one["variantId"]),
        "sku": one["sku"],
        "title": one["title"],
        "quantity": amount(one["quantity"]),
        "subtotal": amount(one["subtotal"]),
        "total": amount(one["total"]),
        "discount": amount(one["discount"]),
        "tax": amount(one["tax"]),
    }
