import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError

from activities.models import Counts
from domain.entities import Entity
from tests.workflows.conftest import OpenStore
from tests.workflows.scene import Scene
from tests.workflows.truth import RIGHT, compare

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDERS = Entity.ORDERS


async def cancelled(running: WorkflowHandle[Any, Any]) -> None:
    """Cancel, and wait until it is."""
    await running.cancel()
    with pytest.raises(WorkflowFailureError) as ended:
        await running.result()
    assert isinstance(ended.value.cause, CancelledError)


async def pages_done(scene: Scene) -> set[int]:
    """The pages of orders whose records are in, by the resume points."""
    rows = await scene.rows(
        "select name, resume, pages from sync_ranges where entity = 'orders' and name like 'p%'"
    )
    return {
        page
        for name, resume, _ in rows
        for page in range(int(name[1:].partition("-")[0]), int(resume))
    }


async def test_an_import_that_was_cancelled_goes_on_at_the_page_where_it_was(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=10, orders=1_400)
    scene.fail("slow", path="/wc/v3/orders", delay_s=0.05)
    running = await scene.start(pages_per_activity=3, in_flight=2)
    await scene.pages_of(ORDERS, at_least=4)
    await cancelled(running)
    assert (await scene.store_row())["sync_status"] == "pending"
    run_id, status = (await scene.rows("select id, status from sync_runs"))[0]
    assert status == "cancelled"
    assert await scene.rows("select distinct status from store_sync_logs") == [("cancelled",)]
    scene.shop.faults.rules.clear()
    scene.shop.journal.clear()
    done = await pages_done(scene)

    result = await scene.import_store(pages_per_activity=3, in_flight=2)
    assert 4 <= len(done) < 14
    assert done.isdisjoint(scene.pages_read(ORDERS))
    assert result.run_id == run_id
    assert await compare(scene) == RIGHT
    size = len(list(scene.shop.shop.truth("orders")))
    assert result.entities[ORDERS] == Counts(seen=size, created=size, pages=16)
    changes = "select record_id from changes where entity = 'orders'"
    assert len(await scene.rows(changes)) == size


async def test_what_was_cancelled_leaves_nothing_running(open_store: OpenStore) -> None:
    scene = await open_store(products=10, orders=1_400)
    scene.fail("slow", path="/wc/v3/orders", delay_s=0.05)
    running = await scene.start(pages_per_activity=14, in_flight=4)
    await scene.pages_of(ORDERS, at_least=2)
    await cancelled(running)
    pull = scene.client.get_workflow_handle(f"pull/{scene.store_id}/orders")
    assert (await pull.describe()).status is WorkflowExecutionStatus.CANCELED
    asked = len(scene.requests())
    await asyncio.sleep(0.5)
    assert len(scene.requests()) == asked


async def test_an_import_that_waits_for_its_shop_can_be_cancelled_at_once(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=10, orders=10)
    scene.fail("maintenance", retry_after=600)
    running = await scene.start(ladder_s=(0, 3_600))
    await scene.store_row_once(lambda row: row["next_retry_at"] is not None)
    await cancelled(running)
    assert await scene.store_row() == {
        "sync_status": "pending",
        "last_sync_error": None,
        "sync_retry_count": 0,
        "next_retry_at": None,
    }


async def test_an_import_that_is_cancelled_before_it_began_leaves_a_store_that_can_be_imported(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=10, orders=10)
    running = await scene.start()
    await cancelled(running)
    assert (await scene.store_row())["sync_status"] == "pending"
    await scene.import_store()
    assert await compare(scene) == RIGHT
