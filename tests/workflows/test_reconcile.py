import pytest

from activities.sync_models import SyncKind
from domain.entities import Entity
from tests.workflows.conftest import OpenStore
from tests.workflows.scene import Scene
from tests.workflows.syncs import counted, sync
from tests.workflows.truth import RIGHT, compare

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDERS, CUSTOMERS = Entity.ORDERS, Entity.CUSTOMERS


async def drift_of(scene: Scene) -> list[tuple[object, ...]]:
    return await scene.rows(
        "select entity, external_id, kind, repaired from drift where store_id = :store order by id"
    )


async def test_a_store_that_is_right_has_no_drift(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=120, customers=10)
    await scene.import_store()
    result = await sync(scene, kind=SyncKind.RECONCILE)
    assert counted(result) == {}
    assert await drift_of(scene) == []


async def test_both_ways_are_compared_shown_and_put_right(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=120, customers=10)
    await scene.import_store()
    shop = scene.shop.shop
    first, second, third = shop.tables["orders"].ids()[:3]
    # What should have been here since long: the hub lost one, and has another one's content wrong.
    await scene.rows(
        "delete from links where store_id = :store and entity = 'orders' and external_id = :id",
        id=str(first),
    )
    await scene.rows(
        "update links set base_hash = '\\x00' where store_id = :store and entity = 'orders' "
        "and external_id = :id",
        id=str(second),
    )
    shop.delete("orders", third)
    await scene.rows(
        "update store_cursors set changed_since = now() + interval '1 hour' where store_id = :store"
    )
    result = await sync(scene, kind=SyncKind.RECONCILE, entities=(ORDERS,))
    assert counted(result) == {"orders": (1, 1, 1)}
    assert await drift_of(scene) == [
        ("orders", str(first), "missing_here", True),
        ("orders", str(second), "differs", True),
        ("orders", str(third), "missing_there", True),
    ]
    assert counted(await sync(scene, kind=SyncKind.RECONCILE, entities=(ORDERS,))) == {}


async def test_news_is_no_drift(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=20, customers=10)
    await scene.import_store()
    await scene.rows(
        "update store_cursors set changed_since = now() - interval '1 minute' "
        "where store_id = :store"
    )
    shop = scene.shop.shop
    shop.edit("orders", shop.tables["orders"].ids()[0], {"customer_note": "Ring twice"})
    result = await sync(scene, kind=SyncKind.RECONCILE, entities=(ORDERS,))
    assert counted(result) == {"orders": (0, 1, 0)}
    assert await drift_of(scene) == []


async def test_too_many_deletions_wait_for_a_person(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=40, customers=10)
    await scene.import_store()
    shop = scene.shop.shop
    for row_id in shop.tables["orders"].ids()[:20]:
        shop.delete("orders", row_id)
    result = await sync(scene, kind=SyncKind.RECONCILE, entities=(ORDERS,))
    assert result.held_back == 20
    assert counted(result) == {}
    alive = "select count(*) from links where entity = 'orders' and deleted_at is null"
    ((linked,),) = await scene.rows(alive)
    assert linked >= 35
    ((kind, details),) = await scene.rows("select kind, details from alerts where status = 'open'")
    assert (kind, details) == ("mass_delete", {"gone": 20, "linked": linked})
    forced = await sync(scene, kind=SyncKind.RECONCILE, entities=(ORDERS,), force=True)
    assert counted(forced) == {"orders": (0, 0, 20)}
    assert await compare(scene) == RIGHT
    assert await scene.rows("select id from alerts where status = 'open'") == []


async def test_a_pull_that_reads_a_list_again_has_the_same_brake(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=5, customers=30)
    await scene.import_store()
    shop = scene.shop.shop
    for row_id in shop.tables["customers"].ids()[:15]:
        shop.delete("customers", row_id)
    result = await sync(scene, entities=(CUSTOMERS,))
    assert result.held_back == 15
    assert counted(result) == {}


async def test_what_the_store_lost_of_the_hubs_is_sent_again(open_store: OpenStore) -> None:
    scene = await open_store(products=12, orders=5, customers=10)
    await scene.import_store()
    shop = scene.shop.shop
    lost = shop.tables["products"].ids()[0]
    # As if the hub had made it there.
    await scene.rows(
        "update links set is_home = false where store_id = :store and entity = 'products' "
        "and external_id = :id",
        id=str(lost),
    )
    await scene.rows(
        """update stores set settings = jsonb_set(settings, '{syncDirections}',
           '{"products": "both"}') where id = :store"""
    )
    # Its lane must not work off what is to be seen.
    await scene.rows(
        "insert into lanes (tenant_id, kind, key, paused_reason) "
        "values (:tenant, 'push', :store, 'test')",
        tenant=scene.tenant_id,
    )
    shop.delete("products", lost)
    result = await sync(scene, kind=SyncKind.RECONCILE, entities=(Entity.PRODUCTS,))
    assert counted(result) == {}
    assert await drift_of(scene) == [("products", str(lost), "missing_there", True)]
    found = await scene.rows(
        "select p.entity, p.status, r.deleted_at is null from pushes p "
        "join products r on r.id = p.record_id where p.store_id = :store"
    )
    assert found == [("products", "pending", True)]
