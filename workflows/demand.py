"""Doing once what somebody asked of a store: pulls of a part of it or all, and pushes to it."""

from datetime import timedelta
from functools import partial

from activities.demand import BeginDemandInput, DemandActivities, EndDemandInput, PullStep
from activities.demand_models import DemandCounts, PushCounts, PushDemand
from activities.demand_pull import DemandPullActivities, PullDemandInput
from activities.demand_pushes import DemandPushActivities, EnqueueDemandInput, WatchDemandInput
from activities.dry_push import DryRunActivities, NotePushInput
from activities.incremental import SyncActivities
from activities.models import Counts, EntityRef, PullMode, RunRef
from activities.runs import RunActivities
from activities.sync_models import EntityPlan
from domain.entities import Entity
from domain.statuses import SyncStatus
from domain.sync_settings import PUSHED
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows import policies
from workflows.children import hurry_pull, listed, pull_or_yield
from workflows.endings import ending
from workflows.models import (
    DemandInput,
    DemandResult,
    ImportProgress,
    ImportStoreInput,
    PullInput,
)
from workflows.patience import Patience, sleep_until, stop_if_cancelled

AT_ONCE = (0.0,)
"""The ladder of a dry run: a person looks on, and nothing is lost when it fails."""

PAUSED = "PushesPausedError"
"""The name of the failure of a demand whose store's pushes are paused."""


@workflow.defn
class DemandWorkflow:
    """Pulls one after the other, then pushes.

    A whole entity is pulled by a child, as a sync does it, or left to who is pulling it already; a
    part of one by an activity of this workflow. Pushes go through the store's push lane.
    """

    @workflow.init
    def __init__(self, args: DemandInput) -> None:
        self._args = args
        self._progress = ImportProgress()
        self._busy: tuple[Entity, ...] = ()
        self._held_back = 0
        self._patience: Patience | None = None
        self._pulling: Entity | None = None
        self._is_hurried = False

    @workflow.signal
    async def try_now(self) -> None:
        """The same was asked for again: what waits for the store, here or in a pull, is tried."""
        self._is_hurried = True
        if self._patience is not None:
            self._patience.end_wait()
        if self._pulling is not None:
            await hurry_pull(self._args.store_id, self._pulling)

    @workflow.query
    def progress(self) -> ImportProgress:
        """Which phase it is in, and what it did so far."""
        return self._progress.model_copy(update={"phase": self._phase()})

    def _phase(self) -> str:
        reason = "" if self._patience is None else self._patience.waiting_for
        waiting = f", waiting for the store: {reason}" if reason else ""
        return self._progress.phase + waiting

    @workflow.run
    async def run(self, args: DemandInput) -> DemandResult:
        """What was done."""
        info = workflow.info()
        begun = await workflow.execute_activity_method(
            DemandActivities.begin_demand,
            BeginDemandInput(
                tenant_id=args.tenant_id,
                store_id=args.store_id,
                name=args.name,
                pulls=args.pulls,
                is_dry=args.is_dry,
                workflow_id=info.workflow_id,
                workflow_run_id=info.first_execution_run_id,
            ),
            **policies.BEGIN,
        )
        if begun.run_id is None:
            workflow.set_current_details("the store is deleted or not active: nothing to do")
            return DemandResult()
        run = RunRef(tenant_id=args.tenant_id, store_id=args.store_id, run_id=begun.run_id)
        self._busy = begun.left
        self._note(run_id=begun.run_id, phase="pulling")
        async with ending(partial(self._end, run)):
            await self._pull_all(run, begun.steps, begun.page_size)
            if args.is_dry:
                await self._foresee_pushes(run)
            else:
                await self._push_all(run)
        return DemandResult(
            run_id=begun.run_id,
            counts=DemandCounts(pulled=self._progress.entities, pushed=self._progress.pushed),
            busy=self._busy,
            held_back=self._held_back,
        )

    async def _pull_all(self, run: RunRef, steps: tuple[PullStep, ...], page_size: int) -> None:
        ladder = AT_ONCE if self._args.is_dry else self._args.ladder_s
        patience = self._patience = Patience(run, ladder, tell=self._note)
        for step in steps:
            entity = step.demand.entity
            self._note(phase=f"pulling {entity.value}")
            if step.whole is None:
                counts = await self._pull_part(run, step, patience)
            else:
                pulled = await self._pull_whole(run, step, step.whole, page_size)
                if pulled is None:
                    self._busy = (*self._busy, entity)
                    continue
                counts = pulled
            self._note(entities={**self._progress.entities, entity: counts})
        # One record by its id is as a webhook's: what refers to it is put right by the next sync.
        is_more = any(not step.demand.external_ids for step in steps)
        created = any(counts.created for counts in self._progress.entities.values())
        if created and is_more and not self._args.is_dry:
            self._note(phase="settling")
            await workflow.execute_activity_method(RunActivities.settle_run, run, **policies.SETTLE)

    async def _pull_part(self, run: RunRef, step: PullStep, patience: Patience) -> Counts:
        args = PullDemandInput(
            **run.model_dump(),
            name=step.name,
            demand=step.demand,
            modified_since=step.modified_since,
            is_dry=self._args.is_dry,
            mode=step.mode,
            sweeps=step.sweeps,
        )
        summary = f"{step.demand.entity.value} that were asked for"
        return await patience.attempt(
            lambda: workflow.execute_activity_method(
                DemandPullActivities.pull_demand,
                args,
                **policies.described(policies.READ_MANY, summary),
            )
        )

    async def _pull_whole(
        self, run: RunRef, step: PullStep, plan: EntityPlan, page_size: int
    ) -> Counts | None:
        """What became of a whole entity; None: somebody else is at it."""
        shared = self._args.model_dump(include=set(ImportStoreInput.model_fields))
        self._pulling = plan.entity
        pulled = await pull_or_yield(
            PullInput(
                **shared,
                run_id=run.run_id,
                entity=plan.entity,
                round=plan.round,
                tracks_changes=plan.tracks_changes,
                page_size=step.demand.page_size or page_size,
                mode=PullMode.IMPORT if plan.round == 0 else PullMode.KEEP_UP,
                force=step.demand.force,
                sweeps=plan.sweeps,
            ),
            summary=f"{self._args.name}: {plan.entity.value}",
        )
        self._pulling = None
        if pulled is None:
            return None
        self._held_back += pulled.held_back
        await workflow.execute_activity_method(
            SyncActivities.keep_cursor,
            EntityRef(**run.model_dump(), entity=plan.entity),
            **policies.BOOKKEEPING,
        )
        return pulled.counts

    async def _foresee_pushes(self, run: RunRef) -> None:
        patience = self._patience = Patience(run, AT_ONCE, tell=self._note)
        for demand in sorted(self._args.pushes, key=_place):
            self._note(phase=f"looking what {demand.entity.value} would be pushed")
            counts = await self._foresee(run, demand, patience)
            self._note(pushed={**self._progress.pushed, demand.entity: counts})

    async def _foresee(self, run: RunRef, demand: PushDemand, patience: Patience) -> PushCounts:
        args = NotePushInput(**run.model_dump(), demand=demand)
        return await patience.attempt(
            lambda: workflow.execute_activity_method(
                DryRunActivities.note_push, args, **policies.READ_MANY
            )
        )

    async def _push_all(self, run: RunRef) -> None:
        """Each kind after what it refers to; what climbs the ladder does not hold up the next."""
        demands, self._is_hurried = sorted(self._args.pushes, key=_place), False
        for demand in demands:
            self._note(phase=f"pushing {demand.entity.value}")
            counts = await self._enqueue(run, demand)
            if counts.waiting and counts.paused is None:
                await self._watch(run, demand.entity)
        for demand in demands:
            while self._is_going_on(demand.entity):
                self._note(phase=f"waiting for pushes of {demand.entity.value}")
                await self._rest(self._progress.pushed[demand.entity].idle_s)
                if self._is_hurried:
                    self._is_hurried = False
                    await self._hurry(run)
                await self._watch(run, demand.entity)
        paused = [one.paused for one in self._progress.pushed.values() if one.paused is not None]
        if paused:
            raise ApplicationError(
                f"The store's pushes are paused: {paused[0]}", type=PAUSED, non_retryable=True
            )

    def _is_going_on(self, entity: Entity) -> bool:
        counts = self._progress.pushed[entity]
        return bool(counts.waiting) and counts.paused is None

    async def _rest(self, idle_s: float) -> None:
        """Nothing is due for so long: leave the slot of an activity to others."""
        if idle_s > 0:
            await sleep_until(
                lambda: self._is_hurried,
                timedelta(seconds=idle_s),
                summary="the next try of the pushes",
            )

    async def _hurry(self, run: RunRef) -> None:
        await workflow.execute_activity_method(
            DemandPushActivities.hurry_demand, run, **policies.BOOKKEEPING
        )

    async def _enqueue(self, run: RunRef, demand: PushDemand) -> PushCounts:
        counts: PushCounts = await workflow.execute_activity_method(
            DemandPushActivities.enqueue_demand,
            EnqueueDemandInput(**run.model_dump(), demand=demand),
            **policies.SETTLE,
        )
        self._note(pushed={**self._progress.pushed, demand.entity: counts})
        return counts

    async def _watch(self, run: RunRef, entity: Entity) -> None:
        counts: PushCounts = await workflow.execute_activity_method(
            DemandPushActivities.watch_demand,
            WatchDemandInput(**run.model_dump(), entity=entity),
            **policies.described(policies.WATCH, f"pushes of {entity.value}"),
        )
        stop_if_cancelled()
        self._note(pushed={**self._progress.pushed, entity: counts})

    async def _end(self, run: RunRef, status: SyncStatus, reason: ApplicationError | None) -> None:
        self._note(phase=status.value)
        await workflow.execute_activity_method(
            DemandActivities.end_demand,
            EndDemandInput(
                **run.model_dump(),
                name=self._args.name,
                status=status.value,
                error=None if reason is None else reason.message,
                error_type=None if reason is None else reason.type,
                is_dry=self._args.is_dry,
                left=self._busy,
            ),
            **policies.BOOKKEEPING,
        )

    def _note(self, **update: object) -> None:
        """Keep the query and the details in the Temporal UI true."""
        self._progress = self._progress.model_copy(update=update)
        dry = ", dry" if self._args.is_dry else ""
        lines = [f"**{self._args.name}**{dry}, {self._phase()}"]
        lines += [
            f"{entity.value}: seen {one.seen} · created {one.created} · updated {one.updated}"
            for entity, one in self._progress.entities.items()
        ]
        lines += [
            f"{entity.value} to the store: sent {one.sent} of {one.queued} · held {one.held}"
            f" · failed {one.failed}"
            for entity, one in self._progress.pushed.items()
        ]
        if self._busy:
            lines.append(f"left to a pull that is running: {listed(self._busy)}")
        if self._held_back:
            lines.append(f"{self._held_back} deletions wait for a person")
        workflow.set_current_details("\n\n".join(lines))


def _place(demand: PushDemand) -> int:
    """Where an entity comes: after what it refers to."""
    return PUSHED.index(demand.entity)
