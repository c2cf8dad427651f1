"""What Temporal remembers of a store's workflows."""

from collections.abc import AsyncIterator
from typing import Any

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowHistory

from tests.workflows.scene import Scene
from workflows.search_attributes import ALL


async def histories(scene: Scene) -> AsyncIterator[WorkflowHistory]:
    """Every history of the store's workflows, whichever run."""
    async for one in scene.client.list_workflows(f'StoreId = "{scene.store_id}"'):
        handle = scene.client.get_workflow_handle(one.id, run_id=one.run_id)
        yield await handle.fetch_history()


async def current_details(scene: Scene, workflow_id: str) -> str:
    """What the Temporal UI shows of a workflow now."""
    handle = scene.client.get_workflow_handle(workflow_id)
    metadata: WorkflowMetadata = await handle.query(
        "__temporal_workflow_metadata", result_type=WorkflowMetadata
    )
    return metadata.current_details


def shown(description: Any) -> dict[str, str]:
    """Our search attributes of a workflow, by name."""
    pairs = description.typed_search_attributes
    return {pair.key.name: pair.value for pair in pairs if pair.key in ALL}
