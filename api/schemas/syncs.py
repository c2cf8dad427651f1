"""Bodies about imports and what they did."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import Answer, Body, UtcTime, example

Status = Literal["pending", "in_progress", "success", "failed", "cancelled"]

_PAGE = "http://127.0.0.1:8233/namespaces/default/workflows/import%2F12"
_ENTITIES = {
    "products": {
        "phase": "pages",
        "round": 0,
        "total": 1200,
        "seen": 800,
        "created": 795,
        "updated": 0,
        "unchanged": 4,
        "deleted": 0,
        "rejected": 1,
        "pages": 8,
    }
}
_RUN: dict[str, Any] = {
    "id": 31,
    "storeId": 12,
    "kind": "import",
    "workflowId": "import/12",
    "runId": "01a5c0de-0000-7000-8000-000000000000",
    "status": "in_progress",
    "error": None,
    "dryRun": False,
    "startedAt": "2026-11-21T09:30:02Z",
    "finishedAt": None,
    "temporalUiUrl": _PAGE,
}


DryRun = Annotated[
    bool,
    Field(
        description="Only tell what it would do, at `GET /api/syncs/{workflowId}/diff`, and do "
        "nothing of it"
    ),
]


class ImportBody(Body):
    """An import to start."""

    model_config = Body.model_config | example({"dryRun": False})

    dry_run: DryRun = False


class StartedImportAnswer(Answer):
    """An import that runs now."""

    model_config = Answer.model_config | example(
        {
            "workflowId": "import/12",
            "runId": "01a5c0de-0000-7000-8000-000000000000",
            "statusUrl": "/api/syncs/import/12",
            "temporalUiUrl": _PAGE,
            "alreadyRunning": False,
            "warning": None,
        }
    )

    workflow_id: str
    run_id: str | None = Field(default=None, description="Left out for a dry run")
    status_url: str
    temporal_ui_url: str | None
    already_running: bool = Field(description="It had been started before, by someone else")
    warning: str | None = Field(
        default=None, description="What of this request has no effect on one that runs already"
    )


class EntityAnswer(Answer):
    """How far one entity is. `total` is what the store says it has; None until it was asked."""

    phase: str = Field(description="`left`: another pull or import was reading it already")
    round: int
    total: int | None
    seen: int
    created: int
    updated: int
    unchanged: int
    deleted: int
    rejected: int
    pages: int


class PushedAnswer(Answer):
    """What became of the records of one kind that a run was to send."""

    queued: int = Field(description="The sum of the next five")
    sent: int = Field(description="The store has them as the hub has them")
    held: int = Field(
        description="A field of them waits for a person: see GET /api/conflicts. The rest was sent"
    )
    waiting: int = Field(description="Not tried yet, or tried again later")
    failed: int = Field(description="See GET /api/stores/{id}/pushes for the reasons")
    passed_on: int = Field(description="Asked for again by a later run, and counted there")
    skipped: int = Field(description="Meant as well, and none that the store can have, as guests")


class SyncStatusAnswer(Answer):
    """Where a store's sync is."""

    model_config = Answer.model_config | example(
        {
            "storeId": 12,
            "syncStatus": "in_progress",
            "lastSyncError": None,
            "syncRetryCount": 0,
            "lastSyncAttemptAt": "2026-11-21T09:30:02Z",
            "nextRetryAt": None,
            "workflowId": "import/12",
            "temporalUiUrl": _PAGE,
            "startedAt": "2026-11-21T09:30:02Z",
            "finishedAt": None,
            "entities": _ENTITIES,
        }
    )

    store_id: int
    sync_status: Status
    last_sync_error: str | None
    sync_retry_count: int
    last_sync_attempt_at: UtcTime | None
    next_retry_at: UtcTime | None
    workflow_id: str | None
    temporal_ui_url: str | None
    started_at: UtcTime | None
    finished_at: UtcTime | None
    entities: dict[str, EntityAnswer] = Field(
        description="Of the latest import; empty while a new one has not begun"
    )


class RejectionAnswer(Answer):
    """A record that was set aside."""

    external_id: str | None
    reason: str


class SyncLogAnswer(Answer):
    """A line of a store's log."""

    id: int
    run_id: int | None
    action: str
    status: str
    details: str | None
    error_message: str | None
    retry_count: int
    rejected: list[RejectionAnswer] = Field(description="At most the first 100")
    rejected_total: int
    created_at: UtcTime
    updated_at: UtcTime


class SyncLogListAnswer(Answer):
    """A page of a store's log, newest first."""

    model_config = Answer.model_config | example(
        {
            "data": [
                {
                    "id": 77,
                    "runId": 31,
                    "action": "sync_products",
                    "status": "success",
                    "details": "1200 seen: 1199 created, 1 rejected",
                    "errorMessage": None,
                    "retryCount": 1,
                    "rejected": [{"externalId": "4711", "reason": "price is not a number: 'abc'"}],
                    "rejectedTotal": 1,
                    "createdAt": "2026-11-21T09:30:02Z",
                    "updatedAt": "2026-11-21T09:31:40Z",
                }
            ],
            "nextCursor": None,
        }
    )

    data: list[SyncLogAnswer]
    next_cursor: str | None


class SyncAnswer(Answer):
    """A run."""

    id: int
    store_id: int
    kind: str
    workflow_id: str
    run_id: str = Field(description="Temporal's id of the workflow's execution")
    status: Status
    error: str | None
    dry_run: bool = Field(description="It only told what it would do")
    started_at: UtcTime
    finished_at: UtcTime | None
    temporal_ui_url: str | None


class SyncListAnswer(Answer):
    """A page of runs, newest first."""

    model_config = Answer.model_config | example({"data": [_RUN], "nextCursor": None})

    data: list[SyncAnswer]
    next_cursor: str | None


class ProgressAnswer(Answer):
    """What the running workflow says of itself."""

    phase: str
    round: int
    entities: dict[str, dict[str, int]]


class SyncDetailAnswer(Answer):
    """The latest run of a workflow id."""

    model_config = Answer.model_config | example(
        {
            "workflowId": "import/12",
            "storeId": 12,
            "status": "in_progress",
            "temporalUiUrl": _PAGE,
            "run": _RUN,
            "entities": _ENTITIES,
            "progress": {
                "phase": "pages",
                "round": 0,
                "entities": {"products": {"seen": 820, "created": 815}},
            },
            "pushed": {
                "customers": {
                    "queued": 13,
                    "sent": 9,
                    "held": 1,
                    "waiting": 2,
                    "failed": 1,
                    "passedOn": 0,
                    "skipped": 3,
                }
            },
        }
    )

    workflow_id: str
    store_id: int
    status: Status = Field(description="`pending` until a worker has begun")
    temporal_ui_url: str | None
    run: SyncAnswer | None = Field(description="None while the first one has not begun")
    entities: dict[str, EntityAnswer]
    progress: ProgressAnswer | None = Field(
        description="Live, while it runs and its workflow answers"
    )
    pushed: dict[str, PushedAnswer] = Field(
        default_factory=dict, description="What it was to send to the store, by entity"
    )


class CancelAnswer(Answer):
    """A workflow that was asked to stop; it does so at the next safe point."""

    model_config = Answer.model_config | example(
        {
            "workflowId": "import/12",
            "cancelRequested": True,
            "statusUrl": "/api/syncs/import/12",
            "pushesWaiting": 0,
        }
    )

    workflow_id: str
    cancel_requested: bool
    status_url: str
    pushes_waiting: int = Field(
        description="Records that are on their way to the store already, and are sent all the same"
    )
