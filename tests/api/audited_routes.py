"""What every route that changes something leaves in the audit trail, or why it leaves nothing."""

from collections.abc import Mapping
from typing import Final

_SIGNED = "a shop's webhook: webhook_events keeps what came, and the records say from where"
_RECORDS = "the feed of changes and the ledger of stock tell what became of records"
_TELLS = "it changes nothing: it tells what would be"

AUDITED: Final[Mapping[str, tuple[str, ...]]] = {
    "POST /api/auth/login": ("login.succeeded", "login.failed"),
    "POST /api/auth/refresh": ("login.reused",),
    "POST /api/auth/logout": ("logout",),
    "POST /api/keys": ("key.created",),
    "PATCH /api/keys/{record_id}": ("key.updated",),
    "DELETE /api/keys/{record_id}": ("key.revoked",),
    "POST /api/keys/{record_id}/rotate": ("key.rotated",),
    "POST /api/stores": ("store.created", "import.started"),
    "PATCH /api/stores/{store_id}": ("store.updated", "webhook_secret.renewed"),
    "DELETE /api/stores/{store_id}": ("store.unsubscribed", "store.deleted"),
    "POST /api/stores/{store_id}/test-connection": ("store.connection_tested",),
    "PATCH /api/stores/{store_id}/activate": ("store.activated", "sync.started"),
    "PATCH /api/stores/{store_id}/deactivate": ("store.deactivated",),
    "POST /api/stores/connect/{provider}/start": ("install_link.created",),
    "POST /api/stores/connect/{token}": ("store.created", "import.started"),
    "PUT /api/stores/{store_id}/mapping": ("mapping.changed",),
    "POST /api/stores/{store_id}/import": ("import.started", "sync.started"),
    "POST /api/stores/{store_id}/sync": ("sync.started",),
    "POST /api/syncs/{workflow_id:path}/cancel": ("sync.cancelled",),
    "PUT /api/stores/{store_id}/schedule": ("schedule.updated", "schedule.deleted"),
    "DELETE /api/stores/{store_id}/schedule": ("schedule.deleted",),
    "POST /api/stores/{store_id}/schedule/trigger": ("schedule.triggered",),
    "POST /api/stores/{store_id}/schedule/pause": ("schedule.paused",),
    "POST /api/stores/{store_id}/schedule/resume": ("schedule.resumed",),
    "POST /api/conflicts/{record_id}/resolve": ("conflict.resolved",),
    "POST /api/alerts/{record_id}/resolve": ("alert.resolved",),
    "PUT /api/alert-channels": ("alert_channels.updated",),
    "POST /api/stores/{store_id}/retry-failed-sync": ("store.retried", "import.started"),
    "POST /api/stores/{store_id}/webhook-events/{record_id}/replay": ("webhook_event.replayed",),
    "POST /api/woocommerce-sync/webhook/test": ("webhook.tested",),
    "POST /api/woocommerce-sync/sync/full": ("sync.started",),
    "POST /api/woocommerce-sync/sync/batch": ("sync.started",),
    "POST /api/woocommerce-sync/sync/customers/pull": ("sync.started",),
    "POST /api/woocommerce-sync/sync/products/pull": ("sync.started",),
    "POST /api/woocommerce-sync/sync/products/{wcProductId}": ("sync.started",),
    "POST /api/woocommerce-sync/sync/orders/pull": ("sync.started",),
    "POST /api/woocommerce-sync/sync/orders/{wcOrderId}": ("sync.started",),
    "POST /api/woocommerce-sync/sync/customers/push": ("sync.started",),
    "POST /api/woocommerce-sync/sync/inventory/push": ("sync.started",),
    "POST /api/woocommerce-sync/sync/inventory/push/{productId}": ("sync.started",),
}
"""By route, the actions it may write."""

ON_RECORD: Final[Mapping[str, str]] = {
    "POST /api/stores": "import.started",
    "DELETE /api/stores/{store_id}": "store.unsubscribed",
    "PATCH /api/stores/{store_id}/activate": "sync.started",
    "POST /api/stores/connect/{token}": "import.started",
    "POST /api/stores/{store_id}/import": "import.started",
    "POST /api/stores/{store_id}/sync": "sync.started",
    "POST /api/syncs/{workflow_id:path}/cancel": "sync.cancelled",
    "PUT /api/stores/{store_id}/schedule": "schedule.updated",
    "DELETE /api/stores/{store_id}/schedule": "schedule.deleted",
    "POST /api/stores/{store_id}/schedule/trigger": "schedule.triggered",
    "POST /api/stores/{store_id}/schedule/pause": "schedule.paused",
    "POST /api/stores/{store_id}/schedule/resume": "schedule.resumed",
    "POST /api/stores/{store_id}/retry-failed-sync": "import.started",
    **{
        route: "sync.started"
        for route in AUDITED
        if route.startswith("POST /api/woocommerce-sync/sync/")
    },
}
"""By route, the action that is asked of Temporal, and has its entry before."""

FOLLOWS: Final[Mapping[str, str]] = {
    "PATCH /api/stores/{store_id}": "its webhooks are looked after, behind `store.updated`",
    "PATCH /api/stores/{store_id}/deactivate": "its work stops, behind `store.deactivated`",
}
"""By route, what is asked of Temporal besides: it follows from an entry of its transaction."""

NOT_AUDITED: Final[Mapping[str, str]] = {
    "POST /api/stores/webhooks/{store_code}": _SIGNED,
    "POST /api/stores/webhooks/{store_code}/newOrder": _SIGNED,
    "PUT /api/stores/webhooks/{store_code}/newOrder": _SIGNED,
    "POST /api/stores/webhooks/{store_code}/orderStatus": _SIGNED,
    "PUT /api/stores/webhooks/{store_code}/orderStatus": _SIGNED,
    "POST /api/{provider}-sync/webhook/{event}": _SIGNED,
    "POST /api/webhooks/{provider}/{organization_id}": _SIGNED,
    "POST /api/stores/{store_id}/mapping/preview": _TELLS,
    "POST /api/categories": _RECORDS,
    "PATCH /api/categories/{record_id}": _RECORDS,
    "DELETE /api/categories/{record_id}": _RECORDS,
    "POST /api/customers": _RECORDS,
    "PATCH /api/customers/{record_id}": _RECORDS,
    "DELETE /api/customers/{record_id}": _RECORDS,
    "PATCH /api/orders/{record_id}": _RECORDS,
    "POST /api/products": _RECORDS,
    "PATCH /api/products/{record_id}": _RECORDS,
    "DELETE /api/products/{record_id}": _RECORDS,
    "POST /api/warehouses": _RECORDS,
    "PATCH /api/warehouses/{record_id}": _RECORDS,
    "POST /api/inventory/movements": _RECORDS,
    "POST /api/invoices": _RECORDS,
}
