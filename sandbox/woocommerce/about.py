"""What a shop says of itself: index, system status, settings, currency, statuses, order notes."""

from sandbox.woocommerce import clock, money, php
from sandbox.woocommerce.errors import RestError, missing_param
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.sales import WC_VERSION
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.system_status import system_status

WP_VERSION = "7.0.4"
_STATUSES = {
    "pending": "Pending payment",
    "processing": "Processing",
    "on-hold": "On hold",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "failed": "Failed",
    "awaiting-shipment": "Awaiting shipment",
    "checkout-draft": "Draft",
}
_NAMESPACES = ("oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wc/store", "wc/store/v1", "wp/v2")


def index(shop: Shop) -> bytes:
    """`/wp-json/`, open to everybody."""
    return php.dump(
        {
            "name": "Sandbox shop",
            "description": "",
            "url": shop.home_url,
            "home": shop.home_url,
            "gmt_offset": clock.offset_s(shop.now()) / 3600,
            "timezone_string": clock.SITE_TIMEZONE,
            "page_for_posts": 0,
            "page_on_front": 0,
            "show_on_front": "posts",
            "namespaces": _NAMESPACES,
            "authentication": {},
            "routes": {},
            "_links": {"help": [{"href": "https://developer.wordpress.org/rest-api/"}]},
        }
    )


def fixed(shop: Shop, name: str) -> bytes:
    """One of the answers that no table holds."""
    match name:
        case "statuses":
            return php.dump([{"slug": slug, "name": text} for slug, text in _STATUSES.items()])
        case "system_status":
            return php.dump(system_status(shop))
        case "settings":
            return php.dump(_settings(shop))
    currency = shop.seed.currency
    base = f"{shop.home_url}/wp-json/wc/v3/data/currencies"
    return php.dump(
        {
            "code": currency,
            "name": currency,
            "symbol": money.entity(currency),
            "_links": {
                "self": [{"href": f"{base}/{currency}"}],
                "collection": [{"href": base}],
            },
        }
    )


def _settings(shop: Shop) -> list[Document]:
    values = {
        "woocommerce_default_country": ("Country / State", "DE:DE-BE"),
        "woocommerce_currency": ("Currency", shop.seed.currency),
        "woocommerce_price_num_decimals": (
            "Number of decimals",
            str(money.decimals(shop.seed.currency)),
        ),
        "woocommerce_calc_taxes": ("Enable taxes", "yes"),
    }
    base = f"{shop.home_url}/wp-json/wc/v3/settings/general"
    return [
        {
            "id": name,
            "label": label,
            "description": "",
            "type": "text",
            "default": "",
            "value": value,
            "_links": {"self": [{"href": f"{base}/{name}"}], "collection": [{"href": base}]},
        }
        for name, (label, value) in values.items()
    ]


def notes(shop: Shop, order_id: int) -> bytes:
    """The notes of an order, newest first."""
    _order(shop, order_id)
    return php.dump(list(reversed(shop.notes.get(order_id, []))))


def add_note(shop: Shop, order_id: int, data: Document) -> Document:
    """Write a note on an order."""
    _order(shop, order_id)
    if not data.get("note"):
        raise missing_param("note")
    now = shop.now()
    base = f"{shop.home_url}/wp-json/wc/v3/orders/{order_id}"
    note_id = 1 + sum(len(kept) for kept in shop.notes.values())
    note = {
        "id": note_id,
        "author": "admin" if data.get("added_by_user") else "system",
        "date_created": clock.local(now),
        "date_created_gmt": clock.gmt(now),
        "note": str(data["note"]),
        "customer_note": bool(data.get("customer_note")),
        "_links": {
            "self": [{"href": f"{base}/notes/{note_id}"}],
            "collection": [{"href": f"{base}/notes"}],
            "up": [{"href": base}],
        },
    }
    shop.notes.setdefault(order_id, []).append(note)
    return note


def _order(shop: Shop, order_id: int) -> None:
    if shop.tables["orders"].find(order_id) is None:
        raise RestError("woocommerce_rest_order_invalid_id", "Invalid order ID.", 404)


VERSIONS = (WC_VERSION, WP_VERSION)
