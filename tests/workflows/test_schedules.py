"""Schedules and subscriptions on a real Temporal server."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import ScheduleOverlapPolicy, WorkflowExecutionStatus

from activities.models import StoreRef
from activities.sync_models import CheckSubscriptionsResult, SyncKind
from api.temporal_syncs import TemporalSyncGateway, WrongCronError
from domain.schedules import ScheduleSpec
from runtime.settings import Settings
from tests.workflows.conftest import OpenStore
from tests.workflows.scene import PATIENCE_S, Scene
from workflows.ids import schedule_id, subscriptions_id, sync_id
from workflows.models import SubscriptionsInput, SyncStoreInput

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC_URL = "https://hub.example"
HOURLY = ScheduleSpec(interval=timedelta(hours=1))
PULL = SyncKind.PULL


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """With an address that shops can reach."""
    return settings.model_copy(update={"public_url": PUBLIC_URL})


def sync_input(scene: Scene) -> SyncStoreInput:
    return SyncStoreInput.model_validate(scene.input().model_dump())


async def runs_of(scene: Scene, *, at_least: int = 1) -> list[str]:
    """The ids of the store's syncs."""
    query = f'StoreId = "{scene.store_id}" and WorkflowType = "SyncStoreWorkflow"'
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = [
                one.id
                async for one in scene.client.list_workflows(query)
                if one.status is WorkflowExecutionStatus.COMPLETED
            ]
            if len(found) >= at_least:
                return found
            await asyncio.sleep(0.05)


async def test_a_schedule_is_made_changed_triggered_paused_and_deleted(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=3, orders=5, customers=3)
    await scene.import_store()
    gateway = TemporalSyncGateway(scene.client)
    await gateway.put_schedule(PULL, sync_input(scene), HOURLY, paused=False)
    nightly = ScheduleSpec(cron="30 3 * * *", time_zone="Asia/Colombo", jitter=timedelta(minutes=5))
    await gateway.put_schedule(PULL, sync_input(scene), nightly, paused=False)
    handle = scene.client.get_schedule_handle(schedule_id(scene.store_id, PULL.value))
    held = (await handle.describe()).schedule
    assert held.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert held.spec.time_zone_name == "Asia/Colombo"
    assert (held.spec.intervals, held.spec.jitter) == ([], timedelta(minutes=5))
    await gateway.trigger_schedule(scene.store_id, PULL)
    [workflow_id] = await runs_of(scene)
    assert workflow_id.startswith(f"{sync_id(scene.store_id)}-2")
    await gateway.pause_schedule(scene.store_id, PULL, paused=True)
    assert (await handle.describe()).schedule.state.paused is True
    await gateway.pause_schedule(scene.store_id, PULL, paused=False)
    assert (await handle.describe()).schedule.state.paused is False
    for _ in range(2):
        await gateway.delete_schedule(scene.store_id, PULL)
    await gateway.pause_schedule(scene.store_id, PULL, paused=True)


async def test_a_cron_expression_that_temporal_does_not_understand_is_told(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=1, orders=1, customers=1)
    wrong = ScheduleSpec(cron="99 * * * *")
    with pytest.raises(WrongCronError):
        await TemporalSyncGateway(scene.client).put_schedule(
            PULL, sync_input(scene), wrong, paused=False
        )


async def look(scene: Scene, **changes: Any) -> CheckSubscriptionsResult:
    args = SubscriptionsInput.model_validate({**scene.input().model_dump(), **changes})
    await TemporalSyncGateway(scene.client).check_subscriptions(args)
    handle = scene.client.get_workflow_handle(subscriptions_id(scene.store_id))
    return CheckSubscriptionsResult.model_validate(await handle.result())


async def test_webhooks_are_made_once_looked_after_and_taken_away(open_store: OpenStore) -> None:
    scene = await open_store(products=3, orders=5, customers=3)
    await scene.import_store()
    hooks = scene.shop.webhooks.courier.webhooks
    assert hooks == {}
    made = await look(scene)
    topics = scene.hub.registry.get("woocommerce").webhooks
    assert topics is not None
    assert made.created == len(topics.topics) == len(hooks)
    ((code,),) = await scene.rows("select webhook_code from stores where id = :store")
    assert {one.delivery_url for one in hooks.values()} == {
        f"{PUBLIC_URL}/api/stores/webhooks/{code}"
    }
    assert {one.status for one in hooks.values()} == {"active"}
    again = await look(scene)
    assert (again.created, again.reactivated, again.healthy) == (0, 0, made.created)
    assert not again.missed
    gateway = TemporalSyncGateway(scene.client)
    ref = StoreRef(tenant_id=scene.tenant_id, store_id=scene.store_id)
    # Also of a store that is not active, and also twice.
    await scene.rows("update stores set is_active = false where id = :store")
    for _ in range(2):
        assert await gateway.unsubscribe(ref, provider="woocommerce", timeout_s=10)
        assert hooks == {}
    assert await scene.rows("select topic from webhook_subscriptions") == []


async def test_what_the_shop_switched_off_is_switched_on_and_what_was_missed_is_pulled(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=3, orders=5, customers=3)
    await scene.import_store()
    await look(scene)
    hooks = scene.shop.webhooks.courier.webhooks
    first, second, *_ = hooks.values()
    first.status = "disabled"
    del hooks[second.id]
    shop = scene.shop.shop
    shop.edit("orders", shop.tables["orders"].ids()[0], {"customer_note": "Ring twice"})
    found = await look(scene)
    assert (found.reactivated, found.created, found.missed) == (1, 1, True)
    assert {one.status for one in hooks.values()} == {"active"}
    [workflow_id] = await runs_of(scene)
    assert workflow_id == sync_id(scene.store_id, "missed")
    assert await scene.rows("select count(*) from orders where customer_note = 'Ring twice'") == [
        (1,)
    ]


async def test_webhooks_with_another_secret_are_told_the_new_one(open_store: OpenStore) -> None:
    scene = await open_store(products=1, orders=1, customers=1)
    made = await look(scene)
    renewed = await look(scene, renew=True)
    assert (renewed.created, renewed.reactivated, renewed.missed) == (0, made.created, False)
