"""Calls to Temporal about what people ask of a store once."""

import asyncio
import hashlib
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import (
    ApplicationError,
    is_cancelled_exception,
)
from temporalio.service import RPCError

from api.temporal_calls import (
    CALL_TIMEOUT_S,
    MissingWorkflowError,
    Started,
    TemporalUnavailableError,
    calling,
    reason,
)
from api.temporal_syncs import SyncGateway, TemporalSyncGateway
from domain.errors import EntrepotError
from workflows.ids import demand_id
from workflows.models import DemandInput, DemandResult
from workflows.task_queues import TaskQueue

_ASKED = {"name", "pulls", "pushes", "is_dry"}
_DIGEST_CHARS = 16


class DemandFailedError(EntrepotError):
    """A demand ended without a result. `error_type` is the name of the error that ended it;
    `Cancelled` when it was told to stop."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


class DemandGateway(SyncGateway, Protocol):
    """What the API wants of Temporal, with demands. All raise TemporalUnavailableError."""

    async def start_demand(self, args: DemandInput) -> Started:
        """Start what is asked for, or find the very same that is running."""
        ...

    async def hurry_demand(self, started: Started) -> None:
        """Have one that waits for its store try at once; it is no error that it ended meanwhile."""
        ...

    async def await_demand(self, started: Started, *, timeout_s: float) -> DemandResult | None:
        """What it did; None when it still runs after `timeout_s`, and goes on.

        Raises:
            DemandFailedError: it failed or was cancelled.
        """
        ...


def demand_workflow_id(args: DemandInput) -> str:
    """The id of a demand: the same for the same things asked of the same store."""
    asked = args.model_dump_json(include=_ASKED)
    digest = hashlib.sha256(asked.encode()).hexdigest()[:_DIGEST_CHARS]
    return demand_id(args.store_id, digest)


class TemporalDemandGateway(TemporalSyncGateway):
    """The real one."""

    async def start_demand(self, args: DemandInput) -> Started:
        """See `DemandGateway`."""
        return await self._start(
            "DemandWorkflow",
            args,
            demand_workflow_id(args),
            TaskQueue.PULL,
            f"{args.name} of {args.provider} store {args.store_id}",
        )

    async def hurry_demand(self, started: Started) -> None:
        """See `DemandGateway`."""
        handle = self._client.get_workflow_handle(
            started.workflow_id, run_id=started.run_id or None
        )
        with suppress(MissingWorkflowError):
            async with calling():
                await handle.signal("try_now", rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S))

    async def await_demand(self, started: Started, *, timeout_s: float) -> DemandResult | None:
        """See `DemandGateway`."""
        handle = self._client.get_workflow_handle(
            started.workflow_id, run_id=started.run_id or None
        )
        try:
            async with asyncio.timeout(timeout_s):
                return DemandResult.model_validate(await handle.result())
        except TimeoutError:
            return None
        except WorkflowFailureError as error:
            raise _failed(error) from error
        except RPCError as error:
            raise TemporalUnavailableError(reason(error)) from error


def _failed(failure: WorkflowFailureError) -> DemandFailedError:
    """The innermost error of ours tells why."""
    if is_cancelled_exception(failure.cause):
        return DemandFailedError("Cancelled", "it was told to stop")
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ApplicationError):
            return DemandFailedError(cause.type or "", cause.message)
        cause = cause.__cause__
    return DemandFailedError(type(failure.cause).__name__, "it was ended")
