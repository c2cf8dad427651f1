"""Starting syncs of a scene's store, and reading what they did."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from domain.entities import Entity
from tests.workflows.scene import Scene
from workflows.ids import sync_id
from workflows.models import SyncStoreInput, SyncStoreResult
from workflows.search_attributes import search_attributes
from workflows.sync_store import SyncStoreWorkflow
from workflows.task_queues import TaskQueue


async def sync(scene: Scene, **changes: Any) -> SyncStoreResult:
    """Sync as a schedule does, and wait for the end."""
    args = SyncStoreInput.model_validate({**scene.input().model_dump(), **changes})
    return await scene.client.execute_workflow(
        SyncStoreWorkflow.run,
        args,
        id=f"{sync_id(scene.store_id, args.kind.value)}-{uuid4().hex[:8]}",
        task_queue=TaskQueue.PULL.value,
        search_attributes=search_attributes(
            tenant_id=scene.tenant_id, store_id=scene.store_id, provider="woocommerce"
        ),
    )


def counted(result: SyncStoreResult) -> dict[str, tuple[int, int, int]]:
    """Created, updated and deleted, of the entities that changed."""
    return {
        entity.value: (one.created, one.updated, one.deleted)
        for entity, one in result.entities.items()
        if one.changed
    }


async def cursor_of(scene: Scene, entity: Entity) -> datetime:
    """From which moment the next pull asks."""
    ((moment,),) = await scene.rows(
        "select changed_since from store_cursors where store_id = :store and entity = :entity",
        entity=entity.value,
    )
    return datetime.fromisoformat(str(moment))
