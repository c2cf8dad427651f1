"""Pushes and previews through Temporal: row, wake-up, workflow, drain, request."""

import asyncio

import pytest
from temporalio.client import Client

from activities.push_preview import PreviewPushInput, PreviewPushResult
from api.temporal import TemporalGateway
from domain.entities import Entity
from domain.lanes import LaneKind
from domain.sync_settings import StoreSettings
from runtime.hub import Hub
from tests.activities.push_room import EVERYTHING
from tests.db.factories import product, variant
from tests.db.room import Room, new_store
from tests.workflows.conftest import OpenStore
from tests.workflows.scene import PATIENCE_S, Scene
from workflows.ids import lane_id
from workflows.waking import LaneWaker

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def told(scene: Scene) -> list[str]:
    """The names of the shop's products once nothing is left to be told."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if not await scene.rows("select from pushes where store_id = :store"):
                break
            await asyncio.sleep(0.02)
    shop = scene.shop.shop
    return [shop.document("products", one)["name"] for one in shop.tables["products"].ids()]


async def test_a_burst_of_edits_is_sent_by_one_turn_of_the_lane(
    open_store: OpenStore, hub: Hub, temporal_client: Client
) -> None:
    scene = await open_store(products=0, orders=0, customers=0)
    await scene.rows(
        "update stores set settings = cast(:settings as jsonb) where id = :store",
        settings=StoreSettings(sync_directions=EVERYTHING).model_dump_json(by_alias=True),
    )
    home = Room(hub.database, scene.tenant_id, await new_store(hub.database, scene.tenant_id))
    waker = LaneWaker(hub.database, temporal_client, ladder_s=(0, 300))
    for number in range(30):
        applied = await home.take(
            Entity.PRODUCTS, product("1", version=number, title=f"Edit {number}")
        )
        assert applied.pushes == {scene.store_id}
        for store_id in applied.pushes:
            await waker.wake(scene.tenant_id, LaneKind.PUSH, store_id)
    assert await told(scene) == ["Edit 29"]
    assert len(scene.requests("/wp-json/wc/v3/products/batch")) < 15
    lane = temporal_client.get_workflow_handle(lane_id(LaneKind.PUSH, scene.store_id))
    await lane.result()
    history = await lane.fetch_history()
    assert len(history.events) < 30


async def look(scene: Scene) -> PreviewPushResult:
    args = PreviewPushInput(
        tenant_id=scene.tenant_id, store_id=scene.store_id, entity=Entity.PRODUCTS, limit=10
    )
    gateway = TemporalGateway(scene.client)
    return await gateway.preview_push(args, provider="woocommerce", timeout_s=20)


async def test_a_preview_asks_the_shop_and_writes_nothing(open_store: OpenStore) -> None:
    scene = await open_store(products=0, orders=0, customers=0)
    theirs = scene.shop.shop.create(
        "products", {"name": "Old tea", "sku": "TEA", "regular_price": "9", "type": "simple"}
    )
    home_id = await new_store(scene.hub.database, scene.tenant_id)
    home = Room(scene.hub.database, scene.tenant_id, home_id)
    await home.take(Entity.PRODUCTS, product("1", variant("1", sku="TEA")), product("2"))
    result = await look(scene)
    assert (result.total, result.counts) == (2, {"match": 1, "create": 1})
    assert {one.external_id for one in result.items} == {str(theirs.id), None}
    assert {one["method"] for one in scene.requests()} == {"GET"}
    assert await scene.rows("select from links where store_id = :store") == []


async def test_a_shop_that_refuses_the_keys_is_a_result(open_store: OpenStore) -> None:
    scene = await open_store(products=0, orders=0, customers=0)
    scene.fail("error", status=401)
    home_id = await new_store(scene.hub.database, scene.tenant_id)
    home = Room(scene.hub.database, scene.tenant_id, home_id)
    await home.take(Entity.PRODUCTS, product("1"))
    result = await look(scene)
    assert (result.error_type, result.items) == ("CredentialsError", ())
