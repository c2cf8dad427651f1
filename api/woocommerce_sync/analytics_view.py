"""From sums by hour to the figures that people read."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from api.schemas.woocommerce_reports import (
    BatchFigures,
    FiguresAnswer,
    PushFigures,
    RecordFigures,
    RequestFigures,
    RunFigures,
    WebhookFigures,
)
from db.reports_analytics import Figures
from domain import latencies

ENTITIES: Final[Mapping[str, str]] = {
    "update_inventory": "inventory",
    "receive_order": "orders",
    "update_order_status": "orders",
}
"""The kind of record that an action of the log is about, where its name does not say."""

_PUSH: Final = "push"
_FATES: Final = {
    **dict.fromkeys(("applied", "deleted", "reread"), "applied"),
    **dict.fromkeys(("unchanged", "duplicate"), "unchanged"),
    **dict.fromkeys(("stale", "superseded"), "stale"),
    "ignored": "ignored",
}
"""What an outcome of `activities.inbox` counts as."""


def entity_of(action: str) -> str:
    """The kind of record: `sync_products` is about products."""
    return ENTITIES.get(action, action.removeprefix("sync_"))


def figures_of(found: Figures, store_ids: Sequence[int]) -> FiguresAnswer:
    """The figures of these stores together."""
    wanted = frozenset(store_ids)
    logs, runs, calls, webhooks = (
        [row for row in rows if row["store_id"] in wanted]
        for rows in (found.logs, found.runs, found.calls, found.webhooks)
    )
    durations: list[int] = []
    for store_id in store_ids:
        durations = latencies.add(durations, found.latencies.get(store_id, ()))
    records, pushes = _records(logs), _pushes(logs)
    run, request = _runs(runs), _requests(calls, durations)
    webhook = _webhooks(webhooks)
    return FiguresAnswer(
        records=records,
        pushes=pushes,
        runs=run,
        requests=request,
        batches=_batches(logs, calls),
        error_classes=_errors(records, pushes, run, request, webhook),
        webhooks=webhook,
    )


def _by_entity(
    logs: Iterable[Mapping[str, Any]], names: Iterable[str], *, is_push: bool
) -> dict[str, dict[str, int]]:
    sums: dict[str, Counter[str]] = {}
    for row in logs:
        if (row["direction"] == _PUSH) is is_push:
            counts = sums.setdefault(entity_of(row["action"]), Counter())
            counts.update({name: row[name] for name in names})
    return {entity: dict(counts) for entity, counts in sorted(sums.items())}


def _records(logs: Iterable[Mapping[str, Any]]) -> dict[str, RecordFigures]:
    sums = _by_entity(logs, RecordFigures.model_fields, is_push=False)
    return {entity: RecordFigures.model_validate(counts) for entity, counts in sums.items()}


def _pushes(logs: Iterable[Mapping[str, Any]]) -> dict[str, PushFigures]:
    sums = _by_entity(logs, PushFigures.model_fields, is_push=True)
    return {entity: PushFigures.model_validate(counts) for entity, counts in sums.items()}


def _runs(rows: Sequence[Mapping[str, Any]]) -> RunFigures:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row["status"]] += row["runs"]
    judged = counts["success"] + counts["failed"]
    ended = judged + counts["cancelled"]
    seconds = sum(row["seconds"] or 0.0 for row in rows)
    return RunFigures(
        total=sum(counts.values()),
        succeeded=counts["success"],
        failed=counts["failed"],
        cancelled=counts["cancelled"],
        running=counts["in_progress"],
        success_rate=_share(counts["success"], judged),
        failure_rate=_share(counts["failed"], judged),
        average_s=_per(seconds, ended),
    )


def _requests(rows: Sequence[Mapping[str, Any]], durations: Sequence[int]) -> RequestFigures:
    outcomes: Counter[str] = Counter()
    for row in rows:
        outcomes[row["outcome"]] += row["calls"]
    total = sum(outcomes.values())
    return RequestFigures(
        total=total,
        failed=total - outcomes["ok"],
        average_ms=_per(sum(row["total_ms"] for row in rows), total),
        p50_ms=_rounded(latencies.percentile(durations, 0.5)),
        p95_ms=_rounded(latencies.percentile(durations, 0.95)),
        outcomes=dict(sorted(outcomes.items())),
    )


def _batches(logs: Sequence[Mapping[str, Any]], calls: Sequence[Mapping[str, Any]]) -> BatchFigures:
    pages = sum(row["pages"] for row in logs)
    seen = sum(row["seen"] for row in logs)
    sent = sum(row["sent"] for row in logs)
    reads = sum(row["calls"] for row in calls if row["method"] == "GET")
    writes = sum(row["calls"] for row in calls if row["method"] != "GET")
    return BatchFigures(
        pages=pages,
        records_per_page=_per(seen, pages),
        reads=reads,
        records_per_read=_per(seen, reads),
        writes=writes,
        records_per_write=_per(sent, writes),
    )


def _webhooks(rows: Sequence[Mapping[str, Any]]) -> WebhookFigures:
    counts: Counter[str] = Counter()
    durations = latencies.empty()
    for row in rows:
        counts[_fate(row["status"], row["outcome"])] += row["events"]
        if row["status"] == "processed":
            durations[row["bucket"]] += row["events"]
    return WebhookFigures(
        received=sum(counts.values()),
        **counts,
        p50_processing_ms=_rounded(latencies.percentile(durations, 0.5)),
        p95_processing_ms=_rounded(latencies.percentile(durations, 0.95)),
    )


def _fate(status: str, outcome: str) -> str:
    if status != "processed":
        return status if status in {"failed", "pending"} else "ignored"
    return _FATES.get(outcome, "ignored")


def _errors(
    records: Mapping[str, RecordFigures],
    pushes: Mapping[str, PushFigures],
    runs: RunFigures,
    requests: RequestFigures,
    webhooks: WebhookFigures,
) -> dict[str, int]:
    """How often each kind of failure was met, the most frequent first; none that never was."""
    counts = {
        **{f"requests.{name}": count for name, count in requests.outcomes.items() if name != "ok"},
        "records.rejected": sum(one.rejected for one in records.values()),
        "pushes.failed": sum(one.failed for one in pushes.values()),
        "runs.failed": runs.failed,
        "webhooks.failed": webhooks.failed,
    }
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: count for name, count in ordered if count}


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _per(amount: float, count: int) -> float | None:
    return round(amount / count, 1) if count else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
