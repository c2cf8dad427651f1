"""Seeded customers, categories, tags, attributes, coupons and tax rates."""

from hashlib import sha256

from sandbox.woocommerce import clock, words
from sandbox.woocommerce.catalogue import FIRST_TERM, category_name, category_slug, links, stamps
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.seed import ShopSeed, role, scatter
from sandbox.woocommerce.table import Row

_BLANK = ("first_name", "last_name", "company", "address_1", "address_2", "city")
_TAIL = ("postcode", "country", "state")


def avatar(email: str) -> str:
    """The Gravatar address of an e-mail."""
    digest = sha256(email.strip().lower().encode()).hexdigest()
    return f"https://secure.gravatar.com/avatar/{digest}?s=96&d=mm&r=g"


def blank_address(kind: str) -> Document:
    """An empty customer address, `billing` or `shipping`."""
    address: Document = dict.fromkeys((*_BLANK, *_TAIL), "")
    if kind == "billing":
        address["email"] = ""
    address["phone"] = ""
    return address


class People:
    """Renders the seeded records that are neither products nor orders."""

    def __init__(self, seed: ShopSeed, home: str) -> None:
        self.seed = seed
        self.home = home

    def customer(self, row: Row) -> Document:
        """The REST document of a seeded user."""
        index = row.index
        bits = scatter(self.seed.seed, 3, index)
        kind = role(index)
        admin = index == 0
        first = "" if admin else words.FIRST_NAMES[bits % len(words.FIRST_NAMES)]
        last = "" if admin else words.LAST_NAMES[(bits >> 8) % len(words.LAST_NAMES)]
        email = "admin@example.test" if admin else f"customer{index}@example.test"
        billing, shipping = blank_address("billing"), blank_address("shipping")
        if not admin and index % 6:
            country, city, postcode, *_ = words.PLACES[bits % len(words.PLACES)]
            filled = {
                "first_name": first,
                "last_name": last,
                "address_1": f"Weg {index}",
                "city": city,
                "postcode": postcode,
                "country": country,
            }
            billing.update(filled, email=email, phone=f"+49 30 {index}")
            shipping.update(filled)
        allow = ["GET", "POST", "PUT", "PATCH"] + ([] if admin else ["DELETE"])
        document = {
            "id": row.id,
            **stamps(row.created, row.modified),
            "email": email,
            "first_name": first,
            "last_name": last,
            "role": kind,
            "username": row.name,
            "billing": billing,
            "shipping": shipping,
            "is_paying_customer": bits >> 17 & 1 == 1,
            "avatar_url": avatar(email),
            "meta_data": [{"id": 100 + index, "key": "vat_id", "value": f"DE{index}"}]
            if bits >> 18 & 3 == 1
            else [],
            "_links": links(self.home, "customers", row.id),
        }
        document["_links"]["self"][0]["targetHints"] = {"allow": allow}
        if admin:
            document["date_modified"] = document["date_modified_gmt"] = None
        return document

    def category(self, row: Row) -> Document:
        """The REST document of a seeded category."""
        return {
            "id": row.id,
            "name": category_name(row.index),
            "slug": category_slug(row.index),
            "parent": row.parent,
            "description": "",
            "display": "default",
            "image": None,
            "menu_order": 0,
            "count": self.seed.products // max(self.seed.categories, 1),
            "_links": links(self.home, "products/categories", row.id),
        }

    def tag(self, row: Row) -> Document:
        """The REST document of a seeded tag."""
        return {
            "id": row.id,
            "name": row.name,
            "slug": row.name,
            "description": "",
            "count": self.seed.products // 20,
            "_links": links(self.home, "products/tags", row.id),
        }

    def attribute(self, row: Row) -> Document:
        """The REST document of a global attribute."""
        return {
            "id": row.id,
            "name": row.name,
            "slug": f"pa_{row.name.lower()}",
            "type": "select",
            "order_by": "menu_order",
            "has_archives": False,
            "_links": links(self.home, "products/attributes", row.id),
        }

    def coupon(self, row: Row) -> Document:
        """The REST document of a seeded coupon."""
        percent = row.index == 0
        free = row.index == 2
        blank: list[int] = []
        return {
            "id": row.id,
            "code": row.name,
            "amount": ("10.00", "5.00", "0.00")[row.index],
            "status": "publish",
            **stamps(row.created, row.modified),
            "discount_type": "percent" if percent else "fixed_cart",
            "description": "",
            "date_expires": None,
            "date_expires_gmt": None,
            "usage_count": 1 if percent else 0,
            "individual_use": False,
            "product_ids": blank,
            "excluded_product_ids": blank,
            "usage_limit": None,
            "usage_limit_per_user": None,
            "limit_usage_to_x_items": None,
            "free_shipping": free,
            "product_categories": blank,
            "excluded_product_categories": blank,
            "exclude_sale_items": False,
            "minimum_amount": "0.00",
            "maximum_amount": "0.00",
            "email_restrictions": blank,
            "used_by": ["2"] if percent else [],
            "meta_data": [],
            "_links": links(self.home, "coupons", row.id),
        }

    def tax(self, row: Row) -> Document:
        """The REST document of a tax rate."""
        country, rate, tax_class = (
            ("DE", "19.0000", "standard"),
            ("DE", "7.0000", "reduced-rate"),
            ("FR", "20.0000", "standard"),
        )[row.index]
        return {
            "id": row.id,
            "country": country,
            "state": "",
            "postcode": "",
            "city": "",
            "rate": rate,
            "name": row.name,
            "priority": 1,
            "compound": False,
            "shipping": True,
            "order": 0,
            "class": tax_class,
            "postcodes": [],
            "cities": [],
            "_links": links(self.home, "taxes", row.id),
        }


def category_rows(seed: ShopSeed) -> list[Row]:
    """Seeded categories; parents are named by their place in the list of words."""
    stamp = clock.epoch_of_gmt("2024-02-01T00:00:00")
    rows = []
    for index in range(seed.categories):
        place = words.CATEGORIES[index][2] if index < len(words.CATEGORIES) else 0
        parent = FIRST_TERM + place - 1 if 0 < place <= seed.categories else 0
        rows.append(
            Row(
                FIRST_TERM + index,
                stamp,
                stamp,
                parent=parent,
                name=category_name(index),
                index=index,
            )
        )
    return rows
