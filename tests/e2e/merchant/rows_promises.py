"""What the document promises, each as it was seen."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

from tests.e2e.merchant.rows_api import Row, code, started
from tests.e2e.merchant.story import LADDER_S
from tests.e2e.merchant.witness import Seen
from tests.e2e.shop import ROOT

# Parents whose rows are never taken away, so that nothing is ever looked up this way round.
_NOT_LOOKED_UP: Final = {
    ("alert_messages", "alerts"),
    ("inventory_levels", "warehouses"),
    ("inventory_movements", "warehouses"),
    ("invoice_lines", "product_variants"),
    ("invoices", "warehouses"),
    ("mapping_previews", "stores"),
    ("orders", "stores"),
}
_VARIABLES: Final = ("SITE_URL", "CONSUMER_KEY", "CONSUMER_SECRET", "WEBHOOK_SECRET")


def _store(seen: Seen) -> Any:
    [store] = seen.answers["stores"]["data"]
    return store


def _matching(entity: str, mine: str, theirs: str) -> Callable[[Seen], object]:
    """A field of every record of the shop is in the hub, and is not the same everywhere."""

    def look(seen: Seen) -> object:
        held = {
            ref["externalId"]: one[mine]
            for one in seen.answers[f"hub {entity}"]
            for ref in one["externalReferences"]
        }
        shown = {str(one["id"]): one[theirs] for one in seen.answers[f"shop {entity}"]}
        values = {json.dumps(value) for value in shown.values()}
        return len(values) > 1 and all(held[key] == value for key, value in shown.items())

    return look


def _addresses(seen: Seen) -> object:
    held = seen.answers["hub customers"]
    return all(any(one[kind]["city"] for one in held) for kind in ("billing", "shipping"))


def _linked_orders(seen: Seen) -> object:
    customers = {
        ref["externalId"]: one["id"]
        for one in seen.answers["hub customers"]
        for ref in one["externalReferences"]
    }
    known = [one for one in seen.answers["hub orders"] if one["customerExternalId"] in customers]
    linked = [one["customerId"] == customers[one["customerExternalId"]] for one in known]
    return linked and all(linked)


def _lines(seen: Seen) -> object:
    held = {one["number"]: one for one in seen.answers["hub orders"]}
    shown = seen.answers["shop orders"]
    return all(
        [line["name"] for line in one["line_items"]]
        == [line["title"] for line in held[one["number"]]["lines"]]
        for one in shown
    )


def _environment(seen: Seen, name: str) -> object:
    """The variable is in the template, and its store was connected with it."""
    template = (ROOT / ".env.woocommerce.example").read_text()
    store = _store(seen)
    is_connected = store["storeUrl"] == seen.texts["shop"] and store["code"] == "default"
    return f"\nWOOCOMMERCE_{name}=" in template and is_connected


def _uses(name: str) -> Row:
    return f"WOOCOMMERCE_{name}", lambda seen: _environment(seen, name)


SETUP: Final[Sequence[Row]] = [
    *(_uses(name) for name in _VARIABLES),
    ("WOOCOMMERCE_WEBHOOK_SECRET signs", code("new version", 200)),
    ("WOOCOMMERCE_DEBUG_LOGGING", lambda s: _logged(s, "store_request")),
    (
        "customers table, what WooCommerce says beyond",
        lambda s: s.answers["hub customers"][0]["extra"]["role"],
    ),
    ("products table", lambda s: s.answers["hub products"][0]["title"]),
    ("purchase_orders table: orders", lambda s: s.answers["hub orders"][0]["number"]),
    ("inventory table: levels", lambda s: s.answers["hub levels"][0]["onHand"]),
]


def _logged(seen: Seen, event: str) -> list[Any]:
    return [one for one in seen.answers["log"] if one.get("event") == event]


def _movements(seen: Seen) -> object:
    kinds = {one["kind"] for one in seen.answers["hub movements"]}
    default = [one["id"] for one in seen.answers["hub warehouses"] if one["isDefault"]]
    return "opening" in kinds and {m["warehouseId"] for m in seen.answers["hub movements"]} == {
        *default
    }


def _levels(seen: Seen) -> object:
    counted = {
        str(one["id"]): one["stock_quantity"]
        for one in seen.answers["shop products"]
        if one["type"] == "simple" and one["manage_stock"] and one["stock_quantity"] is not None
    }
    held = {
        ref["externalId"]: one["variants"][0]["available"]
        for one in seen.answers["hub products"]
        for ref in one["externalReferences"]
        if one["kind"] == "simple"
    }
    return counted and all(float(held[key]) == number for key, number in counted.items())


def _supplier(seen: Seen) -> object:
    wanted = {"storeId": _store(seen)["id"], "provider": "woocommerce"}
    return all(one["supplier"] == wanted for one in seen.answers["hub products"])


FLOWS: Final[Sequence[Row]] = [
    ("customer: mapped to a record of ours", _matching("customers", "email", "email")),
    ("customer: the WC id is kept", lambda s: s.answers["hub customers"][0]["externalReferences"]),
    ("customer: billing and shipping addresses", _addresses),
    ("customer: paying status", _matching("customers", "isPaying", "is_paying_customer")),
    (
        "customer: paying status is followed",
        lambda s: (
            (s.answers["before paying"]["isPaying"], s.answers["after paying"]["isPaying"])
            == (False, True)
        ),
    ),
    ("product: in the catalogue", _matching("products", "slug", "slug")),
    ("product: its WooCommerce supplier", _supplier),
    ("product: levels", _levels),
    ("product: default warehouse, movements", _movements),
    ("order: kept with its number", _matching("orders", "number", "number")),
    ("order: linked to its customer", _linked_orders),
    ("order: a line for each product", _lines),
    (
        "order: its status is followed",
        lambda s: s.answers["order.updated"]["status"] == "completed",
    ),
    (
        "inventory: changes in the hub are pushed by themselves",
        lambda s: (
            s.answers["stock pushed by itself"]["stock_quantity"] == s.answers["stock before"] + 5
        ),
    ),
    ("inventory: pushed when asked", lambda s: s.answers["shop stock"]["stock_quantity"] == 3),
    (
        "inventory: out of stock",
        lambda s: s.answers["out of stock"]["stock_status"] == "outofstock",
    ),
    ("inventory: back in stock", lambda s: s.answers["shop stock"]["stock_status"] == "instock"),
    (
        "inventory: stock the shop does not manage is left alone",
        lambda s: (
            s.answers["shop uncounted"]["manage_stock"] is False
            and s.answers["uncounted stock"]["variants"][0]["outcome"] == "skipped"
        ),
    ),
    ("PULL", started("full pull")),
    ("PUSH: order status", lambda s: s.answers["shop order"]["status"] == "on-hold"),
    ("PUSH: customers", lambda s: s.answers["shop customer"]["last_name"] == "Perera-Silva"),
    ("SYNC: both ways", started("full")),
    ("WEBHOOKS", lambda s: s.answers["product.updated"]["title"] == "Told tea, better"),
]


def _tries(seen: Seen) -> list[list[float]]:
    """When the broken shop was asked: the quick tries of each rung of the ladder."""
    times = [one["at"] for one in seen.asked["failed"]]
    return [times[:3], times[3:]]


def _backs_off(seen: Seen) -> object:
    pauses = [[later - at for at, later in pairwise(rung)] for rung in _tries(seen)]
    return all(second > 1.5 * first > 0.5 for first, second in pauses)


ERRORS: Final[Sequence[Row]] = [
    ("retry with exponential backoff", _backs_off),
    (
        "at most 3 tries of a call",
        lambda s: {one["attempt"] for one in _logged(s, "store_request")} == {1, 2, 3},
    ),
    ("configurable retry delays", lambda s: len(s.asked["failed"]) == 3 * len(LADDER_S.split(","))),
    ("a retry that waits is shown", lambda s: s.answers["failing"]["nextRetryAt"]),
    (
        "woocommerce_sync_log",
        lambda s: {one["status"] for one in s.answers["sync logs"]} >= {"success"},
    ),
    ("error logging", lambda s: "503" in s.answers["history failed"]["data"][0]["error"]),
    (
        "error categories",
        lambda s: (
            s.answers["analytics 30d"]["total"]["errorClasses"].items()
            >= {"runs.failed": 1}.items()
        ),
    ),
    (
        "error categories of requests",
        lambda s: s.answers["analytics 30d"]["total"]["errorClasses"]["requests.server_error"] >= 1,
    ),
    (
        "failed item tracking",
        lambda s: s.answers["history failed"]["data"][0]["entity"] == "orders",
    ),
    ("failures alert", lambda s: s.answers["alerts"][0]["event"] == "sync.failed"),
    ("conflicts are detected", lambda s: s.answers["decided"]["paths"] == ["title"]),
    (
        "conflicts: both sides",
        lambda s: (
            s.answers["decided"]["fields"][0]["local"]
            != s.answers["decided"]["fields"][0]["remote"]
        ),
    ),
    ("conflicts: suggestions", lambda s: s.answers["decided"]["suggestion"]["reason"]),
    ("conflicts: decided as suggested", code("resolved", 200)),
    ("conflicts: overridden by force", lambda s: s.answers["no conflicts"]["data"] == []),
]


def _total(seen: Seen, name: str) -> Any:
    return seen.answers["analytics 30d"]["total"][name]


def _first(seen: Seen) -> Any:
    """How the default store stands; the broken one is the other."""
    return seen.answers["status"]["stores"][0]


def _all_tell(seen: Seen) -> bool:
    """The API and both workers, each its own figures."""
    told = seen.answers["status"]["system"]["processes"]
    return [one["kind"] for one in told if one["memoryMb"] > 0] == ["api", "worker", "worker"]


MONITORING: Final[Sequence[Row]] = [
    ("records synced per entity", lambda s: _total(s, "records")["products"]["created"] >= 40),
    (
        "success and failure rates",
        lambda s: (
            round(_total(s, "runs")["successRate"] + _total(s, "runs")["failureRate"], 3) == 1
        ),
    ),
    ("performance and timing", lambda s: _total(s, "runs")["averageS"] > 0),
    ("recent activity", lambda s: s.answers["analytics 30d"]["recentActivity"]),
    (
        "average response times",
        lambda s: (
            _total(s, "requests")["averageMs"]
            and _total(s, "requests")["p95Ms"] >= _total(s, "requests")["p50Ms"]
        ),
    ),
    ("batch efficiency", lambda s: _total(s, "batches")["recordsPerPage"] > 1),
    ("error rates and patterns", lambda s: _total(s, "requests")["failed"] >= 1),
    ("webhook statistics", lambda s: _total(s, "webhooks")["applied"] >= 6),
    ("connection status", lambda s: _first(s)["connection"]["isConnected"]),
    ("API rate limit", lambda s: _first(s)["rateLimit"]["slowdown"] == 1),
    ("system resource use", _all_tell),
    (
        "automated health checks",
        lambda s: s.answers["status"]["stores"][1]["connection"]["checkedBy"],
    ),
    ("the last check", lambda s: _first(s)["connection"]["lastCheckAt"]),
    ("sync status", lambda s: _first(s)["syncStatus"] == "success"),
]


def csv_rows(seen: Seen, step: str) -> list[dict[str, str]]:
    """An export in CSV, read."""
    return list(csv.DictReader(io.StringIO(seen.texts[step], newline="")))


def is_streamed(seen: Seen) -> object:
    """Nobody knew how long the file would be when it began."""
    headers = seen.headers["export products ndjson"]
    return headers["transfer-encoding"] == "chunked" and "content-length" not in headers


def unindexed(seen: Seen) -> set[tuple[str, str]]:
    """The foreign keys without an index that are not known to need none."""
    return {(table, parent) for table, parent in seen.answers["unindexed"]} - _NOT_LOOKED_UP
