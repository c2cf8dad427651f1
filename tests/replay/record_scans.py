"""Records the history of a sync that scans orders: `python -m tests.replay.record_scans`."""

import asyncio
import dataclasses
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from temporalio.client import WorkflowHistory

from activities.sync_models import SyncKind
from api.temporal_syncs import TemporalSyncGateway
from db.crypto import store_context
from db.migrate import upgrade
from db.store_checks import allocate_store_id
from db.tables.stores import STORES
from db.tenants import create_tenant
from domain.entities import Entity
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.hub import Hub
from runtime.settings import load_settings
from sandbox.easyorder.seed import StoreSeed
from sandbox.easyorder.serving import Ready, serving
from sandbox.easyorder.shop import Behaviour
from tests.replay.cases import HISTORIES
from tests.replay.scrub import scrubbed
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


async def record(app_url: str, owner_url: str) -> dict[str, WorkflowHistory]:
    """Run it on a server of its own."""
    from tests.replay.record import recorder  # noqa: PLC0415 - it imports this module

    given = {
        "database_url": app_url,
        "encryption_key": "5a" * 32,
        "allow_private_addresses": True,
    }
    async with recorder(load_settings(env_file=None, given=given), owner_url) as ordinary:
        await record_scans(ordinary)
    return ordinary.taken


def main() -> int:
    """Write the history in place of the one that is there."""
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedPostgres(Path(directory), durable=False)
        server.start()
        try:
            upgrade(server.owner_url)
            taken = asyncio.run(record(server.app_url, server.owner_url))
        finally:
            server.stop()
    for name, history in sorted(taken.items()):
        (HISTORIES / f"{name}.json").write_text(scrubbed(history))
        print(f"{name}: {len(history.events)} events")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
