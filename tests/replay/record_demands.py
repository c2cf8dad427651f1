"""The histories of demands."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowFailureError

from activities.demand_models import PullDemand, PushDemand
from api.temporal_demands import TemporalDemandGateway
from domain.entities import IMPORT_ORDER, Entity
from tests.db.factories import customer
from tests.db.room import Room, new_store
from tests.workflows.scene import Scene
from workflows.models import DemandInput

if TYPE_CHECKING:
    from tests.replay.record import Recorder

PART = PullDemand(entity=Entity.ORDERS, limit=10, page_size=5)
WHOLE = tuple(PullDemand(entity=one) for one in IMPORT_ORDER)
SENT = (
    PushDemand(entity=Entity.CUSTOMERS, all_records=True),
    PushDemand(entity=Entity.CATEGORIES, all_records=True),
)


async def start(scene: Scene, **asked: Any) -> tuple[str, str]:
    """Start a demand; its workflow id and run id."""
    args = DemandInput.model_validate({**scene.input().model_dump(), "name": "recorded", **asked})
    started = await TemporalDemandGateway(scene.client).start_demand(args)
    return started.workflow_id, started.run_id


async def take(to: "Recorder", name: str, ids: tuple[str, str]) -> None:
    """Keep a run once it has ended, whatever its end."""
    handle = to.client.get_workflow_handle(ids[0], run_id=ids[1])
    try:
        await handle.result()
    except WorkflowFailureError as failure:
        logging.getLogger(__name__).info("%s: %s", name, failure.cause)
    to.taken[name] = await handle.fetch_history()


async def record_demands(to: "Recorder") -> None:
    """Run every case of a demand."""
    scene = await to.open(products=5, orders=30)
    shop = scene.hub.database
    home = Room(shop, scene.tenant_id, await new_store(shop, scene.tenant_id))
    await home.take(Entity.CUSTOMERS, customer("1"))
    both: dict[str, Any] = {"pulls": WHOLE, "pushes": SENT}
    await take(to, "demand_part", await start(scene, pulls=(PART,)))
    await take(to, "demand_dry", await start(scene, **both, is_dry=True))
    await take(to, "demand_whole", await start(scene, **both))
    scene.fail("slow", path="/wc/v3/orders", delay_s=3)
    cancelled = await start(scene, pulls=(PART,))
    await asyncio.sleep(0.5)
    await to.client.get_workflow_handle(cancelled[0]).cancel()
    await take(to, "demand_cancelled", cancelled)
    scene.shop.faults.rules.clear()
    scene.fail("error", status=503, path="/wc/v3/orders", count=3)
    await take(to, "demand_waited", await start(scene, pulls=(PART,)))
    scene.fail("error", status=401)
    await take(to, "demand_failed", await start(scene, pulls=(PART,)))
    await home.take(Entity.CUSTOMERS, customer("2", "two@example.test"))
    await take(to, "demand_paused", await start(scene, pushes=SENT))


async def record_hurried(to: "Recorder") -> None:
    """Those that wait for their shop: one is cancelled, in others nobody wants to wait longer."""
    scene = await to.open(products=5, orders=30)
    down: dict[str, Any] = {"status": 503, "path": "/wc/v3/orders"}
    waiting: dict[str, Any] = {"ladder_s": (0, 60, 60)}
    scene.fail("error", **down)
    cancelled = await start(scene, pulls=(PART,), **waiting)
    await _once_it_waits(to, cancelled)
    await to.client.get_workflow_handle(cancelled[0]).cancel()
    await take(to, "demand_cancelled_waiting", cancelled)
    whole = await start(scene, pulls=(PullDemand(entity=Entity.ORDERS),), pushes=SENT, **waiting)
    await scene.store_row_once(lambda row: row["sync_retry_count"] == 1)
    scene.shop.faults.rules.clear()
    scene.fail("error", status=503, path="/wc/v3/customers/batch")
    shop = scene.hub.database
    home = Room(shop, scene.tenant_id, await new_store(shop, scene.tenant_id))
    await home.take(Entity.CUSTOMERS, customer("1"))
    handle = to.client.get_workflow_handle(whole[0])
    await handle.signal("try_now")
    await _once_it_waits(to, whole, "waiting for pushes")
    scene.shop.faults.rules.clear()
    await handle.signal("try_now")
    await take(to, "demand_hurried", whole)
    await to.take(scene, "orders", demand_pull_hurried=0)


async def _once_it_waits(
    to: "Recorder", ids: tuple[str, str], phase: str = "for the store"
) -> None:
    handle = to.client.get_workflow_handle(ids[0], run_id=ids[1])
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(0.5)
            if phase in (await handle.query("progress"))["phase"]:
                break
    await asyncio.sleep(0.5)
