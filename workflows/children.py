"""Pulls as children: the id is the mutex, and who comes second is told so."""

from collections.abc import Sequence
from contextlib import suppress

from domain.entities import Entity
from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from workflows import ids
from workflows.models import PullInput, PullResult
from workflows.patience import stop_if_cancelled
from workflows.pull import PullWorkflow
from workflows.search_attributes import fair_share, search_attributes


async def pull_or_yield(args: PullInput, *, summary: str) -> PullResult | None:
    """Pull an entity; None when somebody else is at it, which is an answer and no failure.

    Raises:
        ChildWorkflowError: the pull failed.
    """
    try:
        child = await workflow.start_child_workflow(
            PullWorkflow.run,
            args,
            id=ids.pull_id(args.store_id, args.entity),
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
            search_attributes=search_attributes(
                tenant_id=args.tenant_id,
                store_id=args.store_id,
                provider=args.provider,
                entity=args.entity,
            ),
            priority=fair_share(args.tenant_id),
            static_summary=summary,
        )
    except WorkflowAlreadyStartedError:
        return None
    result = await child
    stop_if_cancelled()
    return result


async def hurry_pull(store_id: int, entity: Entity) -> None:
    """Have a pull that waits for its store try at once."""
    pull = workflow.get_external_workflow_handle(ids.pull_id(store_id, entity))
    # It may have ended meanwhile: then there is nothing to hurry.
    with suppress(ApplicationError):
        await pull.signal(PullWorkflow.try_now)


def listed(entities: Sequence[Entity]) -> str:
    """Entities as people read them."""
    return ", ".join(entity.value for entity in entities)
