"""Calls to Temporal about field mappings."""

from typing import Protocol

from activities.mapping_preview import PreviewMappingInput, PreviewMappingResult
from api.temporal_calls import Question
from api.temporal_demands import DemandGateway, TemporalDemandGateway
from workflows.ids import mapping_preview_id
from workflows.search_attributes import search_attributes


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
        question = Question(
            "PreviewMappingWorkflow",
            args,
            mapping_preview_id(args.preview_id),
            f"Preview a field mapping of {provider} store {args.store_id}",
            search_attributes(tenant_id=args.tenant_id, store_id=args.store_id, provider=provider),
        )
        return await self._ask(question, PreviewMappingResult, timeout_s=timeout_s)
