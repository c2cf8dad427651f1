"""Workflow ids: business keys, built and parsed here alone.

An id is the mutex of what it names: two imports of one store cannot run at once, because they
would have the same id.
"""

from dataclasses import dataclass

from domain.entities import Entity


def check_id(store_check_id: int) -> str:
    """Of the workflow that tries one set of credentials."""
    return f"check/{store_check_id}"


def import_id(store_id: int) -> str:
    """Of the workflow that imports one store."""
    return f"import/{store_id}"


def pull_id(store_id: int, entity: Entity) -> str:
    """Of the workflow that pulls one entity of one store, whoever asked for it."""
    return f"pull/{store_id}/{entity.value}"


@dataclass(frozen=True, slots=True)
class WorkflowKey:
    """What an id says. `subject` is the store, or for `check` the credentials on trial."""

    kind: str
    subject: int
    entity: Entity | None = None


def parse_id(workflow_id: str) -> WorkflowKey:
    """The inverse of the builders. Raises ValueError for an id that is not one of ours."""
    kind, _, rest = workflow_id.partition("/")
    subject, _, entity = rest.partition("/")
    if (kind == "pull") == bool(entity) and kind in {"check", "import", "pull"}:
        return WorkflowKey(kind, int(subject), Entity(entity) if entity else None)
    raise ValueError(f"not a workflow id of ours: {workflow_id!r}")
