"""Calls to Temporal about syncs: starting them now, and the schedules that start them."""

import asyncio
from datetime import timedelta
from typing import Protocol

from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowFailureError,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.models import StoreRef
from activities.sync_models import SyncKind
from api.temporal import Gateway, TemporalGateway
from api.temporal_calls import (
    CALL_TIMEOUT_S,
    MissingWorkflowError,
    Started,
    TemporalUnavailableError,
    calling,
)
from domain import schedules
from workflows.ids import schedule_id, subscriptions_id, sync_id, unsubscribe_id
from workflows.models import SubscriptionsInput, SyncStoreInput
from workflows.search_attributes import fair_share, search_attributes
from workflows.task_queues import TaskQueue

CATCH_UP = timedelta(minutes=10)
"""What was due while Temporal was away is made up for if it was so lately, and skipped otherwise:
the next pull takes in everything anyway."""


class WrongCronError(Exception):
    """Temporal does not understand the cron expression."""


class SyncGateway(Gateway, Protocol):
    """What the API wants of Temporal, with syncs. All raise TemporalUnavailableError."""

    async def start_sync(self, args: SyncStoreInput) -> Started:
        """Start a sync, or find the one of its kind that was started by a person and runs."""
        ...

    async def check_subscriptions(self, args: SubscriptionsInput) -> Started:
        """Have the store's webhooks looked after now."""
        ...

    async def unsubscribe(self, ref: StoreRef, *, provider: str, timeout_s: float) -> bool:
        """Take the store's webhooks away; False when the shop did not do it in time."""
        ...

    async def put_schedule(
        self,
        kind: SyncKind,
        args: SyncStoreInput | SubscriptionsInput,
        spec: schedules.ScheduleSpec,
        *,
        paused: bool,
    ) -> None:
        """Create a schedule, or make the one that is there like this. Raises WrongCronError."""
        ...

    async def delete_schedule(self, store_id: int, kind: SyncKind) -> None:
        """Delete a schedule; it is no error that there is none."""
        ...

    async def trigger_schedule(self, store_id: int, kind: SyncKind) -> None:
        """Do now what the schedule does; skipped while the last one runs."""
        ...

    async def pause_schedule(self, store_id: int, kind: SyncKind, *, paused: bool) -> None:
        """Stop a schedule, or let it go on; it is no error that there is none."""
        ...


class TemporalSyncGateway(TemporalGateway):
    """The real one."""

    async def start_sync(self, args: SyncStoreInput) -> Started:
        """See `SyncGateway`."""
        summary = f"Sync {args.provider} store {args.store_id}"
        workflow_id = sync_id(args.store_id, args.kind.value)
        return await self._start("SyncStoreWorkflow", args, workflow_id, TaskQueue.PULL, summary)

    async def check_subscriptions(self, args: SubscriptionsInput) -> Started:
        """See `SyncGateway`."""
        summary = f"Webhooks of {args.provider} store {args.store_id}"
        workflow_id = subscriptions_id(args.store_id)
        return await self._start(
            "SubscriptionsWorkflow", args, workflow_id, TaskQueue.PULL, summary
        )

    async def unsubscribe(self, ref: StoreRef, *, provider: str, timeout_s: float) -> bool:
        """See `SyncGateway`."""
        workflow_id = unsubscribe_id(ref.store_id)
        async with calling():
            handle = await self._client.start_workflow(
                "UnsubscribeWorkflow",
                ref,
                id=workflow_id,
                task_queue=TaskQueue.INTERACTIVE.value,
                execution_timeout=timedelta(seconds=timeout_s),
                search_attributes=search_attributes(
                    tenant_id=ref.tenant_id, store_id=ref.store_id, provider=provider
                ),
                priority=fair_share(ref.tenant_id),
                rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S),
            )
        try:
            async with asyncio.timeout(timeout_s):
                await handle.result()
        except (TimeoutError, WorkflowFailureError):
            return False
        except RPCError as error:
            raise TemporalUnavailableError(error.message) from error
        return True

    async def put_schedule(
        self,
        kind: SyncKind,
        args: SyncStoreInput | SubscriptionsInput,
        spec: schedules.ScheduleSpec,
        *,
        paused: bool,
    ) -> None:
        """See `SyncGateway`."""
        wanted = _schedule(kind, args, spec, paused=paused)
        name = schedule_id(args.store_id, kind.value)
        async with calling():
            try:
                try:
                    await self._client.create_schedule(
                        name,
                        wanted,
                        search_attributes=search_attributes(
                            tenant_id=args.tenant_id,
                            store_id=args.store_id,
                            provider=args.provider,
                        ),
                        rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S),
                    )
                except ScheduleAlreadyRunningError:
                    await self._client.get_schedule_handle(name).update(
                        lambda _held: _replaced(_held, wanted),
                        rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S),
                    )
            except RPCError as error:
                if error.status is RPCStatusCode.INVALID_ARGUMENT:
                    raise WrongCronError(error.message) from None
                raise

    async def delete_schedule(self, store_id: int, kind: SyncKind) -> None:
        """See `SyncGateway`."""
        handle = self._client.get_schedule_handle(schedule_id(store_id, kind.value))
        try:
            async with calling():
                await handle.delete(rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S))
        except MissingWorkflowError:
            return

    async def trigger_schedule(self, store_id: int, kind: SyncKind) -> None:
        """See `SyncGateway`."""
        handle = self._client.get_schedule_handle(schedule_id(store_id, kind.value))
        async with calling():
            await handle.trigger(
                overlap=ScheduleOverlapPolicy.SKIP,
                rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S),
            )

    async def pause_schedule(self, store_id: int, kind: SyncKind, *, paused: bool) -> None:
        """See `SyncGateway`."""
        handle = self._client.get_schedule_handle(schedule_id(store_id, kind.value))
        change = handle.pause if paused else handle.unpause
        try:
            async with calling():
                await change(rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S))
        except MissingWorkflowError:
            return


def _schedule(
    kind: SyncKind,
    args: SyncStoreInput | SubscriptionsInput,
    spec: schedules.ScheduleSpec,
    *,
    paused: bool,
) -> Schedule:
    is_sync = isinstance(args, SyncStoreInput)
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "SyncStoreWorkflow" if is_sync else "SubscriptionsWorkflow",
            args,
            id=sync_id(args.store_id, kind.value) if is_sync else subscriptions_id(args.store_id),
            task_queue=TaskQueue.PULL.value,
            typed_search_attributes=search_attributes(
                tenant_id=args.tenant_id, store_id=args.store_id, provider=args.provider
            ),
            priority=fair_share(args.tenant_id),
            static_summary=f"{kind.value} of {args.provider} store {args.store_id}",
        ),
        spec=ScheduleSpec(
            intervals=[ScheduleIntervalSpec(every=spec.interval)] if spec.interval else [],
            cron_expressions=[spec.cron] if spec.cron else [],
            time_zone_name=spec.time_zone if spec.cron else None,
            jitter=spec.jitter or None,
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
        state=ScheduleState(paused=paused),
    )


def _replaced(_held: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate:
    return ScheduleUpdate(schedule=wanted)
