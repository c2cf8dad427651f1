"""A store's webhooks: looked after once an hour, and taken away with the store."""

from activities.models import StoreRef
from activities.subscriptions import SubscriptionActivities
from activities.sync_models import CheckSubscriptionsInput, CheckSubscriptionsResult
from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from workflows import ids, policies
from workflows.models import SubscriptionsInput, SyncStoreInput
from workflows.search_attributes import fair_share, search_attributes
from workflows.sync_store import SyncStoreWorkflow


@workflow.defn
class SubscriptionsWorkflow:
    """Makes what is missing, switches on what is off; then what was missed meanwhile is pulled."""

    @workflow.run
    async def run(self, args: SubscriptionsInput) -> CheckSubscriptionsResult:
        """What was found."""
        found = await workflow.execute_activity_method(
            SubscriptionActivities.check_subscriptions,
            CheckSubscriptionsInput(
                tenant_id=args.tenant_id, store_id=args.store_id, renew=args.renew
            ),
            **policies.READ,
        )
        workflow.set_current_details(
            found.reason
            or f"healthy {found.healthy} · created {found.created} · "
            f"switched on again {found.reactivated}"
        )
        if found.missed:
            await self._pull_missed(args, found)
        return found

    async def _pull_missed(self, args: SubscriptionsInput, found: CheckSubscriptionsResult) -> None:
        """Everything since the last pull, as a sync of its own. One that runs already may be past
        what was missed, so it is waited for by the next schedule, and not by this one."""
        try:
            await workflow.start_child_workflow(
                SyncStoreWorkflow.run,
                SyncStoreInput(**args.model_dump(exclude={"renew"}), entities=found.entities),
                id=ids.sync_id(args.store_id, "missed"),
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                parent_close_policy=ParentClosePolicy.ABANDON,
                search_attributes=search_attributes(
                    tenant_id=args.tenant_id, store_id=args.store_id, provider=args.provider
                ),
                priority=fair_share(args.tenant_id),
                static_summary="pull what webhooks missed",
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("the pull of what was missed is running already")


@workflow.defn
class UnsubscribeWorkflow:
    """Takes the webhooks away while the credentials are still there."""

    @workflow.run
    async def run(self, args: StoreRef) -> int:
        """How many there were."""
        return await workflow.execute_activity_method(
            SubscriptionActivities.unsubscribe, args, **policies.LEAVE
        )
