"""The histories of syncs."""

import asyncio
from typing import TYPE_CHECKING

from temporalio.client import WorkflowFailureError

from activities.models import StoreRef
from activities.sync_models import SyncKind
from api.temporal_syncs import TemporalSyncGateway
from domain.entities import Entity
from tests.workflows.scene import Scene
from workflows.ids import (
    import_id,
    reconcile_id,
    subscriptions_id,
    sync_id,
    unsubscribe_id,
)
from workflows.models import SubscriptionsInput, SyncStoreInput

if TYPE_CHECKING:
    from tests.replay.record import Recorder


async def start_sync(scene: Scene, kind: SyncKind = SyncKind.PULL) -> str:
    """Start a sync; its workflow id."""
    args = SyncStoreInput.model_validate({**scene.input().model_dump(), "kind": kind})
    return (await TemporalSyncGateway(scene.client).start_sync(args)).workflow_id


async def sync(scene: Scene, kind: SyncKind = SyncKind.PULL) -> None:
    """Sync and wait for the end, whatever it is."""
    handle = scene.client.get_workflow_handle(await start_sync(scene, kind))
    try:
        await handle.result()
    except WorkflowFailureError:
        return


async def look(scene: Scene) -> None:
    """Look after the store's webhooks."""
    args = SubscriptionsInput.model_validate(scene.input().model_dump())
    await TemporalSyncGateway(scene.client).check_subscriptions(args)
    await scene.client.get_workflow_handle(subscriptions_id(scene.store_id)).result()


async def record_syncs(to: "Recorder") -> None:
    """Run every case of a sync."""
    scene = await to.open(products=5, orders=30)
    store_id = scene.store_id
    await scene.import_store()
    to.taken["import_finished"] = (await to.runs(import_id(store_id)))[0]
    shop = scene.shop.shop
    shop.create("orders", {"status": "processing"})
    await sync(scene)
    scene.fail("error", status=401, path="/wc/v3/orders")
    await sync(scene)
    scene.shop.faults.rules.clear()
    scene.fail("slow", path="/wc/v3", delay_s=0.5)
    handle = scene.client.get_workflow_handle(await start_sync(scene))
    await asyncio.sleep(0.5)
    await handle.cancel()
    try:
        await handle.result()
    except WorkflowFailureError:
        scene.shop.faults.rules.clear()
    runs = await to.runs(sync_id(store_id), at_least=3)
    to.taken.update(dict(zip(("sync_pull", "sync_failed", "sync_cancelled"), runs, strict=True)))
    shop.delete("orders", shop.tables["orders"].ids()[0])
    await sync(scene, SyncKind.RECONCILE)
    to.taken["sync_reconcile"] = (await to.runs(sync_id(store_id, "reconcile")))[0]
    to.taken["reconcile_ok"] = (await to.runs(reconcile_id(store_id, Entity.ORDERS)))[0]
    await record_webhooks(to, scene)


async def record_webhooks(to: "Recorder", scene: Scene) -> None:
    """Made, switched on again, taken away."""
    await look(scene)
    next(iter(scene.shop.webhooks.courier.webhooks.values())).status = "disabled"
    await look(scene)
    runs = await to.runs(subscriptions_id(scene.store_id), at_least=2)
    to.taken.update(dict(zip(("subscriptions_made", "subscriptions_missed"), runs, strict=True)))
    ref = StoreRef(tenant_id=scene.tenant_id, store_id=scene.store_id)
    gateway = TemporalSyncGateway(scene.client)
    if not await gateway.unsubscribe(ref, provider="woocommerce", timeout_s=10):
        raise AssertionError("the webhooks were to be taken away")
    to.taken["unsubscribe_ok"] = (await to.runs(unsubscribe_id(scene.store_id)))[0]
