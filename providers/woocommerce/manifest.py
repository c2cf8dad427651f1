"""What the WooCommerce provider is and can do."""

from typing import Final

from domain.entities import IMPORT_ORDER, Entity
from providers._kit.protocols import Manifest

PAGE_SIZE: Final = 100
"""The most rows WooCommerce puts on a page; 101 is answered with 400 (measured on 11.0.1)."""

_INSTRUCTIONS: Final = """\
In the shop's dashboard:

1. **WooCommerce → Settings → Advanced → REST API → Add key.** Permissions: *Read/Write*. Enter the
   consumer key and the consumer secret here; the shop shows the secret once.
2. **WooCommerce → Settings → Advanced → Webhooks → Add webhook**, once for each line, secret
   `{webhook_secret}`, status *Paused* for now: this version of the hub does not take webhooks in
   yet, and a shop switches off those that are not answered.
   - topic *Order created*, delivery URL `{new_order_url}`
   - topic *Order updated*, delivery URL `{order_status_url}`
   - any other topic, delivery URL `{generic_url}`

The shop needs pretty permalinks (**Settings → Permalinks**, anything but *Plain*) if it is
reached over plain http. Over https the keys travel encrypted; prefer it.
"""

MANIFEST: Final = Manifest(
    slug="woocommerce",
    title="WooCommerce",
    entities=IMPORT_ORDER,
    # `/customers` answers 400 to orderby=modified; categories keep no modification time.
    tracks_changes=frozenset((Entity.PRODUCTS, Entity.ORDERS)),
    page_size=PAGE_SIZE,
    instructions=_INSTRUCTIONS,
    documentation_url="https://woocommerce.github.io/woocommerce-rest-api-docs/",
    description="A shop on WordPress with WooCommerce 3.5 or later, over its REST API v3.",
)
