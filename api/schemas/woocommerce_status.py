"""Body of `GET /api/woocommerce-sync/status`: how stores and the hub stand."""

from typing import Any, Final, Literal

from pydantic import Field

from api.schemas.base import Answer, UtcTime, example

Health = Literal["healthy", "degraded", "down"]
Severity = Literal["down", "degraded", "notice"]

_REASON: Final[dict[str, Any]] = {
    "severity": "degraded",
    "code": "pushes-failed",
    "message": "2 records could not be sent to the store.",
    "action": "See GET /api/stores/12/pushes?status=failed, then "
    "POST /api/stores/12/retry-failed-sync.",
}
_STORE: Final[dict[str, Any]] = {
    "storeId": 12,
    "name": "Main shop",
    "status": "degraded",
    "reasons": [_REASON],
    "isActive": True,
    "syncStatus": "success",
    "connection": {
        "isConnected": True,
        "message": "",
        "latencyMs": 152,
        "lastCheckAt": "2026-11-21T10:12:02Z",
        "connectedAt": "2026-11-21T10:12:02Z",
        "checkedBy": "pull every PT15M",
    },
    "rateLimit": {
        "requestsPerMinute": None,
        "leftInNextMinute": None,
        "slowdown": 1,
        "blockedUntil": None,
    },
    "backlog": {
        "webhooksPending": 1,
        "webhooksOldestAt": "2026-11-21T10:12:30Z",
        "pushesPending": 4,
        "pushesOldestAt": "2026-11-21T10:12:29Z",
        "pushesFailed": 2,
    },
    "lanes": [
        {
            "kind": "push",
            "isPaused": False,
            "pausedReason": None,
            "failures": 0,
            "nextAttemptAt": None,
            "lastError": None,
        }
    ],
    "openConflicts": 0,
    "openAlerts": 1,
    "lastSync": {"products": "2026-11-21T10:05:11Z"},
}
_API: Final[dict[str, Any]] = {
    "name": "api-7c1e",
    "kind": "api",
    "queues": [],
    "startedAt": "2026-11-20T10:12:31Z",
    "seenAt": "2026-11-21T10:12:29Z",
    "cpuS": 812.4,
    "cpuPercent": 0.9,
    "memoryMb": 148.2,
    "peakMemoryMb": 171.9,
    "databaseConnectionsInUse": 1,
    "databaseConnectionsMax": 10,
}
_WORKER: Final[dict[str, Any]] = {
    **_API,
    "name": "worker-1a2b",
    "kind": "worker",
    "queues": ["interactive", "events", "pull", "import"],
    "databaseConnectionsMax": 16,
}


class ReasonAnswer(Answer):
    """Why something is not as it should be, and what to do about it."""

    severity: Severity = Field(description="`notice` changes no status")
    code: str
    message: str
    action: str


class ConnectionAnswer(Answer):
    """What the last request to the store found; no request is made for it."""

    is_connected: bool | None = Field(description="Null: the store was never asked")
    message: str
    latency_ms: int | None
    last_check_at: UtcTime | None
    connected_at: UtcTime | None = Field(description="When it last answered")
    checked_by: str | None = Field(
        description="What asks the store regularly, whatever else happens; null: nothing does"
    )


class RateLimitAnswer(Answer):
    """What may still be asked of the store."""

    requests_per_minute: float | None = Field(
        description="Null: the store has no limit that is known"
    )
    left_in_next_minute: int | None
    slowdown: int = Field(description="By how much the pace is divided since the store complained")
    blocked_until: UtcTime | None


_DUE = "Since when the oldest of those that are due has been so"


class BacklogAnswer(Answer):
    """What still has to be worked off."""

    webhooks_pending: int
    webhooks_oldest_at: UtcTime | None = Field(description=_DUE)
    pushes_pending: int
    pushes_oldest_at: UtcTime | None = Field(description=_DUE)
    pushes_failed: int


class LaneAnswer(Answer):
    """One of the store's lanes: `inbox` for webhooks, `push` for what is sent."""

    kind: str
    is_paused: bool
    paused_reason: str | None
    failures: int
    next_attempt_at: UtcTime | None
    last_error: str | None


class StoreStatusAnswer(Answer):
    """How one store stands."""

    store_id: int
    name: str
    status: Health
    reasons: list[ReasonAnswer]
    is_active: bool
    sync_status: str
    connection: ConnectionAnswer
    rate_limit: RateLimitAnswer
    backlog: BacklogAnswer
    lanes: list[LaneAnswer]
    open_conflicts: int
    open_alerts: int
    last_sync: dict[str, UtcTime] = Field(
        description="Per kind of record, when everything the store had changed was last in the hub"
    )


class ProcessAnswer(Answer):
    """One process of the hub, and what it uses of the machine it runs on."""

    name: str = Field(description="Of this process alone: it has another after a restart")
    kind: Literal["api", "worker"]
    queues: list[str] = Field(description="The task queues that a worker serves")
    started_at: UtcTime
    seen_at: UtcTime = Field(description="When it told these figures: every ten seconds")
    cpu_s: float = Field(description="CPU seconds since it began")
    cpu_percent: float = Field(description="Of one core, in the seconds before `seenAt`")
    memory_mb: float
    peak_memory_mb: float
    database_connections_in_use: int
    database_connections_max: int


class SystemAnswer(Answer):
    """The hub itself."""

    temporal: Literal["healthy", "unhealthy"]
    processes: list[ProcessAnswer] = Field(
        description="Every API and worker process that was seen within the last minute"
    )


class WooCommerceStatusAnswer(Answer):
    """How the hub and all the WooCommerce stores stand; `status` is that of the worst."""

    model_config = Answer.model_config | example(
        {
            "status": "degraded",
            "reasons": [],
            "checkedAt": "2026-11-21T10:12:31Z",
            "stores": [_STORE],
            "system": {
                "temporal": "healthy",
                "processes": [_API, _WORKER],
            },
        }
    )

    status: Health
    reasons: list[ReasonAnswer]
    checked_at: UtcTime
    stores: list[StoreStatusAnswer]
    system: SystemAnswer
