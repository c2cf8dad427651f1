"""The inbox of one store."""

from temporalio import workflow

from workflows.lane import LaneWorkflow
from workflows.models import LaneInput, LaneResult


@workflow.defn
class InboxWorkflow(LaneWorkflow):
    """Turns a store's received webhooks into records, in order per record."""

    @workflow.init
    def __init__(self, args: LaneInput) -> None:
        super().__init__(args)

    @workflow.run
    async def run(self, _args: LaneInput) -> LaneResult:
        """How many rows were settled when nothing was left."""
        return await self._drain()
