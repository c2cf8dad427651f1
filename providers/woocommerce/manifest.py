"""What the WooCommerce provider is and can do."""

from typing import Final

from domain.entities import IMPORT_ORDER, Entity
from domain.sync_settings import Direction, SyncDirections
from providers._kit.protocols import Manifest

PAGE_SIZE: Final = 100
"""The most rows WooCommerce puts on a page; 101 is answered with 400 (measured on 11.0.1)."""

_INSTRUCTIONS: Final = """\
In the shop's dashboard:

1. **WooCommerce → Settings → Advanced → REST API → Add key.** Permissions: *Read/Write*. Enter the
   consumer key and the consumer secret here; the shop shows the secret once.
2. Webhooks tell the hub at once what happens in the shop. **With a Read/Write key the hub creates
   them itself**, looks after them every hour and switches on again what the shop switched off.
   With a key that may only read, make them by hand: **WooCommerce → Settings → Advanced → Webhooks
   → Add webhook**, once for each line, secret `{webhook_secret}`, status *Active*, API version
   *WP REST API Integration v3*:
   - topic *Order created*, delivery URL `{new_order_url}`
   - topic *Order updated*, delivery URL `{order_status_url}`
   - topics *Order deleted*, *Order restored*, *Product created*, *Product updated*, *Product
     deleted*, *Product restored*, *Customer created*, *Customer updated*, *Customer deleted*,
     delivery URL `{generic_url}`

   Whoever makes a webhook owns it, and must stay an administrator or shop manager: the shop shows
   a record to its webhooks only as its owner may see it.

The shop needs pretty permalinks (**Settings → Permalinks**, anything but *Plain*) if it is
reached over plain http. Over https the keys travel encrypted; prefer it.
"""

_DIRECTIONS: Final = SyncDirections(
    products=Direction.BOTH,
    categories=Direction.BOTH,
    customers=Direction.PULL,
    inventory=Direction.BOTH,
    order_status=Direction.BOTH,
)
_SUPPORTS: Final = SyncDirections(
    products=Direction.BOTH,
    categories=Direction.BOTH,
    customers=Direction.BOTH,
    inventory=Direction.BOTH,
    order_status=Direction.BOTH,
)

MANIFEST: Final = Manifest(
    slug="woocommerce",
    title="WooCommerce",
    entities=IMPORT_ORDER,
    # `/customers` answers 400 to orderby=modified; categories keep no modification time.
    tracks_changes=frozenset((Entity.PRODUCTS, Entity.ORDERS)),
    page_size=PAGE_SIZE,
    instructions=_INSTRUCTIONS,
    documentation_url="https://woocommerce.github.io/woocommerce-rest-api-docs/",
    directions=_DIRECTIONS,
    supports=_SUPPORTS,
    push_sizes={
        Entity.CATEGORIES: 25,
        Entity.PRODUCTS: 25,
        Entity.CUSTOMERS: 25,
        Entity.INVENTORY: 25,
        Entity.ORDERS: 25,
    },
    description="A shop on WordPress with WooCommerce 3.5 or later, over its REST API v3.",
)
