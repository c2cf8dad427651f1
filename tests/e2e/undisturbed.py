"""The same import without any trouble, by workers in this process, into a database of its own."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from uuid import uuid4

from sqlalchemy import text
from temporalio.client import Client

from db.session import Database
from db.tenants import create_tenant
from runtime.hub import Hub
from runtime.settings import Settings
from runtime.worker import build_workers
from tests.workflows.scene import keep_store
from workflows import ids
from workflows.import_store import ImportStoreWorkflow
from workflows.models import ImportStoreInput, ImportStoreResult
from workflows.search_attributes import search_attributes
from workflows.task_queues import TaskQueue

PROVIDER = "woocommerce"
_RUN = text("select status, error from sync_runs where id = :run")


async def import_undisturbed(
    client: Client, settings: Settings, form: Mapping[str, str]
) -> tuple[int, ImportStoreResult]:
    """Import a shop into a new tenant of the settings' database; returns the store's id.

    Raises:
        AssertionError: the import did not succeed, so nothing can be compared with it.
    """
    hub = Hub.build(settings, pool_size=8)
    try:
        tenant_id = await _make_tenant(settings)
        store_id = await _make_store(hub, tenant_id, form)
        async with AsyncExitStack() as stack:
            for worker in build_workers(client, hub, settings):
                await stack.enter_async_context(worker)
            result = await client.execute_workflow(
                ImportStoreWorkflow.run,
                ImportStoreInput(tenant_id=tenant_id, store_id=store_id, provider=PROVIDER),
                id=ids.import_id(store_id),
                task_queue=TaskQueue.IMPORT.value,
                search_attributes=search_attributes(
                    tenant_id=tenant_id, store_id=store_id, provider=PROVIDER
                ),
            )
        assert result.is_settled, result
        async with hub.database.tenant(tenant_id) as connection:
            ended = await connection.execute(_RUN, {"run": result.run_id})
            assert ended.one() == ("success", None)
        return store_id, result
    finally:
        await hub.close()


async def _make_tenant(settings: Settings) -> int:
    owner = Database(settings.owner_url(), pool_size=1)
    try:
        async with owner.lookup() as connection:
            return (await create_tenant(connection, uuid4().hex)).id
    finally:
        await owner.close()


async def _make_store(hub: Hub, tenant_id: int, form: Mapping[str, str]) -> int:
    provider = hub.registry.get(PROVIDER)
    config = provider.config_model.model_validate(form)
    facts = await provider.connect(config, None, hub.session).probe()
    return await keep_store(hub, tenant_id, PROVIDER, form, facts.model_dump(mode="json"))
