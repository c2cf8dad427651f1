"""The histories that are kept: one for each way a workflow can go."""

from pathlib import Path

from temporalio.client import WorkflowHistory

HISTORIES = Path(__file__).with_name("histories")

COMPLETED, FAILED, CANCELLED, CONTINUED = (
    "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_FAILED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
)

CASES = {
    "check_ok": ("CheckStoreWorkflow", COMPLETED),
    "check_refused": ("CheckStoreWorkflow", COMPLETED),
    "check_failed": ("CheckStoreWorkflow", FAILED),
    "preview_ok": ("PreviewPushWorkflow", COMPLETED),
    "preview_failed": ("PreviewPushWorkflow", FAILED),
    "mapping_preview_ok": ("PreviewMappingWorkflow", COMPLETED),
    "mapping_preview_failed": ("PreviewMappingWorkflow", FAILED),
    "import_ok": ("ImportStoreWorkflow", COMPLETED),
    "import_of_a_living_shop": ("ImportStoreWorkflow", COMPLETED),
    "import_failed": ("ImportStoreWorkflow", FAILED),
    "import_cancelled": ("ImportStoreWorkflow", CANCELLED),
    "import_cancelled_at_once": ("ImportStoreWorkflow", CANCELLED),
    "import_resumed": ("ImportStoreWorkflow", COMPLETED),
    "pull_pages": ("PullWorkflow", COMPLETED),
    "pull_pages_cancelled": ("PullWorkflow", CANCELLED),
    "pull_pages_failed": ("PullWorkflow", FAILED),
    "pull_waited": ("PullWorkflow", COMPLETED),
    "pull_given_up": ("PullWorkflow", FAILED),
    "pull_continued": ("PullWorkflow", CONTINUED),
    "pull_continuation": ("PullWorkflow", COMPLETED),
    "catch_up_tracked": ("PullWorkflow", COMPLETED),
    "catch_up_read_again": ("PullWorkflow", COMPLETED),
    "catch_up_swept_twice": ("PullWorkflow", COMPLETED),
    "import_finished": ("ImportStoreWorkflow", COMPLETED),
    "sync_pull": ("SyncStoreWorkflow", COMPLETED),
    "sync_failed": ("SyncStoreWorkflow", FAILED),
    "sync_cancelled": ("SyncStoreWorkflow", CANCELLED),
    "sync_reconcile": ("SyncStoreWorkflow", COMPLETED),
    "sync_scanned": ("SyncStoreWorkflow", COMPLETED),
    "reconcile_ok": ("ReconcileWorkflow", COMPLETED),
    "subscriptions_made": ("SubscriptionsWorkflow", COMPLETED),
    "subscriptions_missed": ("SubscriptionsWorkflow", COMPLETED),
    "unsubscribe_ok": ("UnsubscribeWorkflow", COMPLETED),
    "demand_part": ("DemandWorkflow", COMPLETED),
    "demand_whole": ("DemandWorkflow", COMPLETED),
    "demand_dry": ("DemandWorkflow", COMPLETED),
    "demand_waited": ("DemandWorkflow", COMPLETED),
    "demand_failed": ("DemandWorkflow", FAILED),
    "demand_paused": ("DemandWorkflow", FAILED),
    "demand_cancelled": ("DemandWorkflow", CANCELLED),
    "demand_cancelled_waiting": ("DemandWorkflow", CANCELLED),
    "demand_hurried": ("DemandWorkflow", COMPLETED),
    "demand_pull_hurried": ("PullWorkflow", COMPLETED),
    "inbox_quiet": ("InboxWorkflow", COMPLETED),
    "alert_quiet": ("AlertWorkflow", COMPLETED),
    "push_quiet": ("PushWorkflow", COMPLETED),
    "push_waited": ("PushWorkflow", COMPLETED),
    "push_resumed": ("PushWorkflow", COMPLETED),
    "push_paused": ("PushWorkflow", COMPLETED),
    "push_cancelled": ("PushWorkflow", CANCELLED),
    "push_continued": ("PushWorkflow", CONTINUED),
    "push_continuation": ("PushWorkflow", COMPLETED),
}
"""Name of the file: workflow type, and the event at the end."""


def load(name: str) -> WorkflowHistory:
    """A recorded history, under the id it had."""
    history = WorkflowHistory.from_json("", (HISTORIES / f"{name}.json").read_text())
    started = history.events[0].workflow_execution_started_event_attributes
    return WorkflowHistory(started.workflow_id, history.events)
