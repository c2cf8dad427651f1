"""Every call the API makes to Temporal. It starts, asks and cancels; it never waits long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from urllib.parse import quote

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError, TemporalError, WorkflowAlreadyStartedError
from temporalio.exceptions import TimeoutError as DeadlineError
from temporalio.service import RPCError, RPCStatusCode

from activities.push_preview import PreviewPushInput, PreviewPushResult
from domain.errors import EntrepotError
from workflows.ids import check_id, import_id, preview_id
from workflows.models import (
    CheckStoreInput,
    CheckStoreResult,
    ImportProgress,
    ImportStoreInput,
)
from workflows.search_attributes import fair_share, search_attributes
from workflows.task_queues import TaskQueue

CALL_TIMEOUT_S = 2.0
_CHECK_GRACE_S = 10.0


class TemporalUnavailableError(EntrepotError):
    """Temporal did not do what was asked, or not in time."""


class CheckFailedError(EntrepotError):
    """The workflow that tries credentials ended without a verdict."""


@dataclass(frozen=True, slots=True)
class Started:
    """A workflow that runs now. `already_running` tells that it did so before."""

    workflow_id: str
    run_id: str
    already_running: bool


class Gateway(Protocol):
    """What the API wants of Temporal.

    Every method but `check_store` answers within a few seconds, and all raise
    TemporalUnavailableError when Temporal does not.
    """

    async def check_store(
        self, check: CheckStoreInput, *, store_id: int, timeout_s: float
    ) -> CheckStoreResult:
        """Try credentials and wait for the verdict.

        Raises:
            TimeoutError: there was none in time; the workflow is told to stop.
            CheckFailedError: the workflow failed.
        """
        ...

    async def preview_push(
        self, args: PreviewPushInput, *, provider: str, timeout_s: float
    ) -> PreviewPushResult:
        """Look what a push would do. Raises as `check_store` does."""
        ...

    async def start_import(self, args: ImportStoreInput) -> Started:
        """Start a store's import, or find the one that is running."""
        ...

    async def query_progress(self, workflow_id: str) -> ImportProgress | None:
        """What a running import says of itself; None when it does not answer."""
        ...

    async def is_running(self, workflow_id: str) -> bool:
        """Whether there is a workflow of that id which is not done."""
        ...

    async def cancel(self, workflow_id: str) -> bool:
        """Ask a workflow to stop where it can go on later; False when none is running."""
        ...

    async def is_healthy(self) -> bool:
        """Whether Temporal serves. Never raises."""
        ...


class TemporalGateway:
    """The real one.

    Args:
        client: connected with `lazy=True`, so that the API starts without Temporal, and with the
            data converter of the workers (`temporalio.contrib.pydantic.pydantic_data_converter`).
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def check_store(
        self, check: CheckStoreInput, *, store_id: int, timeout_s: float
    ) -> CheckStoreResult:
        """See `Gateway`."""
        workflow_id = check_id(check.store_check_id)
        async with _calling():
            handle = await self._client.start_workflow(
                "CheckStoreWorkflow",
                check,
                id=workflow_id,
                task_queue=TaskQueue.INTERACTIVE.value,
                execution_timeout=timedelta(seconds=timeout_s + _CHECK_GRACE_S),
                search_attributes=search_attributes(
                    tenant_id=check.tenant_id, store_id=store_id, provider=check.provider
                ),
                priority=fair_share(check.tenant_id),
                static_summary=f"Try the credentials of {check.provider} store {store_id}",
                rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S),
            )
        try:
            async with asyncio.timeout(timeout_s):
                return CheckStoreResult.model_validate(await handle.result())
        except TimeoutError:
            await self._give_up(workflow_id)
            raise
        except WorkflowFailureError as error:
            return _refusal(error)
        except RPCError as error:
            raise TemporalUnavailableError(_reason(error)) from error

    async def preview_push(
        self, args: PreviewPushInput, *, provider: str, timeout_s: float
    ) -> PreviewPushResult:
        """See `Gateway`."""
        workflow_id = preview_id(args.store_id, args.entity)
        async with _calling():
            handle = await self._client.start_workflow(
                "PreviewPushWorkflow",
                args,
                id=workflow_id,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                task_queue=TaskQueue.INTERACTIVE.value,
                execution_timeout=timedelta(seconds=timeout_s + _CHECK_GRACE_S),
                search_attributes=search_attributes(
                    tenant_id=args.tenant_id,
                    store_id=args.store_id,
                    provider=provider,
                    entity=args.entity,
                ),
                priority=fair_share(args.tenant_id),
                static_summary=f"Preview pushes of {args.entity} to store {args.store_id}",
                rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S),
            )
        try:
            async with asyncio.timeout(timeout_s):
                return PreviewPushResult.model_validate(await handle.result())
        except TimeoutError:
            await self._give_up(workflow_id)
            raise
        except WorkflowFailureError as error:
            refused = _refusal(error)
            return PreviewPushResult(error_type=refused.error_type, message=refused.message)
        except RPCError as error:
            raise TemporalUnavailableError(_reason(error)) from error

    async def start_import(self, args: ImportStoreInput) -> Started:
        """See `Gateway`."""
        workflow_id = import_id(args.store_id)
        try:
            async with _calling():
                handle = await self._client.start_workflow(
                    "ImportStoreWorkflow",
                    args,
                    id=workflow_id,
                    task_queue=TaskQueue.IMPORT.value,
                    search_attributes=search_attributes(
                        tenant_id=args.tenant_id, store_id=args.store_id, provider=args.provider
                    ),
                    priority=fair_share(args.tenant_id),
                    static_summary=f"Import {args.provider} store {args.store_id}",
                    rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S),
                )
        except WorkflowAlreadyStartedError as error:
            return Started(workflow_id, error.run_id or "", already_running=True)
        return Started(workflow_id, handle.first_execution_run_id or "", already_running=False)

    async def query_progress(self, workflow_id: str) -> ImportProgress | None:
        """See `Gateway`."""
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            async with _calling():
                answer = await handle.query(
                    "progress", rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S)
                )
        except (TemporalUnavailableError, TemporalError):
            return None
        return ImportProgress.model_validate(answer)

    async def is_running(self, workflow_id: str) -> bool:
        """See `Gateway`."""
        try:
            async with _calling():
                described = await self._client.get_workflow_handle(workflow_id).describe(
                    rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S)
                )
        except _MissingWorkflowError:
            return False
        return described.close_time is None

    async def cancel(self, workflow_id: str) -> bool:
        """See `Gateway`."""
        # The server says yes to cancelling what ended long ago (measured on 1.32): ask first.
        if not await self.is_running(workflow_id):
            return False
        try:
            async with _calling():
                await self._client.get_workflow_handle(workflow_id).cancel(
                    rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S)
                )
        except _MissingWorkflowError:
            return False
        return True

    async def is_healthy(self) -> bool:
        """See `Gateway`."""
        try:
            async with _calling():
                return await self._client.service_client.check_health(
                    timeout=timedelta(seconds=CALL_TIMEOUT_S)
                )
        except TemporalUnavailableError:
            return False

    async def _give_up(self, workflow_id: str) -> None:
        """Best effort: an abandoned check ends by its execution timeout anyway."""
        try:
            await self.cancel(workflow_id)
        except TemporalUnavailableError:
            return


def _refusal(failure: WorkflowFailureError) -> CheckStoreResult:
    """A store that may answer later makes the check fail; the innermost error tells how."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ApplicationError):
            return CheckStoreResult(error_type=cause.type, message=cause.message)
        if isinstance(cause, DeadlineError):
            raise TimeoutError from failure
        cause = cause.__cause__
    raise CheckFailedError(type(failure.cause).__name__) from failure


class _MissingWorkflowError(TemporalUnavailableError):
    """There is no such workflow, or none that is not done."""


@asynccontextmanager
async def _calling() -> AsyncIterator[None]:
    """Bound a call and tell its failures apart. Unbound, one blocks 9.5 s with Temporal down."""
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S + 0.5):
            yield
    except TimeoutError:
        raise TemporalUnavailableError(f"no answer within {CALL_TIMEOUT_S:g} s") from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise _MissingWorkflowError(_reason(error)) from error
        raise TemporalUnavailableError(_reason(error)) from error
    except RuntimeError as error:  # what the SDK raises when a lazy client cannot connect
        raise TemporalUnavailableError(str(error)) from error


def _reason(error: RPCError) -> str:
    return f"{error.status.name}: {error.message}"


def workflow_page(ui_url: str | None, namespace: str, workflow_id: str | None) -> str | None:
    """Where people look at a workflow; None without a page or a workflow."""
    if ui_url is None or workflow_id is None:
        return None
    return f"{ui_url.rstrip('/')}/namespaces/{namespace}/workflows/{quote(workflow_id, safe='')}"
