"""The pushes to one store."""

from temporalio import workflow

from workflows.lane import LaneWorkflow
from workflows.models import LaneInput, LaneResult


@workflow.defn
class PushWorkflow(LaneWorkflow):
    """Tells a store what changed elsewhere: latest state once, in provider-sized batches."""

    @workflow.init
    def __init__(self, args: LaneInput) -> None:
        super().__init__(args)

    @workflow.run
    async def run(self, _args: LaneInput) -> LaneResult:
        """How many rows were settled when nothing was left."""
        return await self._drain()
