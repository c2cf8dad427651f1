"""What the document names of its API: endpoints, parameters, events, headers, commands."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tests.e2e.merchant import arriving, curls, sending
from tests.e2e.merchant.curls import Curl
from tests.e2e.merchant.reporting import EXPORTS, FORMATS, TIMEFRAMES
from tests.e2e.merchant.telling import TOPICS
from tests.e2e.merchant.witness import SYNC, Seen

Row = tuple[str, Callable[[Seen], object]]

_POSTS: Final[Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]] = {
    "sync/full": (arriving.FULL, {}),
    "sync/batch": (arriving.BATCH, {}),
    "sync/customers/pull": (arriving.CUSTOMERS_PULL, {}),
    "sync/customers/push": (sending.CUSTOMERS_PUSH, {"syncModifiedSince": None}),
    "sync/products/pull": (arriving.PRODUCTS_PULL, {}),
    "sync/orders/pull": (arriving.ORDERS_PULL, {"after": None}),
    "sync/inventory/push": (sending.INVENTORY_PUSH, {"syncModifiedSince": None}),
}
"""The documents' bodies, and the defaults of what is an example there: a moment."""

_CHOICES: Final = ("customers", "products", "orders", "inventory")


def code(step: str, wanted: int) -> Callable[[Seen], object]:
    """A step was answered so."""
    return lambda seen: seen.codes[step] == wanted


def asked(step: str, route: str, **wanted: str) -> Callable[[Seen], object]:
    """The shop was asked for a route with these parameters during a step."""
    return lambda seen: any(
        one["route"] == route and wanted.items() <= one["query"].items() for one in seen.asked[step]
    )


def counts(step: str, entity: str, name: str = "seen") -> Callable[[Seen], Any]:
    """How many records of an entity a run counted."""
    return lambda seen: seen.answers[f"{step} run"]["entities"][entity][name]


def sent(step: str, entity: str) -> Callable[[Seen], Any]:
    """How many records of an entity a run has sent; all that it was to."""

    def look(seen: Seen) -> Any:
        pushed = seen.answers[f"{step} run"]["pushed"][entity]
        return pushed["queued"] == pushed["sent"] and pushed["sent"]

    return look


def started(step: str) -> Callable[[Seen], object]:
    """It was accepted, with where to look, and succeeded."""

    def look(seen: Seen) -> object:
        answer, run = seen.answers[step], seen.answers[f"{step} run"]
        path = f"/api/syncs/{answer['workflowId']}"
        is_told = answer["statusUrl"] == path == seen.headers[step]["location"]
        return seen.codes[step] == 202 and is_told and run["status"] == "success"

    return look


def _schema(seen: Seen, path: str) -> dict[str, Any]:
    """The properties of a POST's body."""
    document = seen.answers["openapi"]
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    (name,) = (one["$ref"] for one in body.get("anyOf", [body]) if "$ref" in one)
    model = document["components"]["schemas"][name.rpartition("/")[2]]
    properties: dict[str, Any] = model["properties"]
    return properties


def _declared(path: str, name: str, default: Any) -> Callable[[Seen], object]:
    def look(seen: Seen) -> object:
        field = _schema(seen, f"{SYNC}/{path}")[name]
        # What leaves all four out means all four: their default is only told apart from a choice.
        wanted = None if path == "sync/batch" and name in _CHOICES else default
        return field.get("default") == wanted

    return look


def _in_query(path: str, *names: str) -> Callable[[Seen], object]:
    def look(seen: Seen) -> object:
        told = seen.answers["openapi"]["paths"][f"{SYNC}/{path}"]["get"]["parameters"]
        return set(names) <= {one["name"] for one in told if one["in"] == "query"}

    return look


def _delivered(topic: str) -> Callable[[Seen], object]:
    """The shop's own delivery to the document's address was taken, and done."""

    def look(seen: Seen) -> object:
        mine = [
            one
            for one in seen.answers["deliveries"]
            if one["topic"] == topic and one["url"].endswith(f"{SYNC}/webhook/{topic}")
        ]
        events = [one for one in seen.answers["events told"] if one["topic"] == topic]
        is_done = {one["outcome"] for one in events} & {"applied", "reread", "unchanged"}
        return mine and all(one["status"] == 200 for one in mine) and is_done and topic

    return look


def _header(name: str) -> Callable[[Seen], object]:
    return lambda seen: all(
        name in one["headers"] for one in seen.answers["deliveries"] if one["record_id"]
    )


def _exported(step: str) -> Callable[[Seen], object]:
    return lambda seen: seen.texts[step]


ENDPOINTS: Final[Sequence[Row]] = [
    ("GET connection/test", lambda s: s.answers["connection again"] == {"connected": True}),
    ("GET status", lambda s: len(s.answers["status"]["stores"]) == 2),
    ("GET analytics", lambda s: s.answers["analytics 30d"]["timeframe"] == "30d"),
    ("POST sync/full", started("full")),
    ("POST sync/customers/pull", started("customers pull")),
    ("POST sync/customers/push", started("customers push")),
    ("POST sync/products/pull", started("products pull")),
    ("POST sync/products/:wcProductId", lambda s: s.answers["one product"]["recordId"]),
    ("POST sync/products/:wcProductId unknown", code("no product", 404)),
    ("POST sync/orders/pull", started("orders pull")),
    ("POST sync/orders/:wcOrderId", lambda s: s.answers["one order"]["recordId"]),
    ("POST sync/inventory/push", started("inventory push")),
    (
        "POST sync/inventory/push/:productId",
        lambda s: s.answers["one product's stock"]["variants"][0]["after"] == "3",
    ),
    ("POST webhook/:event", code("new version", 200)),
    ("POST webhook/test", code("webhook test", 200)),
    ("POST sync/batch", started("batch")),
    ("GET conflicts", lambda s: s.answers["decided"]["fields"]),
    ("GET history", lambda s: len(s.answers["history"]["data"]) == 50),
    ("GET export/customers", code("export customers json", 200)),
]

PARAMETERS: Final[Sequence[Row]] = [
    *(
        (f"{path} {name}, its default", _declared(path, name, others.get(name, value)))
        for path, (body, others) in _POSTS.items()
        for name, value in body.items()
        if name not in ("customerIds", "productIds")
    ),
    (
        "customers/push customerIds, its default",
        _declared("sync/customers/push", "customerIds", []),
    ),
    ("inventory/push productIds, its default", _declared("sync/inventory/push", "productIds", [])),
    (
        "webhook/test event, data",
        lambda s: {"event", "data"} <= set(_schema(s, f"{SYNC}/webhook/test")),
    ),
    ("analytics timeframe", _in_query("analytics", "timeframe")),
    ("history limit, event_type", _in_query("history", "limit", "event_type")),
    ("export format, wc_only", _in_query("export/{entity}", "format", "wc_only")),
    ("full direction pull", lambda s: not s.answers["full pull run"]["pushed"]),
    ("full direction push", lambda s: not s.answers["full push run"]["entities"]),
    (
        "full direction both",
        lambda s: s.answers["full run"]["entities"] and s.answers["full run"]["pushed"],
    ),
    ("full force", lambda s: s.answers["forced product"]["title"] == s.answers["forced wanted"]),
    ("full batchSize", asked("full pull", "products", per_page="10", page="4")),
    ("customers/pull limit", asked("customers pull", "customers", per_page="100")),
    ("customers/pull page", asked("customers page", "customers", per_page="5", page="2")),
    ("products/pull status", asked("products pull", "products", status="publish", per_page="100")),
    (
        "products/pull another status",
        asked("products draft", "products", status="draft", per_page="3"),
    ),
    ("products/pull force", lambda s: counts("products forced", "products")(s) == 2),
    (
        "products/pull without force",
        lambda s: "modified_after" in s.asked["products pull"][0]["query"],
    ),
    ("orders/pull status all", asked("orders pull", "orders", status="any")),
    ("orders/pull another status", asked("orders completed", "orders", status="completed")),
    ("orders/pull after", lambda s: s.asked["orders pull"][0]["query"]["after"].startswith("20")),
    ("batch limit", asked("batch of one", "customers", per_page="2")),
    ("batch customers", lambda s: set(s.answers["batch of one run"]["entities"]) == {"customers"}),
    (
        "batch products, orders",
        lambda s: {"products", "orders"} <= set(s.answers["batch run"]["entities"]),
    ),
    ("batch inventory", lambda s: set(s.answers["batch run"]["pushed"]) == {"inventory"}),
    (
        "batch, nothing named",
        lambda s: (
            set(s.answers["batch of all run"]["entities"]) == {"customers", "products", "orders"}
        ),
    ),
    ("customers/push syncModifiedSince", sent("customers push", "customers")),
    ("customers/push customerIds", lambda s: sent("customers push ids", "customers")(s) == 1),
    ("customers/push syncAll", lambda s: sent("customers push all", "customers")(s) > 1),
    ("customers/push of nothing", code("customers push none", 422)),
    ("inventory/push syncModifiedSince", sent("inventory push", "inventory")),
    ("inventory/push productIds", lambda s: sent("inventory push ids", "inventory")(s) == 1),
    ("inventory/push syncAll", lambda s: sent("inventory push all", "inventory")(s) > 1),
    *((f"analytics timeframe={t}", code(f"analytics {t}", 200)) for t in TIMEFRAMES),
    ("history limit", lambda s: len(s.answers["history page"]["data"]) == 2),
    ("history event_type=completed", lambda s: _types(s, "history") == {"completed"}),
    ("history event_type=failed", lambda s: _types(s, "history failed") == {"failed"}),
    ("history event_type=started", lambda s: _types(s, "history running") == {"started"}),
    *(
        (f"export/{entity}?format={form}", _exported(f"export {entity} {form}"))
        for entity in EXPORTS
        for form in FORMATS
    ),
    (
        "export wc_only=true",
        lambda s: 0 < len(s.answers["export wc_only"]) < len(s.answers["export customers json"]),
    ),
]


def _types(seen: Seen, step: str) -> set[str]:
    return {one["eventType"] for one in seen.answers[step]["data"]}


WEBHOOKS: Final[Sequence[Row]] = [
    *((f"topic {topic} at its delivery URL", _delivered(topic)) for topic in TOPICS),
    *(
        (f"header {name}", _header(name))
        for name in (
            *("X-WC-Webhook-Topic", "X-WC-Webhook-Resource", "X-WC-Webhook-Event"),
            *("X-WC-Webhook-Signature", "X-WC-Webhook-Source", "X-WC-Webhook-ID"),
        )
    ),
    (
        "the shop's test of a webhook",
        lambda s: all(
            one["status"] == 200 for one in s.answers["deliveries"] if not one["record_id"]
        ),
    ),
]


def _sent_as_written(command: str) -> bool:
    curl = Curl.read(command, token="t")
    is_json = curl.content is None or curl.headers["Content-Type"] == "application/json"
    return is_json and curl.headers.get("Authorization", "Bearer t") == "Bearer t"


TESTING: Final[Sequence[Row]] = [
    (
        "1. Test Connection",
        lambda s: _sent_as_written(curls.CONNECTION) and s.codes["connection"] == 200,
    ),
    ("2. Test Full Sync", lambda s: _sent_as_written(curls.FULL_SYNC) and started("full pull")(s)),
    ("3. Check Sync Status", lambda s: _sent_as_written(curls.STATUS) and s.codes["status"] == 200),
    (
        "4. Test Webhook",
        lambda s: (
            _sent_as_written(curls.WEBHOOK) and s.answers["webhook test"]["wouldDo"] == "reread"
        ),
    ),
    (
        "Check sync logs",
        lambda s: _sent_as_written(curls.FAILED) and s.answers["history failed"]["data"],
    ),
    (
        "a webhook that is tried does nothing",
        lambda s: s.answers["after trying"]["title"] == "Newer",
    ),
    (
        "a webhook that is tried is told field by field",
        lambda s: s.answers["webhook tried"]["diff"]["title"]["to"] == "Tried",
    ),
    (
        "a webhook that is applied is done",
        lambda s: s.answers["after applying"]["title"] == "Tried",
    ),
]
