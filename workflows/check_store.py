"""Trying a store's credentials while a person waits."""

from activities.check import CheckActivities
from activities.models import ProbeStoreInput
from temporalio import workflow

from workflows import policies
from workflows.models import CheckStoreInput, CheckStoreResult


@workflow.defn
class CheckStoreWorkflow:
    """Probes the store with the credentials of a `store_checks` row.

    The row stays for the API to promote when the store said yes, and goes at once otherwise.
    """

    @workflow.run
    async def run(self, args: CheckStoreInput) -> CheckStoreResult:
        """What the store said."""
        check = ProbeStoreInput(tenant_id=args.tenant_id, store_check_id=args.store_check_id)
        is_welcome = False
        try:
            result = await workflow.execute_activity_method(
                CheckActivities.probe_store, check, **policies.PROBE
            )
            is_welcome = result.facts is not None
        finally:
            if not is_welcome:
                await workflow.execute_activity_method(
                    CheckActivities.discard_store_check, check, **policies.BOOKKEEPING
                )
        return result
