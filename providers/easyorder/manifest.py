"""What the EasyOrders provider is and can do."""

from collections.abc import Mapping
from typing import Final

from domain.entities import Entity
from domain.sync_settings import Direction, SyncDirections
from providers._kit.protocols import Manifest

PAGE_SIZE: Final = 50
"""Rows asked for at a time. The most that the store gives is not documented: fewer are no end."""

UNKEPT: Final[Mapping[Entity, frozenset[str]]] = {
    Entity.CATEGORIES: frozenset(("description",)),
    # Whether it is in stock follows from its number alone.
    Entity.PRODUCTS: frozenset(
        ("short_description", "tags", "barcode", "weight", "in_stock"),
    ),
}
"""Shared fields that the store has no place for (docs, "create product", "create category")."""

_REQUESTS_PER_MINUTE: Final = 36
"""The store answers 429 beyond 40 a minute (docs, "rate limit"); other apps share the limit."""

_INSTRUCTIONS: Final = """\
In the seller's dashboard:

1. **Account settings → Public API → Create New API Key.** Permissions: *products*, *categories*
   and *orders*, each with *read* and *update*, the first two also with *create*. Enter the key
   here; it is shown once.
2. **Public API → Webhooks → Create Webhook**, once for each line. The store makes a secret for
   each: open the webhook, copy its secret, and enter it in this connection.
   - for new orders, URL `{new_order_url}`; its secret is *Secret of the orders webhook*
   - for order status, URL `{order_status_url}`; its secret is *Secret of the order status webhook*

Until the secrets are entered, every delivery is refused (401). The store lists no orders: one that
was placed before the webhook was there is not found, unless *Look for missed orders* is on.
"""

MANIFEST: Final = Manifest(
    slug="easyorder",
    title="EasyOrder",
    # Orders cannot be listed and customers are not kept: both come with webhooks.
    entities=(Entity.CATEGORIES, Entity.PRODUCTS),
    tracks_changes=frozenset((Entity.PRODUCTS,)),
    page_size=PAGE_SIZE,
    instructions=_INSTRUCTIONS,
    documentation_url="https://public-api-docs.easy-orders.net/",
    description="A store on EasyOrders, over its public API. Orders arrive by webhook only; the "
    "store keeps no customers and deletes nothing by API.",
    directions=SyncDirections(
        products=Direction.PUSH,
        categories=Direction.PUSH,
        customers=Direction.OFF,
        inventory=Direction.PUSH,
        order_status=Direction.BOTH,
    ),
    supports=SyncDirections(
        products=Direction.BOTH,
        categories=Direction.BOTH,
        customers=Direction.OFF,
        inventory=Direction.BOTH,
        order_status=Direction.BOTH,
    ),
    push_sizes={
        Entity.CATEGORIES: 1,
        Entity.PRODUCTS: 1,
        Entity.INVENTORY: 5,
        Entity.ORDERS: 1,
    },
    # Buyers pay on delivery, and the store counts down when they order (docs, "track stock").
    reserves_pending=True,
    requests_per_minute=_REQUESTS_PER_MINUTE,
    makes_webhook_secret=False,
)
