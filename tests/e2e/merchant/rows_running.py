"""What the document promises of security, performance, scale and help with trouble."""

from collections.abc import Sequence
from typing import Any, Final

from tests.e2e.merchant.rows_api import Row, code
from tests.e2e.merchant.rows_promises import csv_rows, is_streamed, unindexed
from tests.e2e.merchant.witness import SYNC, Seen

SECURITY: Final[Sequence[Row]] = [
    ("JWT for admin endpoints", lambda s: s.answers["login"]["tokenType"] == "Bearer"),
    ("JWT: without one, status", code("status without a login", 401)),
    ("JWT: without one, analytics", code("analytics without a login", 401)),
    ("JWT: without one, conflicts", code("conflicts without a login", 401)),
    ("API key: right", code("right key", 200)),
    ("API key: wrong", code("wrong key", 401)),
    (
        "WooCommerce's own keys are validated",
        lambda s: s.answers["wrong keys"]["type"].endswith("store-credentials-refused"),
    ),
    ("rate limiting", lambda s: s.answers["limited"] == [200, 200, 200, 429]),
    ("throttling says when", lambda s: int(s.headers["limited"]["retry-after"]) > 0),
    ("limits are told", lambda s: "ratelimit" in s.headers["product"]),
    ("webhooks are not limited", lambda s: "ratelimit" not in s.headers["new version"]),
    ("input validation: a wrong word", lambda s: _pointer(s, "wrong direction") == "/direction"),
    ("input validation: out of range", lambda s: _pointer(s, "wrong batchSize") == "/batchSize"),
    ("input validation: an unknown field", code("wrong unknown field", 422)),
    ("input validation: a wrong type", lambda s: _pointer(s, "wrong type") == "/force"),
    ("input validation: an unknown topic", code("webhook unknown", 422)),
    (
        "sanitizing: no formula in a spreadsheet",
        lambda s: any(
            one["firstName"].startswith("'=cmd") for one in csv_rows(s, "export customers csv")
        ),
    ),
    ("webhook signature", code("new version", 200)),
    ("webhook signature: forged", code("forged", 401)),
    ("webhook signature: missing", code("unsigned", 401)),
    (
        "webhook signature: forgeries are counted",
        lambda s: s.answers["webhook counters"]["counters"]["forged"] == 2,
    ),
    ("IP allow list", lambda s: (s.answers["blocked"], s.answers["let in"]) == (403, 200)),
    (
        "IP allow list: what it kept out is counted",
        lambda s: s.answers["webhook counters"]["counters"]["blocked_ip"] >= 1,
    ),
    # WooCommerce signs no time, so there is none to validate: a version that is old has no effect.
    (
        "timestamp validation: an old version",
        lambda s: s.answers["old version event"]["outcome"] == "stale",
    ),
    (
        "replay prevention: the same once more",
        lambda s: s.answers["replayed event"]["outcome"] in ("unchanged", "duplicate"),
    ),
    (
        "replay prevention: nothing came of either",
        lambda s: s.answers["after cheating"]["title"] == "Newer",
    ),
    (
        "no credential in the log",
        lambda s: (
            "cs_" not in str(s.answers["log"]) and "oauth_signature" not in str(s.answers["log"])
        ),
    ),
    (
        "a request sent twice is done once",
        lambda s: s.headers["once more"]["idempotency-replayed"] == "true",
    ),
]


def _pointer(seen: Seen, step: str) -> Any:
    assert seen.codes[step] == 422
    return seen.answers[step]["errors"][0]["pointer"]


def _sizes(seen: Seen, step: str) -> set[str]:
    """The page sizes of a run's lists; what only counts asks for one record."""
    lists = [one for one in seen.asked[step] if one["route"] in ("products", "orders", "customers")]
    return {one["query"]["per_page"] for one in lists if "_fields" not in one["query"]}


def _progress(seen: Seen) -> object:
    """A run told more than once how far it was, and the last time all of it."""
    told = seen.answers["full pull told"]
    live = [one for one in told if one["status"] == "in_progress" and one["progress"]]
    return live and told[-1]["entities"]["products"]["seen"] == 40


PERFORMANCE: Final[Sequence[Row]] = [
    (
        "configurable batch sizes",
        lambda s: (_sizes(s, "full pull"), _sizes(s, "beside")) == ({"10"}, {"3"}),
    ),
    ("parallel processing", lambda s: s.answers["shop stats"]["requests"]["max_concurrent"] > 1),
    ("memory-efficient streaming", is_streamed),
    ("progress of long operations", _progress),
    ("API response caching", lambda s: s.codes["product unchanged"] == 304),
    ("caching: of the shop's own answers", lambda s: s.asked["connection again"] == []),
    ("caching: of the connection's test", code("connection unchanged", 304)),
    ("metadata caching", code("providers unchanged", 304)),
    ("caching: within its time", lambda s: s.answers["kept on"] == s.answers["kept"]),
    ("cache invalidation", lambda s: s.answers["product afterwards"]["title"] == "Changed since"),
    ("configurable TTL", lambda s: s.answers["expired"]["until"] > s.answers["kept"]["until"]),
    ("indexed foreign keys", lambda s: not unindexed(s)),
    ("connection pooling", lambda s: 0 < s.answers["database connections"][0][0] <= 10 + 2 * 16),
    (
        "connection pooling is told",
        lambda s: (
            [one["databaseConnectionsMax"] for one in s.answers["status"]["system"]["processes"]]
            == [10, 16, 16]
        ),
    ),
    ("query performance: slow statements", lambda s: "a_slow_statement" in s.texts["postgres log"]),
    (
        "query performance: every request's time",
        lambda s: all(
            one["duration_ms"] >= 0 for one in s.answers["log"] if one.get("event") == "request"
        ),
    ),
    (
        "queue-based processing",
        lambda s: (
            {one["kind"] for one in s.answers["status"]["stores"][0]["lanes"]} == {"inbox", "push"}
        ),
    ),
]


def _consolidated(seen: Seen) -> object:
    """The total is the sum of both stores."""
    shown = seen.answers["analytics 30d"]
    runs = [one["runs"]["total"] for one in shown["stores"]]
    return len(runs) == 2 and sum(runs) == shown["total"]["runs"]["total"]


STORES: Final[Sequence[Row]] = [
    # It is opened at the start, and used again when reports are read.
    ("read replicas for analytics", lambda s: s.answers["replica used"][0][0] > 1),
    ("multiple configurations", lambda s: len(s.answers["status"]["stores"]) == 2),
    ("multiple configurations: which one has to be said", code("unnamed", 400)),
    (
        "multiple configurations: it is said",
        lambda s: s.answers["named"]["storeId"] == s.answers["branch"]["id"],
    ),
    (
        "store-specific schedules",
        lambda s: (
            s.answers["schedule"]["pull"]["interval"] == "PT15M"
            and s.answers["own schedule"]["pull"] is None
        ),
    ),
    ("isolated error handling: one fails", lambda s: s.answers["failed run"]["status"] == "failed"),
    (
        "isolated error handling: the other goes on",
        lambda s: s.answers["beside run"]["status"] == "success",
    ),
    (
        "isolated error handling: each has its status",
        lambda s: [one["status"] for one in s.answers["status"]["stores"]] == ["healthy", "down"],
    ),
    ("consolidated reporting", _consolidated),
    (
        "automated sync scheduling with cron jobs",
        lambda s: s.answers["schedule"]["reconcile"]["cron"] == "30 3 * * *",
    ),
    (
        "multi-warehouse inventory",
        lambda s: s.answers["outlet"]["settings"]["stockWarehouse"] == "KDY",
    ),
    (
        "custom field mapping",
        lambda s: s.answers["mapping"]["rules"][0]["target"] == "extra.kind",
    ),
    (
        "data transformation, tried first",
        lambda s: s.answers["mapping preview"]["after"]["extra.kind"],
    ),
    ("the same demand twice is one", lambda s: s.answers["named again"]["alreadyRunning"] is True),
]


def _advice(seen: Seen) -> dict[str, str]:
    return {one["code"]: one["action"] for one in seen.answers["status"]["stores"][1]["reasons"]}


TROUBLE: Final[Sequence[Row]] = [
    ("connection: credentials", lambda s: "consumer key" in s.answers["wrong keys"]["detail"]),
    ("connection: it says what to do", lambda s: "test-connection" in _advice(s)["not-connected"]),
    (
        "connection: rate limits",
        lambda s: s.answers["status"]["stores"][0]["rateLimit"]["blockedUntil"] is None,
    ),
    (
        "conflicts: detection endpoint",
        lambda s: s.answers["decided"]["howToResolve"]["method"] == "POST",
    ),
    (
        "conflicts: force-sync",
        lambda s: s.answers["forced product"]["title"] == s.answers["forced wanted"],
    ),
    (
        "webhooks: URLs and secrets",
        lambda s: "Webhooks" in s.answers["stores"]["data"][0]["instructions"],
    ),
    (
        "webhooks: can the shop reach us",
        lambda s: s.answers["stores"]["data"][0]["webhookUrlsUnreachableReason"],
    ),
    (
        "webhooks: signature validation",
        lambda s: s.answers["webhook counters"]["counters"]["forged"],
    ),
    (
        "performance: time-outs are a setting",
        lambda s: s.answers["analytics 30d"]["total"]["errorClasses"]["requests.timeout"] >= 1,
    ),
    ("performance: smaller batches", lambda s: _sizes(s, "full pull") == {"10"}),
    (
        "debug mode",
        lambda s: any(
            one.get("event") == "store_request" and one["path"].endswith("/orders")
            for one in s.answers["log"]
        ),
    ),
    (
        "sync logs",
        lambda s: s.answers["history failed"]["data"][0]["statusUrl"].startswith(
            "/api/syncs/demand/"
        ),
    ),
    (
        "its own endpoints are in the API's documentation",
        lambda s: f"{SYNC}/sync/full" in s.answers["openapi"]["paths"],
    ),
]
