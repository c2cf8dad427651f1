"""A hub that works, a shop that is served, and a store that ties them together."""

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from sqlalchemy import text
from temporalio.client import Client, WorkflowHandle

from api.temporal import TemporalGateway
from db.crypto import store_context
from db.session import Database
from db.store_checks import allocate_store_id
from db.tables.stores import STORES
from db.tenants import create_tenant
from domain.entities import Entity
from providers._kit.protocols import Provider
from runtime.hub import Hub
from runtime.settings import Settings
from runtime.worker import build_workers
from sandbox.faults import Rule
from sandbox.woocommerce.app import Sandbox
from sandbox.woocommerce.changes import Churn, Hand
from sandbox.woocommerce.seed import ShopSeed
from sandbox.woocommerce.serving import Address, Options, Ready, serving
from workflows.import_store import ImportStoreWorkflow
from workflows.models import ImportStoreInput, ImportStoreResult

WEBHOOK_SECRET = "whs_planted_5f2d7c91"
PATIENCE_S = 30


@dataclass(frozen=True)
class Scene:
    """One store of one tenant, connected to a shop of its own."""

    hub: Hub
    client: Client
    tenant_id: int
    store_id: int
    shop: Sandbox
    ready: Ready

    def input(self, **changes: Any) -> ImportStoreInput:
        """What the API hands to an import, with quick rungs."""
        return ImportStoreInput.model_validate(
            {
                "tenant_id": self.tenant_id,
                "store_id": self.store_id,
                "provider": "woocommerce",
                "ladder_s": (0, 1, 1),
            }
            | changes
        )

    async def start(self, **changes: Any) -> WorkflowHandle[ImportStoreWorkflow, ImportStoreResult]:
        """Start an import as the API does."""
        started = await TemporalGateway(self.client).start_import(self.input(**changes))
        return self.client.get_workflow_handle_for(
            ImportStoreWorkflow.run, started.workflow_id, run_id=started.run_id
        )

    async def import_store(self, **changes: Any) -> ImportStoreResult:
        """Import and wait for the end."""
        return await (await self.start(**changes)).result()

    async def rows(self, statement: str, **params: Any) -> list[tuple[Any, ...]]:
        """SQL as the application within the tenant; `:store` is the store's id."""
        params = {"store": self.store_id, **params} if ":store" in statement else params
        async with self.hub.database.tenant(self.tenant_id) as connection:
            result = await connection.execute(text(statement), params)
            return [tuple(row) for row in result] if result.returns_rows else []

    async def store_row(self) -> dict[str, Any]:
        """What the store shows of its sync."""
        columns = "sync_status, last_sync_error, sync_retry_count, next_retry_at"
        found = await self.rows(f"select {columns} from stores where id = :store")
        return dict(zip(columns.split(", "), found[0], strict=True))

    async def store_row_once(self, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What the store shows once `is_so` says yes to it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                row = await self.store_row()
                if is_so(row):
                    return row
                await asyncio.sleep(0.02)

    async def pages_of(self, entity: Entity, *, at_least: int) -> int:
        """Wait until so many pages of an entity are in; how many are."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await self.rows(
                    "select coalesce(sum(pages), 0) from sync_ranges where entity = :entity",
                    entity=entity.value,
                )
                if found[0][0] >= at_least:
                    return int(found[0][0])
                await asyncio.sleep(0.01)

    def requests(self, route: str = "/wp-json/wc/v3/") -> list[dict[str, Any]]:
        """What the shop was asked, from the oldest on."""
        return [entry for entry in self.shop.journal.log() if entry["path"].startswith(route)]

    def pages_read(self, entity: Entity) -> list[int]:
        """The pages of an entity that were asked for whole, in order."""
        route = f"/wp-json/wc/v3/{entity.value}"
        asked = (parse_qs(entry["query"]) for entry in self.requests(route))
        return [int(one["page"][0]) for one in asked if "_fields" not in one and "page" in one]

    def fail(self, kind: str, **members: Any) -> None:
        """Add a fault, as the shop's control API does."""
        if kind == "churn":
            churn = Churn(**members)
            self.shop.churns.append((churn, Hand(self.shop.shop, churn.seed)))
        else:
            self.shop.faults.rules.append(Rule.read({"kind": kind, **members}))

    def churn(self, entity: Entity, *, events: int) -> None:
        """People at work: after each page 5 records are edited, 1 is added and 1 is deleted."""
        self.fail("churn", entity=entity.value, max_events=events, seed=7)


@asynccontextmanager
async def working(client: Client, hub: Hub, settings: Settings) -> AsyncIterator[None]:
    """Workers on all task queues."""
    async with AsyncExitStack() as stack:
        for worker in build_workers(client, hub, settings):
            await stack.enter_async_context(worker)
        yield


@asynccontextmanager
async def served_store(
    hub: Hub, owner: Database, client: Client, seed: ShopSeed, **options: Any
) -> AsyncIterator[Scene]:
    """A new tenant with one store, which is a freshly served shop."""
    address = Address(https_port=None)
    async with serving(seed, address, Options(prerender=False, **options)) as (ready, shop):
        async with owner.lookup() as connection:
            tenant = await create_tenant(connection, f"Tenant {uuid4().hex}")
        store_id = await _connect(hub, tenant.id, ready)
        shop.journal.clear()
        yield Scene(hub, client, tenant.id, store_id, shop, ready)


async def _connect(hub: Hub, tenant_id: int, ready: Ready) -> int:
    provider: Provider = hub.registry.get("woocommerce")
    form = {
        "storeUrl": ready.url,
        "consumerKey": ready.consumer_key,
        "consumerSecret": ready.consumer_secret,
        "webhookSecret": WEBHOOK_SECRET,
    }
    client = provider.connect(provider.config_model.model_validate(form), None, hub.session)
    facts = (await client.probe()).model_dump(mode="json")
    return await keep_store(hub, tenant_id, "woocommerce", form, facts)


async def keep_store(
    hub: Hub, tenant_id: int, provider: str, form: Mapping[str, Any], facts: Mapping[str, Any]
) -> int:
    """A store as connecting leaves it; returns its id."""
    async with hub.database.tenant(tenant_id) as connection:
        store_id = await allocate_store_id(connection)
        sealed = hub.box.seal(json.dumps(form).encode(), context=store_context(store_id))
        await connection.execute(
            STORES.insert().values(
                tenant_id=tenant_id,
                id=store_id,
                name="Shop",
                code="shop",
                webhook_code=uuid4().hex,
                provider=provider,
                store_url=form["storeUrl"],
                facts=facts,
                **dataclasses.asdict(sealed),
            )
        )
    return store_id
