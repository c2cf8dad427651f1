"""A workflow that replay must refuse, in a module of its own, as the sandbox loads it anew."""

from temporalio import workflow

from workflows.models import ImportProgress, ImportStoreInput, ImportStoreResult


@workflow.defn(name="ImportStoreWorkflow")
class OtherImportWorkflow:
    """The same type, which begins with a timer instead of an activity."""

    @workflow.run
    async def run(self, args: ImportStoreInput) -> ImportStoreResult:
        """Sleep."""
        await workflow.sleep(args.max_rounds)
        return ImportStoreResult(run_id=0, entities={}, rounds=0, is_settled=True)

    @workflow.query
    def progress(self) -> ImportProgress:
        """Nothing."""
        return ImportProgress()
