"""Workflows of our types that do something else: a replay that lets them pass proves nothing."""

from datetime import timedelta

from temporalio import workflow

from activities.draining import LaneState
from activities.models import Counts, ProbeStoreInput
from workflows.models import (
    CheckStoreInput,
    CheckStoreResult,
    ImportStoreInput,
    ImportStoreResult,
    LaneInput,
    LaneResult,
    PullInput,
    PullResult,
)


@workflow.defn(name="CheckStoreWorkflow")
class RenamedStep:
    """Calls the first activity by another name."""

    @workflow.run
    async def run(self, args: CheckStoreInput) -> CheckStoreResult:
        """Never gets far."""
        check = ProbeStoreInput(tenant_id=args.tenant_id, store_check_id=args.store_check_id)
        result: CheckStoreResult = await workflow.execute_activity(
            "probe_shop",
            check,
            result_type=CheckStoreResult,
            start_to_close_timeout=timedelta(seconds=15),
        )
        return result


@workflow.defn(name="ImportStoreWorkflow")
class AddedTimer:
    """Sleeps before anything else."""

    @workflow.run
    async def run(self, args: ImportStoreInput) -> ImportStoreResult:
        """Never gets far."""
        await workflow.sleep(args.max_rounds)
        return ImportStoreResult(run_id=0, entities={}, rounds=0, is_settled=True)


@workflow.defn(name="PullWorkflow")
class LeftOutSteps:
    """Is done without doing anything."""

    @workflow.run
    async def run(self, args: PullInput) -> PullResult:
        """Says it pulled nothing."""
        return PullResult(entity=args.entity, counts=Counts())


@workflow.defn(name="PushWorkflow")
class WithoutATurn:
    """Ends before it looks."""

    @workflow.run
    async def run(self, args: LaneInput) -> LaneResult:
        """Says it settled nothing more."""
        return LaneResult(state=LaneState.QUIET, settled=args.settled)


DIFFERENT = {
    "CheckStoreWorkflow": RenamedStep,
    "ImportStoreWorkflow": AddedTimer,
    "PullWorkflow": LeftOutSteps,
    "PushWorkflow": WithoutATurn,
}
