"""Comparing one entity of a store with the hub, both ways, and putting the difference right."""

from activities.incremental import SyncActivities
from activities.models import EntityRef, PullMode
from temporalio import workflow

from workflows import policies
from workflows.children import pull_or_yield
from workflows.models import PullInput, ReconcileInput, ReconcileResult

MOST_TRIES = 4
BUSY_PAUSE_S = 15


@workflow.defn
class ReconcileWorkflow:
    """Reads every record of the store, notes and takes in what differs, deletes what is gone unless
    it is too much, and has sent what the store lacks."""

    @workflow.run
    async def run(self, args: ReconcileInput) -> ReconcileResult:
        """What was found."""
        workflow.set_current_details(f"**{args.entity.value}**, comparing")
        pull = PullInput(
            **args.model_dump(),
            round=1,
            tracks_changes=False,
            mode=PullMode.RECONCILE,
        )
        for attempt in range(1, MOST_TRIES + 1):
            pulled = await pull_or_yield(pull, summary=f"reconcile {args.entity.value}")
            if pulled is not None:
                break
            if attempt < MOST_TRIES:
                await workflow.sleep(BUSY_PAUSE_S, summary="another pull is running")
        else:
            workflow.set_current_details(f"**{args.entity.value}**, left to another pull")
            return ReconcileResult(entity=args.entity, is_busy=True)
        sent = await workflow.execute_activity_method(
            SyncActivities.send_missing,
            EntityRef(
                tenant_id=args.tenant_id,
                store_id=args.store_id,
                run_id=args.run_id,
                entity=args.entity,
            ),
            **policies.SETTLE,
        )
        counts = pulled.counts
        workflow.set_current_details(
            f"**{args.entity.value}**, done: created {counts.created} · updated {counts.updated} · "
            f"deleted {counts.deleted} · sent {sent.queued} · held back {pulled.held_back}"
        )
        return ReconcileResult(
            entity=args.entity,
            counts=counts,
            queued=sent.queued,
            held_back=pulled.held_back,
        )
