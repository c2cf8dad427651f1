"""Workflow ids: business keys, built and parsed here alone.

An id is the mutex of what it names: two imports of one store cannot run at once, because they
would have the same id.
"""

from dataclasses import dataclass

from domain.entities import Entity
from domain.lanes import LaneKind


def check_id(store_check_id: int) -> str:
    """Of the workflow that tries one set of credentials."""
    return f"check/{store_check_id}"


def import_id(store_id: int) -> str:
    """Of the workflow that imports one store."""
    return f"import/{store_id}"


def pull_id(store_id: int, entity: Entity) -> str:
    """Of the workflow that pulls one entity of one store, whoever asked for it."""
    return f"pull/{store_id}/{entity.value}"


def lane_id(kind: LaneKind, key: int) -> str:
    """Of the workflow that drains one lane: `inbox/{store}`, `push/{store}`, `alert/{tenant}`."""
    return f"{kind.value}/{key}"


def sync_id(store_id: int, kind: str = "pull") -> str:
    """Of the workflow that brings a store up to date. A schedule appends its time: `-2026-…Z`."""
    return f"sync/{store_id}" if kind == "pull" else f"sync/{store_id}/{kind}"


def reconcile_id(store_id: int, entity: Entity) -> str:
    """Of the workflow that compares one entity of one store with the hub."""
    return f"reconcile/{store_id}/{entity.value}"


def preview_id(store_id: int, entity: Entity) -> str:
    """Of the workflow that looks what a push of one entity to one store would do."""
    return f"preview/{store_id}/{entity.value}"


def mapping_preview_id(preview_id: int) -> str:
    """Of the workflow that looks what a field mapping would make of a record."""
    return f"mapping-preview/{preview_id}"


def subscriptions_id(store_id: int) -> str:
    """Of the workflow that looks after a store's webhooks."""
    return f"subscriptions/{store_id}"


def unsubscribe_id(store_id: int) -> str:
    """Of the workflow that takes a store's webhooks away before the store is deleted."""
    return f"unsubscribe/{store_id}"


def demand_id(store_id: int, digest: str) -> str:
    """Of the workflow that does what was asked of a store once; `digest` is what was asked."""
    return f"demand/{store_id}/{digest}"


def schedule_id(store_id: int, kind: str) -> str:
    """Of a store's Temporal Schedule."""
    return f"schedule/{store_id}/{kind}"


@dataclass(frozen=True, slots=True)
class WorkflowKey:
    """What an id says. `subject` is the store; for `check` the credentials on trial, for
    `mapping-preview` the preview, for `alert` the tenant."""

    kind: str
    subject: int
    entity: Entity | None = None


def parse_id(workflow_id: str) -> WorkflowKey:
    """The inverse of the builders. Raises ValueError for an id that is not one of ours."""
    kind, _, rest = workflow_id.partition("/")
    subject, _, entity = rest.partition("/")
    if kind in {"reconcile", "preview"}:
        return WorkflowKey(kind, int(subject), Entity(entity))
    if kind in {"sync", "subscriptions", "unsubscribe", "demand"}:
        # What follows the store is the sync's kind, the time a schedule appended, or a digest.
        return WorkflowKey(kind, int(subject.partition("-")[0]))
    known = {"check", "mapping-preview", "import", "pull", *LaneKind}
    if (kind == "pull") == bool(entity) and kind in known:
        return WorkflowKey(kind, int(subject), Entity(entity) if entity else None)
    raise ValueError(f"not a workflow id of ours: {workflow_id!r}")
