"""Looking what a push would do while a person waits."""

from activities.push_preview import PreviewActivities, PreviewPushInput, PreviewPushResult
from temporalio import workflow

from workflows import policies


@workflow.defn
class PreviewPushWorkflow:
    """Compares what would be sent to a store with what the store has. Nothing is written."""

    @workflow.run
    async def run(self, args: PreviewPushInput) -> PreviewPushResult:
        """Counts, and the first records with what would become of them."""
        result: PreviewPushResult = await workflow.execute_activity_method(
            PreviewActivities.preview_push, args, **policies.PROBE
        )
        return result
