"""What the API wants of Temporal. It starts, asks and cancels; it never waits long."""

from datetime import timedelta
from typing import Protocol
from urllib.parse import quote

from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import TemporalError

from activities.push_preview import PreviewPushInput, PreviewPushResult
from api.temporal_calls import (
    CALL_TIMEOUT_S,
    CheckFailedError,
    Question,
    Started,
    TemporalCalls,
    TemporalUnavailableError,
    calling,
)
from workflows.ids import check_id, import_id, preview_id
from workflows.models import (
    CheckStoreInput,
    CheckStoreResult,
    ImportProgress,
    ImportStoreInput,
)
from workflows.search_attributes import search_attributes
from workflows.task_queues import TaskQueue

__all__ = [
    "CheckFailedError",
    "Gateway",
    "Started",
    "TemporalGateway",
    "TemporalUnavailableError",
    "workflow_page",
]


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

    async def running_run(self, workflow_id: str) -> str | None:
        """The run id of the workflow of that id that is not done; None when there is none."""
        ...

    async def cancel(self, workflow_id: str) -> bool:
        """Ask a workflow to stop where it can go on later; False when none is running."""
        ...

    async def is_healthy(self) -> bool:
        """Whether Temporal serves. Never raises."""
        ...


class TemporalGateway(TemporalCalls):
    """The real one."""

    async def check_store(
        self, check: CheckStoreInput, *, store_id: int, timeout_s: float
    ) -> CheckStoreResult:
        """See `Gateway`."""
        question = Question(
            "CheckStoreWorkflow",
            check,
            check_id(check.store_check_id),
            f"Try the credentials of {check.provider} store {store_id}",
            search_attributes(
                tenant_id=check.tenant_id, store_id=store_id, provider=check.provider
            ),
        )
        return await self._ask(question, CheckStoreResult, timeout_s=timeout_s)

    async def preview_push(
        self, args: PreviewPushInput, *, provider: str, timeout_s: float
    ) -> PreviewPushResult:
        """See `Gateway`."""
        question = Question(
            "PreviewPushWorkflow",
            args,
            preview_id(args.store_id, args.entity),
            f"Preview pushes of {args.entity} to store {args.store_id}",
            search_attributes(
                tenant_id=args.tenant_id,
                store_id=args.store_id,
                provider=provider,
                entity=args.entity,
            ),
            if_running=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        return await self._ask(question, PreviewPushResult, timeout_s=timeout_s)

    async def start_import(self, args: ImportStoreInput) -> Started:
        """See `Gateway`."""
        return await self._start(
            "ImportStoreWorkflow",
            args,
            import_id(args.store_id),
            TaskQueue.IMPORT,
            f"Import {args.provider} store {args.store_id}",
        )

    async def query_progress(self, workflow_id: str) -> ImportProgress | None:
        """See `Gateway`."""
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            async with calling():
                answer = await handle.query(
                    "progress", rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S)
                )
        except (TemporalUnavailableError, TemporalError):
            return None
        return ImportProgress.model_validate(answer)

    async def is_healthy(self) -> bool:
        """See `Gateway`."""
        try:
            async with calling():
                return await self._client.service_client.check_health(
                    timeout=timedelta(seconds=CALL_TIMEOUT_S)
                )
        except TemporalUnavailableError:
            return False


def workflow_page(ui_url: str | None, namespace: str, workflow_id: str | None) -> str | None:
    """Where people look at a workflow; None without a page or a workflow."""
    if ui_url is None or workflow_id is None:
        return None
    return f"{ui_url.rstrip('/')}/namespaces/{namespace}/workflows/{quote(workflow_id, safe='')}"
