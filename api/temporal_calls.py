"""How the API talks to Temporal: each call bound, each failure told apart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from pydantic import BaseModel
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.exceptions import TimeoutError as DeadlineError
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import EntrepotError
from workflows.models import ImportStoreInput
from workflows.search_attributes import fair_share, search_attributes
from workflows.task_queues import TaskQueue

A = TypeVar("A", bound=BaseModel)

CALL_TIMEOUT_S = 2.0
_CHECK_GRACE_S = 10.0
_CERTAIN_NO = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.UNIMPLEMENTED,
    }
)
"""Answers that the SDK does not try again, so no earlier try of the call can have been done."""


class _OfTenant(Protocol):
    """What a workflow is started with, whosever it is."""

    @property
    def tenant_id(self) -> int: ...


class TemporalUnavailableError(EntrepotError):
    """Temporal did not do what was asked, or not in time.

    `did_nothing` says that it certainly did nothing: otherwise it may do it yet.
    """

    def __init__(self, reason: str, *, did_nothing: bool = False) -> None:
        super().__init__(reason)
        self.did_nothing = did_nothing


class CheckFailedError(EntrepotError):
    """The workflow that tries credentials ended without a verdict."""


@dataclass(frozen=True, slots=True)
class Started:
    """A workflow that runs now. `already_running` tells that it did so before."""

    workflow_id: str
    run_id: str
    already_running: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A workflow that looks at a store while a person waits."""

    workflow: str
    args: _OfTenant
    workflow_id: str
    summary: str
    attributes: TypedSearchAttributes
    if_running: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.UNSPECIFIED


class TemporalCalls:
    """A client of Temporal.

    Args:
        client: connected with `lazy=True`, so that the API starts without Temporal, and with the
            data converter of the workers (`temporalio.contrib.pydantic.pydantic_data_converter`).
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def is_running(self, workflow_id: str) -> bool:
        """Whether there is a workflow of that id which is not done."""
        return await self.running_run(workflow_id) is not None

    async def running_run(self, workflow_id: str) -> str | None:
        """The run id of the workflow of that id that is not done; None when there is none."""
        try:
            async with calling():
                described = await self._client.get_workflow_handle(workflow_id).describe(
                    rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S)
                )
        except MissingWorkflowError:
            return None
        return None if described.close_time else described.run_id

    async def cancel(self, workflow_id: str) -> bool:
        """Ask a workflow to stop where it can go on later; False when none is running."""
        # The server says yes to cancelling what ended long ago (measured on 1.32): ask first.
        if not await self.is_running(workflow_id):
            return False
        try:
            async with calling():
                await self._client.get_workflow_handle(workflow_id).cancel(
                    rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S)
                )
        except MissingWorkflowError:
            return False
        return True

    async def _start(
        self,
        workflow: str,
        args: ImportStoreInput,
        workflow_id: str,
        queue: TaskQueue,
        summary: str,
    ) -> Started:
        """Start a workflow about a store, or find the one of its id that is running."""
        try:
            async with calling():
                handle = await self._client.start_workflow(
                    workflow,
                    args,
                    id=workflow_id,
                    task_queue=queue.value,
                    search_attributes=search_attributes(
                        tenant_id=args.tenant_id, store_id=args.store_id, provider=args.provider
                    ),
                    priority=fair_share(args.tenant_id),
                    static_summary=summary,
                    rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S),
                )
        except WorkflowAlreadyStartedError as error:
            return Started(workflow_id, error.run_id or "", already_running=True)
        return Started(workflow_id, handle.first_execution_run_id or "", already_running=False)

    async def _ask(self, question: Question, result_type: type[A], *, timeout_s: float) -> A:
        """Have a store looked at while a person waits. The result has the store's no, if any, in
        `error_type` and `message`.

        Raises:
            TimeoutError: there was none in time; the workflow is told to stop.
            CheckFailedError: the workflow failed.
        """
        async with calling():
            handle = await self._client.start_workflow(
                question.workflow,
                question.args,
                id=question.workflow_id,
                id_conflict_policy=question.if_running,
                task_queue=TaskQueue.INTERACTIVE.value,
                execution_timeout=timedelta(seconds=timeout_s + _CHECK_GRACE_S),
                search_attributes=question.attributes,
                priority=fair_share(question.args.tenant_id),
                static_summary=question.summary,
                rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S),
            )
        try:
            async with asyncio.timeout(timeout_s):
                return result_type.model_validate(await handle.result())
        except TimeoutError:
            await self._give_up(question.workflow_id)
            raise
        except WorkflowFailureError as error:
            return result_type.model_validate(_refusal(error))
        except RPCError as error:
            raise TemporalUnavailableError(reason(error)) from error

    async def _give_up(self, workflow_id: str) -> None:
        """Best effort: an abandoned check ends by its execution timeout anyway."""
        try:
            await self.cancel(workflow_id)
        except TemporalUnavailableError:
            return


def _refusal(failure: WorkflowFailureError) -> dict[str, str | None]:
    """A store that may answer later makes the check fail; the innermost error tells how."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ApplicationError):
            return {"error_type": cause.type, "message": cause.message}
        if isinstance(cause, DeadlineError):
            raise TimeoutError from failure
        cause = cause.__cause__
    raise CheckFailedError(type(failure.cause).__name__) from failure


class MissingWorkflowError(TemporalUnavailableError):
    """There is no such workflow, or none that is not done."""


@asynccontextmanager
async def calling() -> AsyncIterator[None]:
    """Bound a call and tell its failures apart. Unbound, one blocks 9.5 s with Temporal down."""
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S + 0.5):
            yield
    except TimeoutError:
        raise TemporalUnavailableError(f"no answer within {CALL_TIMEOUT_S:g} s") from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise MissingWorkflowError(reason(error), did_nothing=True) from error
        is_no = error.status in _CERTAIN_NO
        raise TemporalUnavailableError(reason(error), did_nothing=is_no) from error
    except RuntimeError as error:  # what the SDK raises when a lazy client cannot connect
        raise TemporalUnavailableError(str(error), did_nothing=True) from error


def reason(error: RPCError) -> str:
    return f"{error.status.name}: {error.message}"
