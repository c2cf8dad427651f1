"""The history of a sync that scans orders."""

from typing import TYPE_CHECKING
from uuid import uuid4

from activities.sync_models import SyncKind
from api.temporal_syncs import TemporalSyncGateway
from db.tenants import create_tenant
from domain.entities import Entity
from runtime.hub import Hub
from sandbox.easyorder.seed import StoreSeed
from sandbox.easyorder.serving import Ready, serving
from sandbox.easyorder.shop import Behaviour
from tests.workflows.scene import keep_store
from workflows.ids import sync_id
from workflows.models import SyncStoreInput

if TYPE_CHECKING:
    from tests.replay.record import Recorder

SHOP = "https://store.example/mine"


async def record_scans(to: "Recorder") -> None:
    """A pull from a store that lists no orders."""
    seed = StoreSeed(products=2, categories=1)
    async with serving(seed, Behaviour(requests_per_minute=100_000)) as (ready, _):
        async with to.owner.lookup() as connection:
            tenant = await create_tenant(connection, f"Tenant {uuid4().hex}")
        store_id = await _connect(to.hub, tenant.id, ready)
        args = SyncStoreInput(
            tenant_id=tenant.id,
            store_id=store_id,
            provider="easyorder",
            kind=SyncKind.PULL,
            entities=(Entity.CATEGORIES,),
        )
        started = await TemporalSyncGateway(to.client).start_sync(args)
        await to.client.get_workflow_handle(started.workflow_id).result()
        to.taken["sync_scanned"] = (await to.runs(sync_id(store_id)))[0]


async def _connect(hub: Hub, tenant_id: int, ready: Ready) -> int:
    form = {
        "storeUrl": SHOP,
        "apiKey": ready.api_key,
        "apiUrl": ready.api_url,
        "orderScan": True,
    }
    facts = {"store_url": SHOP, "currency": "EGP"}
    return await keep_store(hub, tenant_id, "easyorder", form, facts)
