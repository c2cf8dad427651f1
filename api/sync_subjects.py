"""Which store a workflow of `/api/syncs` is about."""

from api import problems
from api.problems import ProblemError
from api.schemas.base import MAX_ID
from api.services import ApiServices
from db.stores import Store, find_store
from domain.lanes import LaneKind
from workflows.ids import WorkflowKey, parse_id


async def get_subject(services: ApiServices, tenant_id: int, workflow_id: str) -> Store:
    """The store that a workflow is about. Raises ProblemError (404) if it is not the tenant's."""
    key = _parse(workflow_id)
    if key is None or key.kind in {"check", *LaneKind} or not 0 < key.subject <= MAX_ID:
        raise no_sync(workflow_id)
    async with services.database.tenant(tenant_id) as connection:
        store = await find_store(connection, key.subject)
    if store is None:
        raise no_sync(workflow_id)
    return store


def no_sync(workflow_id: str) -> ProblemError:
    """404: there is no such run."""
    return problems.not_found(f"sync {workflow_id[:80]}", "/api/syncs")


def _parse(workflow_id: str) -> WorkflowKey | None:
    if not workflow_id.isprintable():
        return None
    try:
        return parse_id(workflow_id)
    except ValueError:
        return None
