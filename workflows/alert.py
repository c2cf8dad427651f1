"""The alerts of one tenant."""

from temporalio import workflow

from workflows.lane import LaneWorkflow
from workflows.models import LaneInput, LaneResult


@workflow.defn
class AlertWorkflow(LaneWorkflow):
    """Tells people of a tenant's alerts, through its channels."""

    @workflow.init
    def __init__(self, args: LaneInput) -> None:
        super().__init__(args)

    @workflow.run
    async def run(self, _args: LaneInput) -> LaneResult:
        """How many rows were settled when nothing was left."""
        return await self._drain()
