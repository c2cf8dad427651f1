"""One import, from the start of its workflow to its result, and what it used."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.contrib.pydantic import pydantic_data_converter

from api.temporal import TemporalGateway
from bench.processes import cpu_of, peak_mb, since
from bench.rig import BenchDatabase, BenchError, Rig
from bench.shop import PROVIDER, BenchShop, Get
from db.crypto import store_context
from db.session import Database
from db.store_checks import NewStore, StoreCheck, allocate_store_id, create_check, promote_check
from db.tenants import create_tenant
from runtime.hub import Hub
from runtime.settings import Settings
from workflows.models import ImportStoreInput, ImportStoreResult

TOP_LEVEL: Final = ("products", "orders", "customers", "categories")
_HELD = text("select entity, count(*) from links where deleted_at is null group by entity")
_SLOWEST_RECORDS_PER_S: Final = 150
_VISIBLE_WITHIN_S: Final = 30.0
_LOOK_AGAIN_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRun:
    """What one import did and used.

    Attributes:
        held: records in the hub afterwards, by entity.
        history_events: of all workflows of the import together.
        worker_peak_mb: the most memory the worker held since it was started.
        cpu_s: CPU seconds by process.
        gets: what the shop was asked, in order.
    """

    held: Mapping[str, int]
    seconds: float
    history_events: int
    worker_peak_mb: float
    cpu_s: Mapping[str, float]
    gets: tuple[Get, ...]

    @property
    def records(self) -> int:
        """Top-level records; lines, variants and what else belongs to one count with it."""
        return sum(self.held.get(entity, 0) for entity in TOP_LEVEL)


@dataclass(frozen=True, slots=True)
class Connected:
    """A store of a tenant of its own, connected to a shop."""

    hub: Hub
    client: Client
    tenant_id: int
    store_id: int


@asynccontextmanager
async def connected(rig: Rig, database: BenchDatabase, shop: BenchShop) -> AsyncIterator[Connected]:
    """A new tenant whose one store is the shop."""
    hub = Hub.build(_settings(rig, database), pool_size=2)
    try:
        client = await Client.connect(rig.temporal.address, data_converter=pydantic_data_converter)
        tenant_id = await _make_tenant(database)
        yield Connected(hub, client, tenant_id, await _connect(hub, tenant_id, shop))
    finally:
        await hub.close()


async def import_shop(
    rig: Rig, database: BenchDatabase, shop: BenchShop, worker_pid: int
) -> ImportRun:
    """Connect the shop and import it. Raises as `import_connected`."""
    async with connected(rig, database, shop) as store:
        return await import_connected(rig, store, shop, worker_pid)


async def import_connected(
    rig: Rig, store: Connected, shop: BenchShop, worker_pid: int
) -> ImportRun:
    """Import the shop once.

    Raises:
        BenchError: it failed, did not settle or took unreasonably long, or the hub does not hold
            what it should.
    """
    shop.forget()
    rig.write_back()
    pids = {**rig.pids, "worker": worker_pid, "shop": shop.pid}
    before, started = cpu_of(pids), time.perf_counter()
    begun_at = datetime.now(UTC)
    result = await _result_of(await start_import(store), _patience_s(shop))
    seconds, after = time.perf_counter() - started, cpu_of(pids)
    if not result.is_settled:
        raise BenchError("the import did not settle, though nobody changed the shop")
    return ImportRun(
        held=await _held(store.hub.database, store.tenant_id, shop),
        seconds=seconds,
        history_events=await _history_events(store.client, store.store_id, begun_at),
        worker_peak_mb=peak_mb(worker_pid),
        cpu_s=since(before, after),
        gets=shop.gets(),
    )


async def start_import(store: Connected) -> WorkflowHandle[Any, ImportStoreResult]:
    """Start the store's import, as the API does."""
    args = ImportStoreInput(tenant_id=store.tenant_id, store_id=store.store_id, provider=PROVIDER)
    begun = await TemporalGateway(store.client).start_import(args)
    return store.client.get_workflow_handle(begun.workflow_id, result_type=ImportStoreResult)


async def _result_of(
    handle: WorkflowHandle[Any, ImportStoreResult], patience_s: float
) -> ImportStoreResult:
    try:
        async with asyncio.timeout(patience_s):
            return await handle.result()
    except TimeoutError:
        raise BenchError(f"the import was not done after {patience_s:.0f} s") from None
    except WorkflowFailureError as failure:
        raise BenchError(f"the import failed: {failure.cause}") from failure


def _settings(rig: Rig, database: BenchDatabase) -> Settings:
    return Settings(
        _env_file=None,
        environment="embedded",
        database_url=SecretStr(database.app_url),
        encryption_key=SecretStr(rig.encryption_key),
        allow_private_addresses=True,
    )


async def _make_tenant(database: BenchDatabase) -> int:
    owner = Database(database.owner_url, pool_size=1)
    try:
        async with owner.lookup() as connection:
            return (await create_tenant(connection, f"Bench {secrets.token_hex(4)}")).id
    finally:
        await owner.close()


async def _connect(hub: Hub, tenant_id: int, shop: BenchShop) -> int:
    """Make the store, as connecting one does."""
    provider = hub.registry.get(PROVIDER)
    config = provider.config_model.model_validate(shop.form)
    facts = await provider.connect(config, None, hub.session).probe()
    async with hub.database.tenant(tenant_id) as connection:
        store_id = await allocate_store_id(connection)
        sealed = hub.box.seal(json.dumps(shop.form).encode(), context=store_context(store_id))
        check = StoreCheck(store_id, PROVIDER, sealed)
        expires_at = datetime.now(UTC) + timedelta(minutes=1)
        check_id = await create_check(connection, tenant_id, check, expires_at=expires_at)
        return await promote_check(connection, check_id, _new_store(facts.model_dump(mode="json")))


def _new_store(facts: Mapping[str, object]) -> NewStore:
    return NewStore(
        name="Bench",
        code="bench",
        webhook_code=secrets.token_urlsafe(12),
        store_url=str(facts["store_url"]),
        facts=facts,
        settings={},
    )


async def _held(database: Database, tenant_id: int, shop: BenchShop) -> dict[str, int]:
    async with database.tenant(tenant_id) as connection:
        held = await _count(connection)
    # A few are drafts or in the trash, by the seed of the shop; a part of a shop is no import.
    for entity, asked in (("products", shop.size.products), ("orders", shop.size.orders)):
        if held.get(entity, 0) < 0.9 * asked:
            raise BenchError(f"the hub holds {held.get(entity, 0)} of {asked} {entity}")
    return held


async def _count(connection: AsyncConnection) -> dict[str, int]:
    return {str(row[0]): int(row[1]) for row in await connection.execute(_HELD)}


async def _history_events(client: Client, store_id: int, begun_at: datetime) -> int:
    """The events of one import's workflows, once all of them show as done.

    Stores of other databases have the same id, so only what began since then counts.
    """
    query = f'StoreId = "{store_id}" and StartTime >= "{begun_at.isoformat()}"'
    deadline = time.monotonic() + _VISIBLE_WITHIN_S
    while time.monotonic() < deadline:
        runs = [run async for run in client.list_workflows(query)]
        is_whole = any(run.id.startswith("import/") for run in runs)
        if is_whole and all(run.status != WorkflowExecutionStatus.RUNNING for run in runs):
            return sum(run.history_length for run in runs)
        await asyncio.sleep(_LOOK_AGAIN_S)
    raise BenchError("the workflows of the import do not show as done")


def _patience_s(shop: BenchShop) -> float:
    return 60 + (shop.size.products + shop.size.orders) / _SLOWEST_RECORDS_PER_S
