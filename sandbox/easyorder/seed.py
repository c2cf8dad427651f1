"""What is in a store: the same seed gives the same store."""

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

Row = dict[str, Any]

START = 1_790_000_000.0
"""When the store began (epoch seconds)."""

_COLOURS = ("أبيض ", "أسود", "Red")
_SIZES = ("S", "M", "L")
_CITIES = ("القاهرة", "الإسكندرية", "الجيزة")
_EVERY_VARIABLE = 4
_EVERY_SALE = 3


@dataclass(frozen=True, slots=True)
class StoreSeed:
    """How much of what."""

    products: int = 60
    categories: int = 6
    orders: int = 0
    seed: int = 1


def new_id(random: Random) -> str:
    """A UUID of the seed."""
    return str(UUID(int=random.getrandbits(128), version=4))


def secret_of(random: Random) -> str:
    """A webhook's secret, as the dashboard shows them: 16 characters."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return "".join(random.choice(letters) for _ in range(16))


def category(random: Random, number: int, parent: str | None) -> Row:
    """A category."""
    return {
        "id": new_id(random),
        "name": f"Category {number}",
        "slug": f"category-{number}",
        "thumb": f"https://cdn.example/c{number}.jpg",
        "show_in_header": number % 2 == 0,
        "hidden": False,
        "position": number,
        "parent_id": parent,
    }


def product(random: Random, number: int, categories: list[str]) -> Row:
    """A product; every fourth has variants."""
    name = f"Product {number}"
    price = round(random.randint(2_000, 90_000) / 100, 2)
    made: Row = {
        "id": new_id(random),
        "name": name,
        "price": price,
        "sale_price": round(price * 0.8, 2) if number % _EVERY_SALE == 0 else 0,
        "description": f"<p>{name}, made with care</p>",
        "slug": f"product-{number}",
        "sku": f"SKU-{number}",
        "thumb": f"https://cdn.example/p{number}.jpg",
        "images": [f"https://cdn.example/p{number}-{side}.jpg" for side in (1, 2)],
        "categories": [{"id": one} for one in random.sample(categories, min(1, len(categories)))],
        "quantity": random.randint(0, 50),
        "track_stock": True,
        "disable_orders_for_no_stock": True,
        "hidden": False,
        "taager_code": f"T-{number}",
        "drop_shipping_provider": "",
        "is_free_shipping": False,
        "buy_now_text": "اشتري الآن",
        "is_reviews_enabled": True,
        "variations": [],
        "variants": [],
    }
    if number % _EVERY_VARIABLE == 0:
        _add_variants(random, made, number)
    return made


def order_lines(random: Random, products: list[Row]) -> list[Row]:
    """What somebody buys."""
    lines = []
    for one in random.sample(products, min(len(products), random.randint(1, 2))):
        variant = random.choice(one["variants"]) if one["variants"] else None
        lines.append(
            {
                "product_id": one["id"],
                "variant_id": variant["id"] if variant else None,
                "quantity": random.randint(1, 3),
            }
        )
    return lines


def buyer(random: Random) -> Row:
    """Who buys: a telephone number and an address of one line, no e-mail."""
    return {
        "full_name": f"أحمد علي {random.randint(1, 999)}",
        "phone": f"010{random.randint(10_000_000, 99_999_999)}",
        "government": random.choice(_CITIES),
        "address": f"{random.randint(1, 200)} شارع التحرير",
        "payment_method": "cod",
    }


def _add_variants(random: Random, made: Row, number: int) -> None:
    axes = {"اللون": _COLOURS, "Size": _SIZES[: random.randint(1, len(_SIZES))]}
    for name, values in axes.items():
        variation = new_id(random)
        made["variations"].append(
            {
                "id": variation,
                "name": name,
                "product_id": made["id"],
                "type": "buttons",
                "props": [
                    {"id": new_id(random), "name": one, "value": one, "variation_id": variation}
                    for one in values
                ],
            }
        )
    for place, (colour, size) in enumerate(
        (colour, size) for colour in axes["اللون"] for size in axes["Size"]
    ):
        made["variants"].append(
            {
                "id": new_id(random),
                "price": made["price"],
                "sale_price": 0,
                "quantity": random.randint(0, 20),
                "taager_code": f"T-{number}-{place}",
                "variation_props": [
                    {"variation": "اللون", "variation_prop": colour},
                    {"variation": "Size", "variation_prop": size},
                ],
            }
        )
