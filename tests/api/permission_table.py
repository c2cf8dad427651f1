"""What every route asks of its caller.

Written out, and not read from the code: whoever adds a route or changes what one asks for says so
here. Routes that are not in the API's description are here too.
"""

from collections.abc import Mapping
from typing import Final

STORES_READ: Final = "stores:read"
STORES_WRITE: Final = "stores:write"
SYNCS_READ: Final = "syncs:read"
SYNCS_WRITE: Final = "syncs:write"
RECORDS_READ: Final = "records:read"
RECORDS_WRITE: Final = "records:write"
KEYS_READ: Final = "keys:read"
KEYS_WRITE: Final = "keys:write"
AUDIT_READ: Final = "audit:read"

NEEDED: Final[Mapping[str, str]] = {
    "DELETE /api/categories/{record_id}": RECORDS_WRITE,
    "DELETE /api/customers/{record_id}": RECORDS_WRITE,
    "DELETE /api/keys/{record_id}": KEYS_WRITE,
    "DELETE /api/products/{record_id}": RECORDS_WRITE,
    "DELETE /api/stores/{store_id}": STORES_WRITE,
    "DELETE /api/stores/{store_id}/schedule": SYNCS_WRITE,
    "GET /api/alert-channels": SYNCS_READ,
    "GET /api/alerts": SYNCS_READ,
    "GET /api/alerts/{record_id}": SYNCS_READ,
    "GET /api/audit": AUDIT_READ,
    "GET /api/categories": RECORDS_READ,
    "GET /api/categories/{record_id}": RECORDS_READ,
    "GET /api/conflicts": SYNCS_READ,
    "GET /api/conflicts/{record_id}": SYNCS_READ,
    "GET /api/customers": RECORDS_READ,
    "GET /api/customers/{record_id}": RECORDS_READ,
    "GET /api/inventory/levels": RECORDS_READ,
    "GET /api/inventory/movements": RECORDS_READ,
    "GET /api/invoices": RECORDS_READ,
    "GET /api/invoices/{record_id}": RECORDS_READ,
    "GET /api/keys": KEYS_READ,
    "GET /api/keys/{record_id}": KEYS_READ,
    "GET /api/keys/{record_id}/usage": KEYS_READ,
    "GET /api/orders": RECORDS_READ,
    "GET /api/orders/{record_id}": RECORDS_READ,
    "GET /api/products": RECORDS_READ,
    "GET /api/products/{record_id}": RECORDS_READ,
    "GET /api/providers": STORES_READ,
    "GET /api/stores": STORES_READ,
    "GET /api/stores/{store_id}": STORES_READ,
    "GET /api/stores/{store_id}/drift": SYNCS_READ,
    "GET /api/stores/{store_id}/mapping": STORES_READ,
    "GET /api/stores/{store_id}/push-preview": SYNCS_READ,
    "GET /api/stores/{store_id}/pushes": SYNCS_READ,
    "GET /api/stores/{store_id}/schedule": SYNCS_READ,
    "GET /api/stores/{store_id}/sync-logs": SYNCS_READ,
    "GET /api/stores/{store_id}/sync-status": SYNCS_READ,
    "GET /api/stores/{store_id}/webhook-events": SYNCS_READ,
    "GET /api/stores/{store_id}/webhook-events/counters": SYNCS_READ,
    "GET /api/syncs": SYNCS_READ,
    "GET /api/syncs/{workflow_id}": SYNCS_READ,
    "GET /api/syncs/{workflow_id}/diff": SYNCS_READ,
    "GET /api/warehouses": RECORDS_READ,
    "GET /api/woocommerce-sync/analytics": SYNCS_READ,
    "GET /api/woocommerce-sync/conflicts": SYNCS_READ,
    "GET /api/woocommerce-sync/export/{entity}": RECORDS_READ,
    "GET /api/woocommerce-sync/history": SYNCS_READ,
    "GET /api/woocommerce-sync/status": SYNCS_READ,
    "PATCH /api/categories/{record_id}": RECORDS_WRITE,
    "PATCH /api/customers/{record_id}": RECORDS_WRITE,
    "PATCH /api/keys/{record_id}": KEYS_WRITE,
    "PATCH /api/orders/{record_id}": RECORDS_WRITE,
    "PATCH /api/products/{record_id}": RECORDS_WRITE,
    "PATCH /api/stores/{store_id}": STORES_WRITE,
    "PATCH /api/stores/{store_id}/activate": STORES_WRITE,
    "PATCH /api/stores/{store_id}/deactivate": STORES_WRITE,
    "PATCH /api/warehouses/{record_id}": RECORDS_WRITE,
    "POST /api/alerts/{record_id}/resolve": SYNCS_WRITE,
    "POST /api/categories": RECORDS_WRITE,
    "POST /api/conflicts/{record_id}/resolve": SYNCS_WRITE,
    "POST /api/customers": RECORDS_WRITE,
    "POST /api/inventory/movements": RECORDS_WRITE,
    "POST /api/invoices": RECORDS_WRITE,
    "POST /api/keys": KEYS_WRITE,
    "POST /api/keys/{record_id}/rotate": KEYS_WRITE,
    "POST /api/products": RECORDS_WRITE,
    "POST /api/stores": STORES_WRITE,
    "POST /api/stores/connect/{provider}/start": STORES_WRITE,
    "POST /api/stores/{store_id}/import": SYNCS_WRITE,
    "POST /api/stores/{store_id}/mapping/preview": STORES_WRITE,
    "POST /api/stores/{store_id}/retry-failed-sync": SYNCS_WRITE,
    "POST /api/stores/{store_id}/schedule/pause": SYNCS_WRITE,
    "POST /api/stores/{store_id}/schedule/resume": SYNCS_WRITE,
    "POST /api/stores/{store_id}/schedule/trigger": SYNCS_WRITE,
    "POST /api/stores/{store_id}/sync": SYNCS_WRITE,
    "POST /api/stores/{store_id}/test-connection": STORES_WRITE,
    "POST /api/stores/{store_id}/webhook-events/{record_id}/replay": SYNCS_WRITE,
    "POST /api/syncs/{workflow_id}/cancel": SYNCS_WRITE,
    "POST /api/warehouses": RECORDS_WRITE,
    "POST /api/woocommerce-sync/sync/batch": SYNCS_WRITE,
    "POST /api/woocommerce-sync/sync/customers/pull": SYNCS_WRITE,
    "POST /api/woocommerce-sync/sync/customers/push": SYNCS_WRITE,
    "POST /api/woocommerce-sync/sync/full": SYNCS_WRITE,
    "POST /api/woocommerce-sync/sync/inventory/push": SYNCS_WRITE,
    "POST /api/woocommerce-sync/sync/inventory/push/{productId}": SYNCS_WRITE,
    "POST /api/woocommerce-sync/sync/orders/pull": SYNCS_WRITE,
    "POST /api/woocommerce-sync/sync/orders/{wcOrderId}": SYNCS_WRITE,
    "POST /api/woocommerce-sync/sync/products/pull": SYNCS_WRITE,
    "POST /api/woocommerce-sync/sync/products/{wcProductId}": SYNCS_WRITE,
    "POST /api/woocommerce-sync/webhook/test": SYNCS_WRITE,
    "PUT /api/alert-channels": SYNCS_WRITE,
    "PUT /api/stores/{store_id}/mapping": STORES_WRITE,
    "PUT /api/stores/{store_id}/schedule": SYNCS_WRITE,
}
"""One permission of the caller."""

ALSO_NEEDED: Final[Mapping[str, str]] = {
    "POST /api/stores/{store_id}/mapping/preview": RECORDS_READ,
}
"""A second one, where a route does what two are for."""

ANY_CALLER: Final = frozenset({"GET /api/auth/me"})
"""Whoever is known, whatever they may do."""

NOBODY_OR_CALLER: Final[Mapping[str, str | None]] = {
    "GET /api/health": None,
    "GET /api/woocommerce-sync/connection/test": STORES_READ,
    "POST /api/auth/logout": None,
}
"""Without credentials too; who sends some has to be right, and to have this permission."""

STALE_TOKENS_PASS: Final = frozenset({"POST /api/auth/logout"})
"""A refresh token in the body counts by itself: the access token's time may be up."""

OPEN: Final = frozenset(
    {
        "POST /api/auth/login",
        "POST /api/auth/refresh",
        "POST /api/stores/webhooks/{store_code}",
        "POST /api/stores/webhooks/{store_code}/newOrder",
        "PUT /api/stores/webhooks/{store_code}/newOrder",
        "POST /api/stores/webhooks/{store_code}/orderStatus",
        "PUT /api/stores/webhooks/{store_code}/orderStatus",
        "POST /api/webhooks/{provider}/{organization_id}",
        "POST /api/{provider}-sync/webhook/{event}",
    }
)
"""What counts is what is sent: its signature, or a password or token in its body."""

UNSIGNED: Final[Mapping[str, int]] = {"POST /api/{provider}-sync/webhook/{event}": 401}
"""What is sent without a signature is refused, whoever sends it; other doors are not even there."""

HIDDEN: Final = frozenset(
    {"OPTIONS /api/stores/connect/{token}", "POST /api/stores/connect/{token}"}
)
"""Open to the page of a shop that was given the token, and not in the description."""

EVERYTHING: Final = "*"
MAY: Final[Mapping[str, frozenset[str]]] = {
    "owner": frozenset({EVERYTHING}),
    "operator": frozenset(
        {
            *(STORES_READ, STORES_WRITE, SYNCS_READ, SYNCS_WRITE, RECORDS_READ, RECORDS_WRITE),
            KEYS_READ,
        }
    ),
    "viewer": frozenset({STORES_READ, SYNCS_READ, RECORDS_READ}),
}
"""What people may do, by their role."""
