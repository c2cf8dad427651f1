"""Importing everything a store has, while people go on working in it."""

from functools import partial

from activities.incremental import SyncActivities
from activities.models import BeginRunInput, BeginRunResult, Counts, EndRunInput, RunRef
from activities.runs import RunActivities
from domain.entities import Entity
from domain.statuses import SyncStatus
from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from workflows import ids, policies
from workflows.endings import ending
from workflows.models import (
    ImportProgress,
    ImportStoreInput,
    ImportStoreResult,
    PullInput,
    PullResult,
)
from workflows.patience import stop_if_cancelled
from workflows.pull import PullWorkflow
from workflows.search_attributes import fair_share, search_attributes

ANOTHER_PULL_PAUSE_S = 15


@workflow.defn
class ImportStoreWorkflow:
    """Pulls each entity whole, then catches up in rounds, each until a round changes nothing.

    Pages alone would lose records, because a shop that is edited meanwhile moves them from page to
    page. A round asks for what changed since the round before, and compares the ids both ways.
    """

    @workflow.init
    def __init__(self, args: ImportStoreInput) -> None:
        self._args = args
        self._progress = ImportProgress()

    @workflow.query
    def progress(self) -> ImportProgress:
        """Which phase it is in, and what the finished pulls did."""
        return self._progress

    @workflow.run
    async def run(self, args: ImportStoreInput) -> ImportStoreResult:
        """What was imported."""
        info = workflow.info()
        begun = await workflow.execute_activity_method(
            RunActivities.begin_run,
            BeginRunInput(
                tenant_id=args.tenant_id,
                store_id=args.store_id,
                kind="import",
                workflow_id=info.workflow_id,
                workflow_run_id=info.first_execution_run_id,
            ),
            **policies.BEGIN,
        )
        async with ending(partial(self._end, begun.run_id)):
            rounds, is_settled = await self._import(begun)
        return ImportStoreResult(
            run_id=begun.run_id,
            entities=self._progress.entities,
            rounds=rounds,
            is_settled=is_settled,
        )

    async def _import(self, begun: BeginRunResult) -> tuple[int, bool]:
        self._note(run_id=begun.run_id, phase="pages")
        for entity in begun.entities:
            await self._pull(begun, entity, 0)
        moving, number = begun.entities, 0
        while moving and number < self._args.max_rounds:
            number += 1
            self._note(phase="catching up", round=number)
            results = [await self._pull(begun, entity, number) for entity in moving]
            moving = tuple(
                one.entity for one in results if one.counts.changed or not one.is_settled
            )
        self._note(phase="settling")
        await workflow.execute_activity_method(
            RunActivities.settle_run,
            RunRef(
                tenant_id=self._args.tenant_id, store_id=self._args.store_id, run_id=begun.run_id
            ),
            **policies.SETTLE,
        )
        if workflow.patched("finish-import"):
            await workflow.execute_activity_method(
                SyncActivities.finish_import,
                RunRef(
                    tenant_id=self._args.tenant_id,
                    store_id=self._args.store_id,
                    run_id=begun.run_id,
                ),
                **policies.SETTLE,
            )
        return number, not moving

    async def _pull(self, begun: BeginRunResult, entity: Entity, number: int) -> PullResult:
        """One pull as a child. While somebody else pulls the entity, it waits its turn."""
        args = PullInput(
            **self._args.model_dump(),
            run_id=begun.run_id,
            entity=entity,
            round=number,
            tracks_changes=entity in begun.tracks_changes,
            page_size=begun.page_size,
        )
        while True:
            try:
                child = await workflow.start_child_workflow(
                    PullWorkflow.run,
                    args,
                    id=ids.pull_id(self._args.store_id, entity),
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
                    search_attributes=search_attributes(
                        tenant_id=self._args.tenant_id,
                        store_id=self._args.store_id,
                        provider=begun.provider,
                        entity=entity,
                    ),
                    priority=fair_share(self._args.tenant_id),
                    static_summary=f"pull {entity.value}, round {number}",
                )
                break
            except WorkflowAlreadyStartedError:
                await workflow.sleep(ANOTHER_PULL_PAUSE_S, summary="another pull is running")
        result = await child
        stop_if_cancelled()
        held = self._progress.entities.get(entity, Counts())
        self._note(entities={**self._progress.entities, entity: held + result.counts})
        return result

    async def _end(self, run_id: int, status: SyncStatus, reason: ApplicationError | None) -> None:
        self._note(phase=status.value)
        await workflow.execute_activity_method(
            RunActivities.end_run,
            EndRunInput(
                tenant_id=self._args.tenant_id,
                store_id=self._args.store_id,
                run_id=run_id,
                status=status.value,
                error=None if reason is None else reason.message,
            ),
            **policies.BOOKKEEPING,
        )

    def _note(self, **update: object) -> None:
        """Keep the query and the details in the Temporal UI true."""
        self._progress = self._progress.model_copy(update=update)
        now = self._progress
        title = f"**{now.phase}**" + (f", round {now.round}" if now.round else "")
        rows = [
            f"| {entity.value} | {one.seen} | {one.created} | {one.updated} | {one.unchanged} "
            f"| {one.deleted} | {one.rejected} |"
            for entity, one in now.entities.items()
        ]
        head = "| entity | seen | created | updated | unchanged | deleted | rejected |"
        table = [head, "|---|---|---|---|---|---|---|", *rows] if rows else []
        workflow.set_current_details("\n".join([title, "", *table]))
