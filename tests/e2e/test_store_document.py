"""The store document, row by row: each endpoint, column, status, event and flow it names, at work.

A row is a name of the document and what has to have been seen of it in one store's life
(`document_story`). A row whose evidence is missing fails alone.
"""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.document_story import Seen, Story
from tests.e2e.running import running_hub
from tests.e2e.shop import open_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")

Row = tuple[str, Callable[[Seen], object]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Seen]:
    """What was seen in a store's life."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(open_shop("--products", "8", "--orders", "4"))
        hub = await stack.enter_async_context(
            running_hub(
                tmp_path_factory.mktemp("document"),
                port=port,
                public_url=f"http://127.0.0.1:{port}",
                retry_ladder_s="0,1",
            )
        )
        yield await Story(hub, shop).live()


def _column(table: str, name: str) -> Callable[[Seen], object]:
    """The column is there, and filled in at least one row."""
    return lambda seen: any(row[name] is not None for row in seen.rows[table])


def _value(table: str, name: str, value: object) -> Callable[[Seen], object]:
    return lambda seen: any(row[name] == value for row in seen.rows[table])


def _code(step: str, code: int) -> Callable[[Seen], object]:
    return lambda seen: seen.codes[step] == code


def _events(seen: Seen) -> list[Any]:
    events: list[Any] = seen.answers["webhook-events"]["data"]
    return events


def _logged(action: str) -> Callable[[Seen], object]:
    return lambda seen: any(
        one["action"] == action and one["status"] == "success"
        for one in seen.answers["sync-logs at last"]["data"]
    )


ENDPOINTS: list[Row] = [
    ("GET /stores", lambda s: len(s.answers["list"]["data"]) == 1),
    ("POST /stores", _code("create", 201)),
    ("GET /stores/:id", lambda s: s.answers["show"]["name"] == "Flagship"),
    ("PATCH /stores/:id", lambda s: s.answers["update"]["name"] == "Flagship"),
    ("DELETE /stores/:id", lambda s: (s.codes["delete"], s.codes["show deleted"]) == (204, 404)),
    ("PATCH /stores/:id/activate", lambda s: s.answers["activate"]["isActive"] is True),
    ("PATCH /stores/:id/deactivate", lambda s: s.answers["deactivate"]["isActive"] is False),
    ("POST /stores/:id/test-connection", lambda s: s.answers["test-connection"]["connected"]),
    ("GET /stores/:id/sync-logs", lambda s: len(s.answers["sync-logs"]["data"]) >= 4),
    ("POST /stores/webhooks/:storeCode", _code("generic", 200)),
    ("POST /stores/webhooks/:storeCode/newOrder", _code("newOrder", 200)),
    ("PUT /stores/webhooks/:storeCode/orderStatus", _code("orderStatus", 200)),
    ("GET /stores/:id/webhook-events", lambda s: len(_events(s)) >= 5),
    (
        "POST /stores/:id/retry-failed-sync",
        lambda s: s.answers["retry-failed-sync"]["resumedLanes"],
    ),
]

COLUMNS: list[Row] = [
    ("StoreEntity.id", _column("stores", "id")),
    ("StoreEntity.adminId", _column("stores", "tenant_id")),
    ("StoreEntity.name", _value("stores", "name", "Flagship")),
    ("StoreEntity.storeUrl", _column("stores", "store_url")),
    ("StoreEntity.code", _value("stores", "code", "main")),
    ("StoreEntity.provider", _value("stores", "provider", "woocommerce")),
    ("StoreEntity.encryptedData", _column("stores", "encrypted_data")),
    ("StoreEntity.iv", _column("stores", "iv")),
    ("StoreEntity.tag", _column("stores", "tag")),
    ("StoreEntity.isActive", lambda s: s.answers["create"]["isActive"] is True),
    ("StoreEntity.syncStatus", lambda s: s.answers["synced"]["syncStatus"] == "success"),
    ("StoreEntity.lastSyncError", lambda s: "503" in s.answers["failing"]["lastSyncError"]),
    ("StoreEntity.syncRetryCount", lambda s: s.answers["given up"]["syncRetryCount"] == 2),
    ("StoreEntity.lastSyncAttemptAt", lambda s: s.answers["failing"]["lastSyncAttemptAt"]),
    ("StoreEntity.nextRetryAt", lambda s: s.answers["failing"]["nextRetryAt"]),
    ("StoreEntity.created_at", _column("stores", "created_at")),
    ("StoreEntity.updated_at", _column("stores", "updated_at")),
    ("StoreSyncLogEntity.id", _column("store_sync_logs", "id")),
    ("StoreSyncLogEntity.storeId", _column("store_sync_logs", "store_id")),
    ("StoreSyncLogEntity.details", _column("store_sync_logs", "details")),
    ("StoreSyncLogEntity.errorMessage", _column("store_sync_logs", "error_message")),
    ("StoreSyncLogEntity.retryCount", _column("store_sync_logs", "retry_count")),
    ("StoreSyncLogEntity.created_at", _column("store_sync_logs", "created_at")),
    ("StoreSyncLogEntity.updated_at", _column("store_sync_logs", "updated_at")),
    ("WebhookEventEntity.id", _column("webhook_events", "id")),
    ("WebhookEventEntity.storeId", _column("webhook_events", "store_id")),
    ("WebhookEventEntity.errorMessage", _column("webhook_events", "error_message")),
    ("WebhookEventEntity.received_at", _column("webhook_events", "received_at")),
    ("WebhookEventEntity.processed_at", _column("webhook_events", "processed_at")),
]

STATUSES: list[Row] = [
    (
        "SyncStatus.PENDING",
        lambda s: s.answers["create"]["syncStatus"] in ("pending", "in_progress"),
    ),
    ("SyncStatus.SUCCESS", lambda s: s.answers["synced"]["syncStatus"] == "success"),
    ("SyncStatus.FAILED", lambda s: s.answers["given up"]["syncStatus"] == "failed"),
    ("log status success", _value("store_sync_logs", "status", "success")),
    ("log status failed", _value("store_sync_logs", "status", "failed")),
    ("action sync_products", _logged("sync_products")),
    ("action sync_categories", _logged("sync_categories")),
    ("action update_inventory", _logged("update_inventory")),
    ("action update_order_status", _logged("update_order_status")),
    ("action receive_order", _logged("receive_order")),
    ("event order_created", lambda s: any(e["eventType"] == "order_created" for e in _events(s))),
    (
        "event order_status_changed",
        lambda s: any(e["eventType"] == "order_status_changed" for e in _events(s)),
    ),
    ("event status pending", lambda s: s.answers["events while inactive"]["data"]),
    ("event status processed", lambda s: any(e["status"] == "processed" for e in _events(s))),
    ("event status failed", lambda s: s.answers["webhook-events failed"]["data"]),
]

FLOWS: list[Row] = [
    ("setup: instructions with the webhook URLs", lambda s: s.answers["create"]["instructions"]),
    ("setup: initial sync", lambda s: s.answers["synced"]["syncStatus"] == "success"),
    ("product created reaches the store", lambda s: s.answers["shop product"]["name"] == "Hub tea"),
    ("product updated reaches the store", lambda s: s.answers["shop product updated"]),
    ("variant updated reaches the store", lambda s: s.answers["shop variant"]),
    ("category created or updated reaches the store", lambda s: s.answers["shop category"]),
    (
        "the product is in its category there",
        lambda s: (
            s.answers["shop product"]["categories"][0]["id"] == s.answers["shop category"]["id"]
        ),
    ),
    ("inventory updated from an invoice reaches the store", lambda s: s.answers["shop stock"]),
    ("order status changed reaches its store", lambda s: s.answers["shop order"]),
    ("a new order of the store arrives", lambda s: s.answers["order"]),
    ("a status changed in the store arrives", lambda s: s.answers["order-completed"]),
    ("the external reference is kept", lambda s: s.answers["order"]["externalReferences"]),
    ("a wrong secret is refused", _code("newOrder forged", 401)),
    ("retries: failure is shown", lambda s: s.answers["failing"]["lastSyncError"]),
    ("retries: the end is an alert", lambda s: s.answers["alert"]["event"] == "sync.failed"),
    ("retries: an alert says how to retry", lambda s: s.answers["alert"]["command"]),
    ("retries: by hand", lambda s: s.answers["shop after retry"]["name"] == "Hub tea, at last"),
    (
        "a disabled store gets nothing",
        lambda s: s.shop["while inactive"]["name"] == "Hub tea, at last",
    ),
    ("a disabled store's webhooks are kept", _code("while inactive", 200)),
    ("re-enabled, the store gets what it missed", lambda s: s.answers["shop after activation"]),
    ("re-enabled, its webhooks are worked off", lambda s: s.answers["events after activation"]),
]


@pytest.mark.parametrize(
    "row", [*ENDPOINTS, *COLUMNS, *STATUSES, *FLOWS], ids=lambda row: str(row[0])
)
async def test_what_the_document_names_works(seen: Seen, row: Row) -> None:
    name, is_seen = row
    assert is_seen(seen), name
