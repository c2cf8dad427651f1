"""Bodies of `/api/woocommerce-sync`: analytics, history, conflicts, exported records."""

import json
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field, RootModel

from api.schemas.base import Answer, UtcTime, example
from api.schemas.conflicts import ConflictAnswer

Timeframe = Literal["24h", "7d", "30d", "90d"]
HistoryEvent = Literal["started", "completed", "failed", "cancelled", "rejected"]

_EXPORTED: Final[dict[str, Any]] = {
    "id": 8,
    "externalId": "4",
    "storeId": 12,
    "email": "nimal@example.com",
    "firstName": "Nimal",
    "lastName": "Perera",
    "isPaying": True,
}
EXPORT_LINES: Final = json.dumps(_EXPORTED) + "\n"
EXPORT_TABLE: Final = (
    "id,externalId,storeId,email,firstName,lastName,isPaying\r\n"
    "8,4,12,nimal@example.com,Nimal,Perera,true\r\n"
)

_FIGURES: Final[dict[str, Any]] = {
    "records": {
        "orders": {
            "seen": 640,
            "created": 31,
            "updated": 57,
            "deleted": 0,
            "unchanged": 552,
            "rejected": 0,
        }
    },
    "pushes": {"inventory": {"sent": 88, "created": 0, "updated": 87, "failed": 1}},
    "runs": {
        "total": 96,
        "succeeded": 95,
        "failed": 1,
        "cancelled": 0,
        "running": 0,
        "successRate": 0.9896,
        "failureRate": 0.0104,
        "averageS": 2.4,
    },
    "requests": {
        "total": 410,
        "failed": 3,
        "averageMs": 183.2,
        "p50Ms": 152.1,
        "p95Ms": 610.9,
        "outcomes": {"ok": 407, "timeout": 3},
    },
    "batches": {
        "pages": 103,
        "recordsPerPage": 6.2,
        "reads": 214,
        "recordsPerRead": 3.0,
        "writes": 5,
        "recordsPerWrite": 17.6,
    },
    "errorClasses": {"requests.timeout": 3, "runs.failed": 1, "pushes.failed": 1},
    "webhooks": {
        "received": 92,
        "applied": 74,
        "unchanged": 10,
        "ignored": 2,
        "stale": 5,
        "failed": 0,
        "pending": 1,
        "p50ProcessingMs": 84.0,
        "p95ProcessingMs": 1210.4,
    },
}
_ENTRY: Final[dict[str, Any]] = {
    "id": 77,
    "storeId": 12,
    "eventType": "completed",
    "entity": "products",
    "action": "sync_products",
    "direction": "pull",
    "counts": {"seen": 1200, "created": 0, "updated": 7, "unchanged": 1193, "rejected": 0},
    "error": None,
    "startedAt": "2026-11-21T09:30:02Z",
    "finishedAt": "2026-11-21T09:31:40Z",
    "workflowId": "sync/12",
    "statusUrl": "/api/syncs/sync/12",
    "dryRun": False,
}


class RecordFigures(Answer):
    """What became of records that came in, by pulls and by webhooks."""

    seen: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    rejected: int = 0


class PushFigures(Answer):
    """What became of records that were sent to the store."""

    sent: int = 0
    created: int = 0
    updated: int = 0
    failed: int = 0


class RunFigures(Answer):
    """How runs ended. Rates are shares of those that ended by themselves, from 0 to 1."""

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    running: int = 0
    success_rate: float | None = None
    failure_rate: float | None = None
    average_s: float | None = Field(default=None, description="How long a run took, in seconds")


class RequestFigures(Answer):
    """Requests to the store and how long it took to answer."""

    total: int = 0
    failed: int = Field(default=0, description="Without an answer below 400")
    average_ms: float | None = None
    p50_ms: float | None = Field(default=None, alias="p50Ms")
    p95_ms: float | None = Field(default=None, alias="p95Ms")
    outcomes: dict[str, int] = Field(default_factory=dict)


class BatchFigures(Answer):
    """How much a request carries."""

    pages: int = 0
    records_per_page: float | None = None
    reads: int = Field(default=0, description="GET requests")
    records_per_read: float | None = None
    writes: int = Field(default=0, description="All other requests")
    records_per_write: float | None = None


class WebhookFigures(Answer):
    """What became of webhooks. `stale`: a newer version was there already."""

    received: int = 0
    applied: int = 0
    unchanged: int = 0
    ignored: int = 0
    stale: int = 0
    failed: int = 0
    pending: int = 0
    p50_processing_ms: float | None = Field(default=None, alias="p50ProcessingMs")
    p95_processing_ms: float | None = Field(default=None, alias="p95ProcessingMs")


class FiguresAnswer(Answer):
    """The figures of one store, or of all together."""

    records: dict[str, RecordFigures]
    pushes: dict[str, PushFigures]
    runs: RunFigures
    requests: RequestFigures
    batches: BatchFigures
    error_classes: dict[str, int]
    webhooks: WebhookFigures


class StoreFiguresAnswer(FiguresAnswer):
    """The figures of one store."""

    store_id: int
    name: str


class HistoryEntryAnswer(Answer):
    """Something that happened to a store."""

    id: int
    store_id: int
    event_type: Literal["started", "completed", "failed", "cancelled"]
    entity: str
    action: str
    direction: str = Field(description="`pull`, `push` or `webhook`")
    counts: dict[str, int]
    error: str | None
    started_at: UtcTime
    finished_at: UtcTime | None
    workflow_id: str | None
    status_url: str | None
    dry_run: bool


class AnalyticsAnswer(Answer):
    """Figures of a span of time, by store and of all together. Dry runs are left out."""

    model_config = Answer.model_config | example(
        {
            "timeframe": "24h",
            "since": "2026-11-20T10:00:00Z",
            "until": "2026-11-21T10:12:31Z",
            "total": _FIGURES,
            "stores": [{"storeId": 12, "name": "Main shop", **_FIGURES}],
            "recentActivity": [_ENTRY],
        }
    )

    timeframe: Timeframe
    since: UtcTime = Field(description="The full hour it begins with")
    until: UtcTime
    total: FiguresAnswer
    stores: list[StoreFiguresAnswer]
    recent_activity: list[HistoryEntryAnswer]


class HistoryAnswer(Answer):
    """A page of what happened, newest first."""

    model_config = Answer.model_config | example({"data": [_ENTRY], "nextCursor": None})

    data: list[HistoryEntryAnswer]
    next_cursor: str | None


class HowToResolve(Answer):
    """The request that decides a conflict as it is suggested."""

    method: Literal["POST"] = "POST"
    url: str
    body: dict[str, Any]


def _conflict() -> dict[str, Any]:
    shown = ConflictAnswer.model_config["json_schema_extra"]
    conflict = shown["example"] if isinstance(shown, dict) else {}
    how = {"method": "POST", "url": "/api/conflicts/7/resolve", "body": {"resolution": "remote"}}
    return {**conflict, "howToResolve": how}  # type: ignore[dict-item]


class StoreConflictAnswer(ConflictAnswer):
    """A conflict with both sides, what is suggested, and how to decide it."""

    model_config = Answer.model_config | example(_conflict())

    how_to_resolve: HowToResolve | None = Field(description="Null: it is decided")


class StoreConflictListAnswer(Answer):
    """A page of conflicts, the newest first."""

    model_config = Answer.model_config | example({"data": [_conflict()], "nextCursor": None})

    data: list[StoreConflictAnswer]
    next_cursor: str | None


def _show_exported(schema: dict[str, Any]) -> None:
    schema["example"] = [_EXPORTED]


class ExportedRecords(RootModel[list[dict[str, Any]]]):
    """Exported records, with some of the columns of a customer."""

    model_config = ConfigDict(frozen=True, json_schema_extra=_show_exported)
