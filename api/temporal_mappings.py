"""Calls to Temporal about field mappings."""

import asyncio
from datetime import timedelta
from typing import Protocol

from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from activities.mapping_preview import PreviewMappingInput, PreviewMappingResult
from api.temporal import (
    _CHECK_GRACE_S,
    CALL_TIMEOUT_S,
    TemporalUnavailableError,
    _calling,
    _reason,
    _refusal,
)
from api.temporal_demands import DemandGateway, TemporalDemandGateway
from workflows.ids import mapping_preview_id
from workflows.search_attributes import fair_share, search_attributes
from workflows.task_queues import TaskQueue


class MappingGateway(DemandGateway, Protocol):
    """What the API wants of Temporal, with previews of field mappings."""

    async def preview_mapping(
        self, args: PreviewMappingInput, *, provider: str, timeout_s: float
    ) -> PreviewMappingResult:
        """Have a record read and the rules tried on it. Raises as `check_store` does."""
        ...


class TemporalMappingGateway(TemporalDemandGateway):
    """The real one."""

    async def preview_mapping(
        self, args: PreviewMappingInput, *, provider: str, timeout_s: float
    ) -> PreviewMappingResult:
        """See `MappingGateway`."""
        workflow_id = mapping_preview_id(args.preview_id)
        async with _calling():
            handle = await self._client.start_workflow(
                "PreviewMappingWorkflow",
                args,
                id=workflow_id,
                task_queue=TaskQueue.INTERACTIVE.value,
                execution_timeout=timedelta(seconds=timeout_s + _CHECK_GRACE_S),
                search_attributes=search_attributes(
                    tenant_id=args.tenant_id, store_id=args.store_id, provider=provider
                ),
                priority=fair_share(args.tenant_id),
                static_summary=f"Preview a field mapping of {provider} store {args.store_id}",
                rpc_timeout=timedelta(seconds=CALL_TIMEOUT_S),
            )
        try:
            async with asyncio.timeout(timeout_s):
                return PreviewMappingResult.model_validate(await handle.result())
        except TimeoutError:
            await self._give_up(workflow_id)
            raise
        except WorkflowFailureError as error:
            refused = _refusal(error)
            return PreviewMappingResult(error_type=refused.error_type, message=refused.message)
        except RPCError as error:
            raise TemporalUnavailableError(_reason(error)) from error
