"""The history of a sync that scans orders."""

import dataclasses
import json
from typing import TYPE_CHECKING
from uuid import uuid4

from activities.sync_models import SyncKind
from api.temporal_syncs import TemporalSyncGateway
from db.crypto import store_context
from db.store_checks import allocate_store_id
from db.tables.stores import STORES
from db.tenants import create_tenant
from domain.entities import Entity
from runtime.hub import Hub
from sandbox.easyorder.seed import StoreSeed
from sandbox.easyorder.serving import Ready, serving
from sandbox.easyorder.shop import Behaviour
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
    async with hub.database.tenant(tenant_id) as connection:
        store_id = await allocate_store_id(connection)
        sealed = hub.box.seal(json.dumps(form).encode(), context=store_context(store_id))
        await connection.execute(
            STORES.insert().values(
                tenant_id=tenant_id,
                id=store_id,
                name="Easy",
                code="easy",
                webhook_code=uuid4().hex,
                provider="easyorder",
                store_url=SHOP,
                facts={"store_url": SHOP, "currency": "EGP"},
                **dataclasses.asdict(sealed),
            )
        )
    return store_id
