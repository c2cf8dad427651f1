"""Lines of the stores' logs as entries of a history."""

from typing import Final

from api.imports import status_path
from api.schemas.woocommerce_reports import HistoryEntryAnswer, HistoryEvent
from api.woocommerce_sync.analytics_view import entity_of
from db.reports_history import HistoryEntry

STATUS_OF: Final[dict[HistoryEvent, str]] = {
    "started": "in_progress",
    "completed": "success",
    "failed": "failed",
    "cancelled": "cancelled",
}
"""The status of the log that each event is. `rejected` is none: it tells entries of any status that
set records aside."""

_EVENT_OF: Final = {status: event for event, status in STATUS_OF.items()}


def history_entry(entry: HistoryEntry) -> HistoryEntryAnswer:
    """An entry as the API tells it."""
    facts = entry.facts()
    is_over = entry.status != STATUS_OF["started"]
    counts = {
        name: value
        for name, value in facts.items()
        if isinstance(value, int) and not isinstance(value, bool)
    }
    return HistoryEntryAnswer.model_validate(
        {
            "id": entry.id,
            "store_id": entry.store_id,
            "event_type": _EVENT_OF.get(entry.status, "failed"),
            "entity": entity_of(entry.action),
            "action": entry.action,
            "direction": str(facts.get("direction", "pull")),
            "counts": counts,
            "error": entry.error_message,
            "started_at": entry.created_at,
            "finished_at": entry.updated_at if is_over else None,
            "workflow_id": entry.workflow_id,
            "status_url": status_path(entry.workflow_id) if entry.workflow_id else None,
            "dry_run": entry.is_dry,
        }
    )
