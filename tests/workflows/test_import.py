import json
from collections import Counter as Tally

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities.models import Counts
from api.temporal import TemporalGateway
from domain.entities import Entity
from sandbox.woocommerce.seed import ShopSeed
from tests.db.dumps import physical_dump
from tests.workflows.conftest import OpenStore
from tests.workflows.histories import current_details, histories, shown
from tests.workflows.scene import WEBHOOK_SECRET
from tests.workflows.truth import RIGHT, compare
from workflows.models import ImportStoreResult

pytestmark = pytest.mark.asyncio(loop_scope="module")

CATEGORIES, PRODUCTS, CUSTOMERS, ORDERS = (
    Entity.CATEGORIES,
    Entity.PRODUCTS,
    Entity.CUSTOMERS,
    Entity.ORDERS,
)


async def test_a_shop_is_imported_as_it_is_and_a_second_time_nothing_changes(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=120, orders=130, seed=3)
    first = await scene.import_store()
    assert await compare(scene) == RIGHT
    sizes = {CATEGORIES: (12, 2), PRODUCTS: (118, 3), CUSTOMERS: (36, 2), ORDERS: (124, 4)}
    assert first.entities == {
        entity: Counts(seen=size, created=size, pages=pages)
        for entity, (size, pages) in sizes.items()
    }
    assert (first.rounds, first.is_settled) == (1, True)
    changes = await scene.rows(
        "select entity, action, bulk, count(*) from changes group by 1, 2, 3"
    )
    assert {row[:3] for row in changes} >= {("orders", "created", True)}
    assert {row[3] for row in changes if row[0] == "orders"} == {124}
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        before = await physical_dump(connection)

    second = await scene.import_store()
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        assert await physical_dump(connection) == before
    assert second == ImportStoreResult(
        run_id=second.run_id,
        entities={
            entity: Counts(seen=size, unchanged=size, pages=pages)
            for entity, (size, pages) in sizes.items()
        },
        rounds=1,
        is_settled=True,
    )
    assert second.run_id > first.run_id
    logs = await scene.rows(
        "select action, status, error_message, details from store_sync_logs where run_id = :run"
        " order by 1",
        run=second.run_id,
    )
    assert [(row[:3], json.loads(row[3])["unchanged"]) for row in logs] == [
        ((f"sync_{entity}", "success", None), size)
        for entity, (size, _) in sorted(sizes.items(), key=lambda item: item[0].value)
    ]
    assert await scene.store_row() == {
        "sync_status": "success",
        "last_sync_error": None,
        "sync_retry_count": 0,
        "next_retry_at": None,
    }


async def test_what_people_did_in_a_shop_since_the_last_import_is_taken_over(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=40, orders=40, seed=5)
    await scene.import_store()
    shop = scene.shop.shop
    orders, products = shop.tables["orders"].ids(), shop.tables["products"].ids()
    shop.edit("orders", orders[3], {"status": "completed", "customer_note": "ring twice"})
    shop.trash("orders", orders[4])
    shop.delete("orders", orders[5])
    made = shop.create("orders", {"billing": {"email": "new@example.test"}, "status": "pending"})
    shop.edit("products", products[0], {"name": "Renamed", "regular_price": "3.50"})
    shop.delete("products", products[1])
    shop.edit("customers", 3, {"last_name": "Other"})
    shop.delete("customers", 4)
    shop.edit("categories", shop.tables["categories"].ids()[1], {"name": "Renamed"})
    again = await scene.import_store()
    assert await compare(scene) == RIGHT
    assert str(made.id) in {row[0] for row in await scene.rows("select external_id from links")}
    assert {entity: (one.updated, one.deleted) for entity, one in again.entities.items()} == {
        CATEGORIES: (1, 0),
        PRODUCTS: (1, 1),
        CUSTOMERS: (1, 1),
        ORDERS: (1, 2),
    }


async def test_records_that_cannot_be_understood_are_listed_and_the_others_are_in(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=30, orders=30, bad_records=3, seed=4)
    result = await scene.import_store()
    assert await compare(scene) == RIGHT
    rejected = await scene.rows(
        "select entity, external_id is null, reason from sync_rejections order by 1, 3"
    )
    assert [(row[0], row[1]) for row in rejected] == [
        ("orders", True),
        ("orders", True),
        ("orders", False),
        ("products", True),
        ("products", True),
        ("products", False),
    ]
    assert Tally(row[2].partition(":")[0] for row in rejected) == {"id": 4, "total": 1, "price": 1}
    assert {result.entities[entity].rejected for entity in (PRODUCTS, ORDERS)} == {3}
    for entity in (PRODUCTS, ORDERS):
        counts = result.entities[entity]
        assert counts.seen == counts.created + counts.rejected
    assert (await scene.store_row())["sync_status"] == "success"


async def test_a_second_start_while_an_import_runs_finds_the_one_that_runs(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=10, orders=10)
    gateway = TemporalGateway(scene.client)
    one = await gateway.start_import(scene.input())
    other = await gateway.start_import(scene.input())
    assert (one.already_running, other.already_running) == (False, True)
    assert (other.workflow_id, other.run_id) == (one.workflow_id, one.run_id)
    await scene.client.get_workflow_handle(one.workflow_id).result()
    assert await scene.rows("select count(*) from sync_runs") == [(1,)]
    assert await compare(scene) == RIGHT


@pytest.mark.parametrize("change", ["deleted_at = now()", "is_active = false"])
async def test_an_import_stops_when_its_store_is_deleted_or_switched_off(
    open_store: OpenStore, change: str
) -> None:
    scene = await open_store(products=10, orders=300)
    scene.fail("slow", path="/wc/v3/orders", delay_s=0.1)
    running = await scene.start(pages_per_activity=1, in_flight=1)
    await scene.pages_of(ORDERS, at_least=1)
    await scene.rows(f"update stores set {change} where id = :store")
    with pytest.raises(WorkflowFailureError) as failure:
        await running.result()
    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message) == (
        "StoreGoneError",
        f"store {scene.store_id} was deleted or deactivated",
    )
    assert await scene.rows("select status from sync_runs") == [("failed",)]


async def test_histories_are_small_and_hold_no_record_no_secret_and_no_page(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=1_000, orders=1_000, seed=2)
    result = await scene.import_store()
    records = sum(counts.seen for counts in result.entities.values())
    known = await scene.rows("select email, last_name from customers where email <> ''")
    planted = {
        *(scene.ready.consumer_key, scene.ready.consumer_secret, WEBHOOK_SECRET, scene.ready.url),
        *(email for email, _ in known),
        *(row[0] for row in await scene.rows("select title from products limit 50")),
    }
    assert len(planted) > 100
    events, everything = 0, ""
    async for history in histories(scene):
        events += len(history.events)
        everything += history.to_json()
    assert [secret for secret in planted if secret in everything] == []
    assert ShopSeed(seed=2).currency not in everything
    assert records > 2_000
    assert events < 400
    assert len(everything) < 400_000


async def test_people_who_look_at_temporal_see_what_is_going_on(open_store: OpenStore) -> None:
    scene = await open_store(products=10, orders=10)
    running = await scene.start()
    await running.result()
    whole = await running.describe()
    pull = await scene.client.get_workflow_handle(f"pull/{scene.store_id}/orders").describe()
    common = {
        "TenantId": str(scene.tenant_id),
        "StoreId": str(scene.store_id),
        "Provider": "woocommerce",
    }
    assert shown(whole) == common
    assert shown(pull) == {**common, "Entity": "orders"}
    assert await whole.static_summary() == f"Import woocommerce store {scene.store_id}"
    assert await pull.static_summary() == "pull orders, round 1"
    details = await current_details(scene, running.id)
    assert details.startswith("**success**, round 1\n")
    assert "| products | 10 | 10 | 0 | 0 | 0 | 0 |" in details
    assert "**orders**, done" in await current_details(scene, pull.id)
    progress = await TemporalGateway(scene.client).query_progress(running.id)
    assert progress is not None
    assert (progress.phase, progress.round) == ("success", 1)
    assert progress.entities[PRODUCTS] == Counts(seen=10, created=10, pages=2)
