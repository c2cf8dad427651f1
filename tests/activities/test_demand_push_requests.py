"""Each parameter of a push changes what a shop is asked, as its log of requests shows."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.demand_models import PushCounts, PushDemand
from activities.demand_pushes import DemandPushActivities, EnqueueDemandInput, WatchDemandInput
from activities.lanes import LaneRef, LeftToSweeper
from activities.push import PushTake
from activities.stores import StoreOpener
from db.apply import apply
from db.staging import Origin
from domain.entities import Entity
from domain.lanes import LaneKind
from providers._kit.protocols import ReadsPages
from tests.activities.bench import run
from tests.activities.conftest import OpenScene
from tests.activities.push_room import LADDER_S, FakeTurn
from tests.db.factories import customer
from tests.db.room import Room, new_store
from tests.workflows.scene import Scene

CUSTOMERS, INVENTORY = Entity.CUSTOMERS, Entity.INVENTORY
OLD = datetime(2020, 1, 1, tzinfo=UTC)
ROUTES = "/wp-json/wc/v3/"


@dataclass
class Desk:
    """A shop with products that the hub took in, and people that only the hub knows."""

    scene: Scene
    opener: StoreOpener
    home: Room

    async def ask(self, entity: Entity, **demand: Any) -> PushCounts:
        """Ask, have the lane work it off, and say what came of it."""
        [(run_id,)] = await self.scene.rows(
            "insert into sync_runs (tenant_id, store_id, kind, workflow_id, workflow_run_id,"
            " status) select tenant_id, id, 'demand', 'd', 'r', 'in_progress' from stores"
            " where id = :store returning id"
        )
        ref = {
            "tenant_id": self.scene.tenant_id,
            "store_id": self.scene.store_id,
            "run_id": run_id,
        }
        database = self.scene.hub.database
        activities = DemandPushActivities(database, LeftToSweeper(), watch_s=0.2)
        await self.scene.rows("delete from pushes")
        self.scene.shop.journal.clear()
        asked = PushDemand(entity=entity, **demand)
        await run(activities.enqueue_demand, EnqueueDemandInput(**ref, demand=asked))
        take = PushTake(database, self.opener, LeftToSweeper())
        lane = LaneRef(tenant_id=self.scene.tenant_id, kind=LaneKind.PUSH, key=self.scene.store_id)
        while await take(FakeTurn(lane, 1, datetime.now(UTC), LADDER_S, lambda: False)):
            pass
        counts: PushCounts = await run(
            activities.watch_demand, WatchDemandInput(**ref, entity=entity)
        )
        return counts

    def writes(self) -> Counter[str]:
        """How often the shop was written to, by route."""
        asked = self.scene.requests(ROUTES)
        return Counter(one["path"].removeprefix(ROUTES) for one in asked if one["method"] != "GET")

    def emails(self) -> set[str]:
        table = self.scene.shop.shop.tables["customers"]
        told = {table.document(row)["email"] for row in table.rows.values()}
        return {one for one in told if one.endswith("@hub.test")}

    async def ids(self, table: str) -> list[int]:
        return [one[0] for one in await self.scene.rows(f"select id from {table} order by id")]


@pytest.fixture
async def desk(open_scene: OpenScene) -> Desk:
    scene = await open_scene(products=12, orders=0, customers=0)
    hub = scene.hub
    opener = StoreOpener(hub.database, hub.box, hub.registry, hub.session)
    store = await opener.open(scene.tenant_id, scene.store_id)
    assert isinstance(store.client, ReadsPages)
    page = await store.client.fetch_page(Entity.PRODUCTS, 1)
    async with hub.database.tenant(scene.tenant_id) as connection:
        origin = Origin(scene.tenant_id, scene.store_id)
        await apply(connection, origin, Entity.PRODUCTS, page)
    home_id = await new_store(hub.database, scene.tenant_id, code="home")
    home = Room(hub.database, scene.tenant_id, home_id)
    people = [customer(str(one), f"c{one}@hub.test") for one in range(3)]
    await home.take(CUSTOMERS, *people)
    return Desk(scene, opener, home)


def all_but(*left_out: int) -> set[str]:
    return {f"c{one}@hub.test" for one in range(3) if one not in left_out}


async def test_customer_ids_bound_who_is_sent(desk: Desk) -> None:
    first, second, _ = await desk.ids("customers")
    counts = await desk.ask(CUSTOMERS, record_ids=(first, second))
    assert counts == PushCounts(queued=2, sent=2)
    assert desk.emails() == all_but(2)
    assert desk.writes() == {"customers/batch": 1}


async def test_sync_all_sends_all(desk: Desk) -> None:
    assert (await desk.ask(CUSTOMERS, all_records=True)).sent == 3
    assert desk.emails() == all_but()
    assert desk.writes() == {"customers/batch": 1}


async def test_a_limit_bounds_the_total(desk: Desk) -> None:
    assert (await desk.ask(CUSTOMERS, all_records=True, limit=1)).sent == 1
    assert desk.emails() == all_but(1, 2)


async def test_modified_since_leaves_out_what_is_older(desk: Desk) -> None:
    first, *_ = await desk.ids("customers")
    await desk.scene.rows(
        "update customers set updated_at = :old where id = :id", old=OLD, id=first
    )
    since = datetime.now(UTC) - timedelta(hours=1)
    assert (await desk.ask(CUSTOMERS, modified_since=since)).sent == 2
    assert desk.emails() == all_but(0)


async def test_what_the_shop_has_is_not_written_again_unless_forced(desk: Desk) -> None:
    await desk.ask(CUSTOMERS, all_records=True)
    assert (await desk.ask(CUSTOMERS, all_records=True)).sent == 3
    assert desk.writes() == {}
    table = desk.scene.shop.shop.tables["customers"]
    before = table.version
    assert (await desk.ask(CUSTOMERS, all_records=True, force=True)).sent == 3
    assert desk.writes() == {"customers/batch": 1}
    assert table.version > before
    assert desk.emails() == all_but()


async def test_nothing_is_asked_of_the_shop_for_nobody(desk: Desk) -> None:
    future = datetime.now(UTC) + timedelta(hours=1)
    assert await desk.ask(CUSTOMERS, modified_since=future) == PushCounts()
    assert desk.scene.requests(ROUTES) == []


async def _lower_all(desk: Desk) -> None:
    """Somebody takes one of everything out of the hub's warehouse."""
    await desk.scene.rows("update inventory_levels set on_hand = on_hand - 1, updated_at = now()")


def written_stock(desk: Desk) -> int:
    """How many requests wrote stock: of products, and of variations."""
    return sum(desk.writes().values())


async def test_product_ids_bound_whose_stock_is_sent(desk: Desk) -> None:
    await _lower_all(desk)
    counted = await desk.scene.rows(
        "select distinct v.product_id from product_variants v join inventory_levels i"
        " on i.variant_id = v.id order by 1"
    )
    [(product_id,), *others] = counted
    assert others
    some = await desk.ask(INVENTORY, record_ids=(product_id,))
    assert (some.failed, written_stock(desk)) == (0, 1)
    everything = await desk.ask(INVENTORY, all_records=True)
    assert everything.queued == everything.sent > some.sent > 0
    shown = await desk.scene.rows(
        "select b.agreed = i.on_hand from store_levels b join inventory_levels i"
        " on i.variant_id = b.variant_id"
    )
    assert set(shown) == {(True,)}


async def test_stock_modified_since_leaves_out_older_levels(desk: Desk) -> None:
    await _lower_all(desk)
    await desk.scene.rows("update inventory_levels set updated_at = :old", old=OLD)
    [(variant_id,)] = await desk.scene.rows(
        "update inventory_levels set updated_at = now() where variant_id ="
        " (select min(variant_id) from inventory_levels) returning variant_id"
    )
    assert variant_id
    since = datetime.now(UTC) - timedelta(hours=1)
    assert await desk.ask(INVENTORY, modified_since=since) == PushCounts(queued=1, sent=1)
    assert written_stock(desk) == 1


async def test_stock_that_is_alike_is_written_when_it_is_forced(desk: Desk) -> None:
    await desk.ask(INVENTORY, all_records=True)
    assert written_stock(desk) == 0
    counts = await desk.ask(INVENTORY, all_records=True, force=True)
    assert counts.sent == counts.queued > 0
    assert written_stock(desk) > 0
