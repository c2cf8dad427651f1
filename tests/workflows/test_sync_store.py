from datetime import UTC, datetime, timedelta

import pytest

from activities.sync_models import SyncKind
from domain.entities import Entity
from tests.workflows.conftest import OpenStore
from tests.workflows.scene import Scene
from tests.workflows.syncs import counted, cursor_of, sync
from tests.workflows.truth import RIGHT, compare

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDERS, PRODUCTS = Entity.ORDERS, Entity.PRODUCTS

_SHORT = """
with short as (
  update inventory_levels set reserved = greatest(on_hand, 0) + 1
  where variant_id = (select min(variant_id) from inventory_levels)
  returning tenant_id, variant_id, warehouse_id, reserved)
insert into reservations
  (tenant_id, order_id, variant_id, warehouse_id, quantity, reserved, status)
select s.tenant_id, (select min(id) from orders), s.variant_id, s.warehouse_id, s.reserved,
       s.reserved, 'held' from short s
"""


async def edit(scene: Scene, route: str, **fields: object) -> int:
    """Change the oldest row of a list, as its merchant does; its id."""
    shop = scene.shop.shop
    row_id = shop.tables[route].ids()[0]
    shop.edit(route, row_id, dict(fields))
    return row_id


async def test_an_import_leaves_the_moment_from_which_a_pull_asks(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=30, customers=5)
    before = datetime.now(UTC) - timedelta(seconds=5)
    await scene.import_store()
    assert await cursor_of(scene, ORDERS) > before
    scene.shop.journal.clear()
    result = await sync(scene)
    assert result.busy == ()
    # Categories and customers were read whole a moment ago, and are not due.
    assert set(result.entities) == {PRODUCTS, ORDERS}
    assert counted(result) == {}
    asked = scene.requests()
    assert len(asked) == 4
    assert all("page=2" not in entry["query"] for entry in asked)


async def test_a_pull_takes_in_what_changed_and_is_no_bulk_change(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=250, customers=5)
    await scene.import_store()
    first = await cursor_of(scene, ORDERS)
    await edit(scene, "orders", customer_note="Ring twice")
    scene.shop.shop.create("orders", {"status": "processing", "billing": {"email": "n@x.test"}})
    result = await sync(scene)
    assert counted(result) == {"orders": (1, 1, 0)}
    assert await compare(scene) == RIGHT
    assert await cursor_of(scene, ORDERS) >= first
    rows = await scene.rows(
        "select bulk, count(*) from changes where entity = 'orders' group by bulk order by bulk"
    )
    assert rows[0] == (False, 2)
    assert rows[1][0] is True
    assert (await scene.store_row())["sync_status"] == "success"
    assert counted(await sync(scene)) == {}


async def test_pulls_of_a_shop_that_is_edited_all_the_while_end_right(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=5, orders=600, customers=5)
    await scene.import_store()
    scene.churn(ORDERS, events=12)
    # All in the same second, more than a page of them: no number tells them apart.
    shop = scene.shop.shop
    for row_id in shop.tables["orders"].ids()[:150]:
        shop.edit("orders", row_id, {"status": "on-hold"})
    for _ in range(4):
        await sync(scene)
    churn, _ = scene.shop.churns[0]
    assert churn.events == churn.max_events or churn.events > 0
    # What was deleted only a sweep finds: a reconcile.
    await sync(scene, kind=SyncKind.RECONCILE, entities=(ORDERS,))
    scene.shop.churns.clear()
    await sync(scene)
    assert await compare(scene) == RIGHT


async def test_an_entity_without_a_filter_is_read_again_when_it_is_asked_for(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=5, orders=5, customers=20)
    await scene.import_store()
    row_id = await edit(scene, "customers", last_name="Perera")
    scene.shop.shop.delete("customers", scene.shop.shop.tables["customers"].ids()[-1])
    assert counted(await sync(scene)) == {}
    result = await sync(scene, entities=(Entity.CUSTOMERS,))
    assert counted(result) == {"customers": (0, 1, 1)}
    found = await scene.rows(
        "select c.last_name from customers c join links l on l.record_id = c.id "
        "and l.entity = 'customers' where l.external_id = :id",
        id=str(row_id),
    )
    assert found == [("Perera",)]


async def test_a_pull_yields_to_one_that_is_running(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=900, customers=5)
    await scene.import_store()
    scene.fail("slow", path="/wc/v3/orders", delay_s=0.1)
    importing = await scene.start()
    await scene.pages_of(ORDERS, at_least=12)
    result = await sync(scene, entities=(ORDERS,))
    assert result.busy == (ORDERS,)
    assert result.entities == {}
    scene.shop.faults.rules.clear()
    await importing.result()


async def test_a_store_that_is_not_active_is_left_alone(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=5, customers=5)
    await scene.import_store()
    await scene.rows("update stores set is_active = false where id = :store")
    scene.shop.journal.clear()
    result = await sync(scene)
    assert result.run_id is None
    assert scene.requests() == []


async def test_a_pull_that_failed_is_shown_and_asks_from_the_same_moment_again(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=5, orders=40, customers=5)
    await scene.import_store()
    held = await cursor_of(scene, ORDERS)
    await edit(scene, "orders", customer_note="Ring twice")
    scene.fail("error", status=401, path="/wc/v3/orders")
    with pytest.raises(Exception, match="Workflow execution failed"):
        await sync(scene)
    shown = await scene.store_row()
    assert shown["sync_status"] == "failed"
    assert "401" in shown["last_sync_error"]
    assert await cursor_of(scene, ORDERS) == held
    alerts = "select kind, subject, status, command from alerts order by id"
    what = ("sync_failed", f"sync/{scene.store_id}")
    command = f"POST /api/stores/{scene.store_id}/sync"
    assert await scene.rows(alerts) == [(*what, "open", command)]
    scene.shop.faults.rules.clear()
    assert counted(await sync(scene)) == {"orders": (0, 1, 0)}
    shown = await scene.store_row()
    assert (shown["sync_status"], shown["last_sync_error"]) == ("success", None)
    assert await scene.rows(alerts) == [(*what, "resolved", command)]


async def test_a_stock_sweep_finds_what_moved_no_modification_date(open_store: OpenStore) -> None:
    scene = await open_store(products=12, orders=5, customers=5)
    await scene.import_store()
    shop = scene.shop.shop
    table = shop.tables["products"]
    simple = next(one for one in table.rows.values() if one.kind == "simple")
    modified = simple.modified
    row = shop.edit("products", simple.id, {"manage_stock": True, "stock_quantity": 4711})
    row.modified, row.body = modified, None
    table.load([row])
    assert counted(await sync(scene)) == {}
    await scene.rows(_SHORT)
    await sync(scene, kind=SyncKind.STOCK_SWEEP)
    assert await compare(scene) == RIGHT
    assert await scene.rows("select count(*) from orders where oversold") == [(1,)]


async def test_an_entity_that_was_never_read_is_read_whole(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=120, customers=5)
    result = await sync(scene)
    assert set(result.entities) == {
        Entity.CATEGORIES,
        PRODUCTS,
        Entity.CUSTOMERS,
        ORDERS,
    }
    assert await compare(scene) == RIGHT
    assert counted(await sync(scene)) == {}
