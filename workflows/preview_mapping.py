"""Looking what a field mapping would make of a record while a person waits."""

from activities.mapping_preview import (
    MappingPreviewActivities,
    PreviewMappingInput,
    PreviewMappingResult,
)
from temporalio import workflow

from workflows import policies


@workflow.defn
class PreviewMappingWorkflow:
    """Has one record of a store read. What it holds goes into a row and not through here."""

    @workflow.run
    async def run(self, args: PreviewMappingInput) -> PreviewMappingResult:
        """Whether the store said no."""
        result: PreviewMappingResult = await workflow.execute_activity_method(
            MappingPreviewActivities.preview_mapping, args, **policies.PROBE
        )
        return result
