"""What webhooks missed is told by every try of a look, and by no later one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.stores import StoreOpener
from activities.subscriptions import SubscriptionActivities
from activities.sync_models import CheckSubscriptionsInput, CheckSubscriptionsResult
from db.subscriptions import (
    ACTIVE,
    KeptSubscription,
    keep_subscriptions,
    outdate_subscriptions,
)
from tests.activities.conftest import OpenScene
from tests.workflows.scene import WEBHOOK_SECRET, Scene

FIRST = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.fixture
async def scene(open_scene: OpenScene) -> Scene:
    return await open_scene(products=1, orders=1, customers=1)


async def look(scene: Scene, hour: int) -> CheckSubscriptionsResult:
    """One try of the look of that hour."""
    hub = scene.hub
    opener = StoreOpener(hub.database, hub.box, hub.registry, hub.session)
    activities = SubscriptionActivities(hub.database, opener, "https://hub.example")
    environment = ActivityEnvironment()
    scheduled: Any = FIRST + timedelta(hours=hour)
    environment.info = replace(environment.info, scheduled_time=scheduled)
    args = CheckSubscriptionsInput(tenant_id=scene.tenant_id, store_id=scene.store_id)
    return await environment.run(activities.check_subscriptions, args)


async def test_what_was_missed_is_told_again_by_a_second_try_and_then_never(scene: Scene) -> None:
    await look(scene, 0)
    hooks = scene.shop.webhooks.courier.webhooks
    first, second, *_ = hooks.values()
    first.status = "disabled"
    del hooks[second.id]
    assert (await look(scene, 1)).missed
    # The process was killed before it could say so.
    assert (await look(scene, 1)).missed
    assert not (await look(scene, 2)).missed


async def test_a_look_that_failed_half_way_leaves_it_to_be_told(scene: Scene) -> None:
    await look(scene, 0)
    hooks = scene.shop.webhooks.courier.webhooks
    next(iter(hooks.values())).status = "disabled"
    await scene.rows(
        "update webhook_subscriptions set status = 'missed' where store_id = :store"
        " and topic = (select min(topic) from webhook_subscriptions where store_id = :store)"
    )
    for one in hooks.values():
        one.status = "active"
    assert (await look(scene, 1)).missed
    assert not (await look(scene, 2)).missed


async def test_another_secret_is_told_the_shop_though_nobody_asked_for_the_look(
    scene: Scene,
) -> None:
    """Who replaces the credentials may be killed right after that."""
    await look(scene, 0)
    hooks = scene.shop.webhooks.courier.webhooks
    for one in hooks.values():
        one.secret = "the one before"
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        await outdate_subscriptions(connection, scene.store_id)
        # A look that began before it does not know.
        late = [KeptSubscription("order.created", "1", ACTIVE, FIRST)]
        await keep_subscriptions(connection, scene.tenant_id, scene.store_id, late)
    found = await look(scene, 1)
    assert (found.reactivated, found.missed) == (len(hooks), False)
    assert {one.secret for one in hooks.values()} == {WEBHOOK_SECRET}
    assert (await look(scene, 2)).healthy == len(hooks)
