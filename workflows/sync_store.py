"""Bringing a store up to date: what its schedules start, and what people start at any time."""

from functools import partial

from activities.incremental import SyncActivities
from activities.models import Counts, EndRunInput, EntityRef, PullMode, RunRef, StoreRef
from activities.order_scan import OrderScanActivities
from activities.runs import RunActivities
from activities.sync_models import (
    BeginSyncInput,
    BeginSyncResult,
    EntityPlan,
    SyncKind,
)
from domain.entities import Entity
from domain.statuses import SyncStatus
from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from workflows import ids, policies
from workflows.children import listed, pull_or_yield
from workflows.endings import ending
from workflows.models import (
    ImportProgress,
    ImportStoreInput,
    PullInput,
    ReconcileInput,
    SyncStoreInput,
    SyncStoreResult,
)
from workflows.patience import stop_if_cancelled
from workflows.reconcile import ReconcileWorkflow
from workflows.search_attributes import fair_share, search_attributes


@workflow.defn
class SyncStoreWorkflow:
    """One entity after the other. What somebody else is pulling is left to them."""

    @workflow.init
    def __init__(self, args: SyncStoreInput) -> None:
        self._args = args
        self._progress = ImportProgress()
        self._busy: tuple[Entity, ...] = ()
        self._held_back = 0

    @workflow.query
    def progress(self) -> ImportProgress:
        """Which phase it is in, and what the finished pulls did."""
        return self._progress

    @workflow.run
    async def run(self, args: SyncStoreInput) -> SyncStoreResult:
        """What was brought up to date."""
        info = workflow.info()
        begun = await workflow.execute_activity_method(
            SyncActivities.begin_sync,
            BeginSyncInput(
                tenant_id=args.tenant_id,
                store_id=args.store_id,
                kind=args.kind,
                entities=args.entities,
                force=args.force,
                workflow_id=info.workflow_id,
                workflow_run_id=info.first_execution_run_id,
            ),
            **policies.BEGIN,
        )
        if begun.run_id is None:
            workflow.set_current_details("the store is deleted or not active: nothing to do")
            return SyncStoreResult()
        async with ending(partial(self._end, begun.run_id)):
            await self._sync(begun, begun.run_id)
        return SyncStoreResult(
            run_id=begun.run_id,
            entities=self._progress.entities,
            busy=self._busy,
            held_back=self._held_back,
        )

    async def _sync(self, begun: BeginSyncResult, run_id: int) -> None:
        self._note(run_id=run_id, phase=self._args.kind.value)
        for plan in begun.plans:
            counts = await self._sync_entity(begun, run_id, plan)
            if counts is None:
                self._busy = (*self._busy, plan.entity)
                continue
            ref = EntityRef(
                tenant_id=self._args.tenant_id,
                store_id=self._args.store_id,
                run_id=run_id,
                entity=plan.entity,
            )
            await workflow.execute_activity_method(
                SyncActivities.keep_cursor, ref, **policies.BOOKKEEPING
            )
            self._note(entities={**self._progress.entities, plan.entity: counts})
        if begun.scans_orders:
            self._note(phase="looking for missed orders")
            await workflow.execute_activity_method(
                OrderScanActivities.scan_orders,
                StoreRef(tenant_id=self._args.tenant_id, store_id=self._args.store_id),
                **policies.READ_MANY,
            )
        if any(counts.created for counts in self._progress.entities.values()):
            self._note(phase="settling")
            await workflow.execute_activity_method(
                RunActivities.settle_run,
                RunRef(tenant_id=self._args.tenant_id, store_id=self._args.store_id, run_id=run_id),
                **policies.SETTLE,
            )

    async def _sync_entity(
        self, begun: BeginSyncResult, run_id: int, plan: EntityPlan
    ) -> Counts | None:
        """What became of an entity; None: somebody else is at it."""
        if self._args.kind is SyncKind.RECONCILE and plan.round > 0:
            return await self._reconcile(begun, run_id, plan.entity)
        pulled = await pull_or_yield(
            PullInput(
                **_shared(self._args),
                run_id=run_id,
                entity=plan.entity,
                round=plan.round,
                tracks_changes=plan.tracks_changes,
                page_size=begun.page_size,
                mode=PullMode.IMPORT if plan.round == 0 else PullMode.KEEP_UP,
                force=self._args.force,
                sweeps=plan.sweeps,
            ),
            summary=f"{self._args.kind.value} {plan.entity.value}",
        )
        if pulled is None:
            return None
        self._held_back += pulled.held_back
        return pulled.counts

    async def _reconcile(
        self, begun: BeginSyncResult, run_id: int, entity: Entity
    ) -> Counts | None:
        args = self._args
        try:
            child = await workflow.start_child_workflow(
                ReconcileWorkflow.run,
                ReconcileInput(
                    **_shared(args),
                    run_id=run_id,
                    entity=entity,
                    page_size=begun.page_size,
                    force=args.force,
                ),
                id=ids.reconcile_id(args.store_id, entity),
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
                search_attributes=search_attributes(
                    tenant_id=args.tenant_id,
                    store_id=args.store_id,
                    provider=begun.provider,
                    entity=entity,
                ),
                priority=fair_share(args.tenant_id),
                static_summary=f"reconcile {entity.value}",
            )
        except WorkflowAlreadyStartedError:
            return None
        result = await child
        stop_if_cancelled()
        self._held_back += result.held_back
        return None if result.is_busy else result.counts

    async def _end(self, run_id: int, status: SyncStatus, reason: ApplicationError | None) -> None:
        self._note(phase=status.value)
        await workflow.execute_activity_method(
            SyncActivities.end_sync,
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
        lines = [f"**{self._args.kind.value}**, {self._progress.phase}"]
        lines += [
            f"{entity.value}: created {one.created} · updated {one.updated} · deleted {one.deleted}"
            for entity, one in self._progress.entities.items()
        ]
        if self._busy:
            lines.append(f"left to a pull that is running: {listed(self._busy)}")
        if self._held_back:
            lines.append(f"{self._held_back} deletions wait for a person")
        workflow.set_current_details("\n\n".join(lines))


def _shared(args: SyncStoreInput) -> dict[str, object]:
    """What children take over as it is."""
    return args.model_dump(include=set(ImportStoreInput.model_fields))
