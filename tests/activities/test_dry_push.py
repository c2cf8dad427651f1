"""What a push would do is told record by record, and no request of it but reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.demand_models import PushCounts, PushDemand
from activities.demand_pushes import (
    DemandPushActivities,
    EnqueueDemandInput,
    WatchDemandInput,
)
from activities.dry_push import DryRunActivities, NotePushInput
from activities.models import RunRef
from db.demanded_pushes import PushProgress, count_all
from domain.entities import Entity
from domain.errors import StoreUnreachableError
from domain.pages import IdsPage, Listing, Page, Pulled
from domain.pushing import Wanted
from domain.records import Product, Record
from domain.sync_settings import ConflictPolicy, StoreSettings
from tests.activities.push_room import EVERYTHING, MemoryShop, PushRoom
from tests.activities.test_push_stock import Stall
from tests.db.dumps import tenant_dump
from tests.db.factories import customer, order, product, variant

PRODUCTS, CUSTOMERS, INVENTORY = Entity.PRODUCTS, Entity.CUSTOMERS, Entity.INVENTORY
ORDERS = Entity.ORDERS


class ReadableShop(MemoryShop):
    """A shop in memory that is read by id."""

    async def fetch_by_ids(self, entity: Entity, external_ids: Sequence[str]) -> Page[Record]:
        return Page(records=tuple(self.pulled(entity, key) for key in external_ids))

    async def fetch_listing(self, entity: Entity) -> Listing:
        raise NotImplementedError

    async def fetch_page(self, entity: Entity, number: int) -> Page[Record]:
        raise NotImplementedError

    async def fetch_ids(self, entity: Entity, number: int) -> IdsPage:
        raise NotImplementedError


class SparingShop(MemoryShop):
    """A shop that no SKU is said to twice."""

    def spared(self, record: Record, base: Record | None) -> frozenset[str]:
        assert isinstance(record, Product)
        assert base is not None
        return frozenset(f"variants.{one.external_id}.sku" for one in record.variants)


_RUN = (
    "insert into sync_runs (tenant_id, store_id, kind, workflow_id, workflow_run_id, status,"
    " is_dry) values (:tenant, :store, 'demand', 'demand/1/x', 'r', 'in_progress', :dry)"
    " returning id"
)


async def new_run(room: PushRoom, *, is_dry: bool = True) -> int:
    [(run_id,)] = await room.away.rows(_RUN, tenant=room.away.tenant_id, dry=is_dry)
    return int(run_id)


async def note(room: PushRoom, run_id: int, demand: PushDemand) -> PushCounts:
    activities = DryRunActivities(room.home.database, room.opener)
    args = NotePushInput(
        tenant_id=room.away.tenant_id, store_id=room.away.store_id, run_id=run_id, demand=demand
    )
    counts: PushCounts = await ActivityEnvironment().run(activities.note_push, args)
    return counts


async def push(room: PushRoom, run_id: int, demand: PushDemand) -> PushCounts:
    """The same in earnest: what it counts in the end."""
    activities = DemandPushActivities(room.away.database, room.lane, watch_s=0)
    run = RunRef(tenant_id=room.away.tenant_id, store_id=room.away.store_id, run_id=run_id)
    await ActivityEnvironment().run(
        activities.enqueue_demand, EnqueueDemandInput(**run.model_dump(), demand=demand)
    )
    await room.drain()
    counts: PushCounts = await ActivityEnvironment().run(
        activities.watch_demand, WatchDemandInput(**run.model_dump(), entity=demand.entity)
    )
    return counts


async def diffs(room: PushRoom, run_id: int) -> dict[int, tuple[Any, ...]]:
    found = await room.away.rows(
        "select record_id, action, external_id, fields from run_diffs"
        " where run_id = :run and way = 'push' order by id",
        run=run_id,
    )
    return {row[0]: row[1:] for row in found}


async def test_a_dry_push_tells_per_field_and_sends_nothing(room: PushRoom) -> None:
    room.shop.table(PRODUCTS)["80"] = product("80", variant("81", sku="SAME")).record
    await room.come_in(PRODUCTS, product("1"), product("2"))
    await room.drain()
    await room.come_in(
        PRODUCTS,
        product("1", version=1, title="Edited"),
        product("3", title="New"),
        product("4", variant("4", sku="SAME"), title="Ours"),
    )
    run_id = await new_run(room)
    requests = len(room.shop.requests)
    async with room.away.database.tenant(room.away.tenant_id) as connection:
        before = await tenant_dump(connection)
    demand = PushDemand(entity=PRODUCTS, all_records=True)
    assert await note(room, run_id, demand) == PushCounts(queued=4, sent=4)
    async with room.away.database.tenant(room.away.tenant_id) as connection:
        after = await tenant_dump(connection)
    assert {name for name, rows in after.items() if rows != before[name]} == {
        "run_diffs",
        "run_pushes",
        "sync_ranges",
    }
    async with room.away.database.tenant(room.away.tenant_id) as connection:
        shown = await count_all(connection, run_id)
    assert shown == {"products": PushProgress(queued=4, sent=4)}
    assert len(room.shop.requests) == requests
    ids = {key: await room.home.record_id("products", key) for key in ("1", "2", "3", "4")}
    told = await diffs(room, run_id)
    assert {key: told[ids[key]][0] for key in ("1", "3", "4")} == {
        "1": "update",
        "3": "create",
        "4": "match",
    }
    assert ids["2"] not in told
    assert told[ids["1"]][2] == {"title": {"from": "Product 1", "to": "Edited"}}
    assert told[ids["3"]][2]["title"] == {"from": None, "to": "New"}
    assert told[ids["3"]][2]["variants.new-1.price"] == {"from": None, "to": "10"}
    assert told[ids["4"]][1:] == ("80", {"title": {"from": "Product 80", "to": "Ours"}})
    assert await note(room, run_id, demand) == PushCounts(queued=4, sent=4)
    assert await diffs(room, run_id) == told


async def test_what_is_told_is_what_the_push_then_sends(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"), product("2"), product("3"))
    await room.drain()
    edited = product("2", variant("2", price="12"), version=1, description="fine")
    await room.come_in(PRODUCTS, product("1", version=1, title="Edited"), edited, product("5"))
    demand = PushDemand(entity=PRODUCTS, all_records=True)
    dry, real = await new_run(room), await new_run(room, is_dry=False)
    counts = await note(room, dry, demand)
    room.shop.requests.clear()
    done = await push(room, real, demand)
    told = await diffs(room, dry)
    sent = {one.key: one for call in room.shop.requests for one in call}
    keys = {await room.key_of(key): await room.home.record_id("products", key) for key in "125"}
    assert set(sent) == set(keys)
    assert set(told) == set(keys.values())
    for key, record_id in keys.items():
        is_new = sent[key].external_id is None
        assert told[record_id][0] == ("create" if is_new else "update")
    assert done == counts


async def test_by_force_all_is_told_but_what_is_spared(room: PushRoom) -> None:
    room.shop = room.opener.shop = SparingShop()
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    run_id = await new_run(room)
    demand = PushDemand(entity=PRODUCTS, all_records=True, force=True)
    assert await note(room, run_id, demand) == PushCounts(queued=1, sent=1)
    [(action, _, fields)] = (await diffs(room, run_id)).values()
    assert action == "update"
    assert fields["title"] == {"from": "Product 1", "to": "Product 1"}
    assert {path.rpartition(".")[2] for path in fields} >= {"price", "barcode"}
    assert not [path for path in fields if path.endswith(".sku")]


async def test_what_cannot_be_sent_is_told_with_the_reason(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1", currency="USD"))
    await room.home.rows(
        'update stores set facts = \'{"currency": "EUR"}\' where id = :id', id=room.away.store_id
    )
    run_id = await new_run(room)
    counts = await note(room, run_id, PushDemand(entity=PRODUCTS, all_records=True))
    assert counts == PushCounts(queued=1, failed=1)
    [(action, _, fields)] = (await diffs(room, run_id)).values()
    assert action == "unsupported"
    assert "currency" in fields["reason"]["to"]


async def test_guests_are_skipped_as_a_push_skips_them(room: PushRoom) -> None:
    await room.come_in(CUSTOMERS, customer("1"), customer("2", "g@example.test", is_guest=True))
    run_id = await new_run(room)
    counts = await note(room, run_id, PushDemand(entity=CUSTOMERS, all_records=True))
    assert counts == PushCounts(queued=1, sent=1, skipped=1)


@pytest.mark.parametrize("limit", [1, 3, None])
async def test_the_limit_bounds_what_is_looked_at(room: PushRoom, limit: int | None) -> None:
    await room.come_in(PRODUCTS, *(product(str(number)) for number in range(5)))
    run_id = await new_run(room)
    demand = PushDemand(entity=PRODUCTS, all_records=True, limit=limit)
    assert (await note(room, run_id, demand)).queued == (limit or 5)
    assert len(await diffs(room, run_id)) == (limit or 5)


async def test_stock_is_told_with_what_the_store_shows(room: PushRoom) -> None:
    stall = await Stall.set_up(room)
    await stall.sell_in_the_hub(3)
    run_id = await new_run(room)
    counts = await note(room, run_id, PushDemand(entity=INVENTORY, all_records=True))
    assert counts == PushCounts(queued=1, sent=1)
    [(action, external_id, fields)] = (await diffs(room, run_id)).values()
    assert (action, external_id) == ("update", stall.key)
    assert fields == {"available": {"from": "10", "to": "7"}}
    assert stall.shop.writes == []


async def test_what_a_person_would_have_to_decide_is_told(room: PushRoom) -> None:
    room.shop = room.opener.shop = ReadableShop()
    chosen = StoreSettings(sync_directions=EVERYTHING, conflict_policy=ConflictPolicy.MANUAL)
    await room.come_in(PRODUCTS, product("1", title="Tea"))
    await room.drain()
    room.opener.settings = chosen
    await room.away.rows(
        "update stores set settings = cast(:settings as jsonb) where id = :store",
        settings=chosen.model_dump_json(by_alias=True),
    )
    [(key,)] = await room.links("products")
    theirs = room.shop.table(PRODUCTS)[key]
    room.shop.table(PRODUCTS)[key] = theirs.model_copy(update={"title": "Theirs"})
    await room.come_in(PRODUCTS, product("1", version=1, title="Ours"))
    run_id = await new_run(room)
    counts = await note(room, run_id, PushDemand(entity=PRODUCTS, all_records=True))
    assert counts == PushCounts(queued=1, held=1)
    [(action, _, fields)] = (await diffs(room, run_id)).values()
    assert action == "conflict"
    assert fields == {"title": {"from": "Ours", "to": "Theirs", "isHeld": True}}
    assert await room.away.rows("select count(*) from conflicts") == [(0,)]

    real = await new_run(room, is_dry=False)
    assert await push(room, real, PushDemand(entity=PRODUCTS, all_records=True)) == counts
    assert await room.away.rows("select status from conflicts") == [("open",)]
    again = await new_run(room)
    assert await note(room, again, PushDemand(entity=PRODUCTS, all_records=True)) == counts
    assert list((await diffs(room, again)).values()) == [("conflict", key, fields)]


async def test_a_second_try_goes_on_where_the_first_was_killed(
    room: PushRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.dry_push._PAGE", 2)
    await room.come_in(CUSTOMERS, *(customer(str(one), f"c{one}@x.test") for one in range(5)))
    run_id = await new_run(room)
    demand = PushDemand(entity=CUSTOMERS, all_records=True, limit=4)
    find, asked = room.shop.find, 0

    async def killed(wanted: Sequence[Wanted]) -> Mapping[str, Pulled[Record]]:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise StoreUnreachableError("killed")
        return await find(wanted)

    monkeypatch.setattr(room.shop, "find", killed)
    with pytest.raises(ApplicationError):
        await note(room, run_id, demand)
    for _ in range(2):
        assert await note(room, run_id, demand) == PushCounts(queued=4, sent=4)
    assert (asked, len(await diffs(room, run_id))) == (3, 4)


async def test_what_no_database_keeps_is_shown_all_the_same(room: PushRoom) -> None:
    """The store's own words were never kept here: they may be anything."""
    odd = product("80", variant("81", sku="SAME"), title="A\x00B\ud800C", tags=("a\x00",))
    room.shop.table(PRODUCTS)["80"] = odd.record
    await room.come_in(PRODUCTS, product("4", variant("4", sku="SAME"), title="Ours"))
    run_id = await new_run(room)
    counts = await note(room, run_id, PushDemand(entity=PRODUCTS, all_records=True))
    assert counts == PushCounts(queued=1, sent=1)
    [(_, _, fields)] = (await diffs(room, run_id)).values()
    assert fields["title"] == {"from": "AB\ufffdC", "to": "Ours"}


async def test_of_an_order_the_status_is_told_that_its_store_would_get(room: PushRoom) -> None:
    own = order("a1")
    room.shop.table(ORDERS)["a1"] = own.record
    await room.away.take(ORDERS, own, order("a2"))
    await room.away.rows("update orders set status = 'completed' where number = 'a1'")
    await room.away.rows("update links set differs = true where entity = 'orders'")
    run_id = await new_run(room)
    counts = await note(room, run_id, PushDemand(entity=ORDERS, all_records=True))
    [(action, external_id, fields)] = (await diffs(room, run_id)).values()
    assert (action, external_id, counts.sent) == ("update", "a1", counts.queued)
    assert fields["status"]["to"] == "completed"
    assert room.shop.table(ORDERS)["a1"] == own.record
