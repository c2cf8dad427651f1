import asyncio
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.demand_models import PullDemand
from activities.demand_pull import DemandPullActivities, PullDemandInput
from activities.lanes import LeftToSweeper
from activities.models import Counts
from activities.stores import StoreOpener
from domain.entities import Entity
from tests.activities.bench import Bench, run

ORDERS = Entity.ORDERS


def activities(bench: Bench) -> DemandPullActivities:
    hub = bench.scene.hub
    opener = StoreOpener(hub.database, hub.box, hub.registry, hub.session)
    return DemandPullActivities(hub.database, opener, LeftToSweeper())


def asked(bench: Bench, *, is_dry: bool = False, **demand: Any) -> PullDemandInput:
    """Orders that were asked for; the bench's shop has 5 pages of 100 of them."""
    return PullDemandInput(
        tenant_id=bench.scene.tenant_id,
        store_id=bench.scene.store_id,
        run_id=bench.run_id,
        name="demand-0",
        demand=PullDemand(entity=ORDERS, **demand),
        is_dry=is_dry,
    )


def pages(bench: Bench) -> list[int]:
    """The pages that were asked for since the last look."""
    found = bench.scene.pages_read(ORDERS)
    bench.scene.shop.journal.clear()
    return found


async def counted(bench: Bench) -> tuple[int, int]:
    """How many orders are in, and in how many changes that was told."""
    ((orders,),) = await bench.scene.rows("select count(*) from orders")
    ((changes,),) = await bench.scene.rows("select count(*) from changes where entity = 'orders'")
    return orders, changes


@pytest.mark.parametrize("is_dry", [False, True])
async def test_what_broke_off_goes_on_at_the_page_where_it_was(bench: Bench, is_dry: bool) -> None:
    bench.scene.fail("error", status=500, path="/wc/v3/orders", nth=3)
    args = asked(bench, limit=350, page_size=100, is_dry=is_dry)
    with pytest.raises(ApplicationError, match="500"):
        await run(activities(bench).pull_demand, args)
    assert pages(bench) == [1, 2, 3]
    counts = await run(activities(bench).pull_demand, args)
    assert pages(bench) == [3, 4]
    size = counts.seen
    assert counts == Counts(seen=size, created=size, pages=4)
    assert 350 - len(bench.drafts()) <= size <= 350
    assert await counted(bench) == ((0, 0) if is_dry else (size, size))


async def test_what_is_killed_between_two_pages_doubles_nothing(bench: Bench) -> None:
    bench.scene.fail("slow", path="/wc/v3/orders", delay_s=0.1)
    args = asked(bench, limit=400, page_size=100)
    environment = ActivityEnvironment()
    reading = asyncio.ensure_future(run(activities(bench).pull_demand, args, environment))
    await bench.scene.pages_of(ORDERS, at_least=2)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    bench.scene.shop.faults.rules.clear()
    counts = await run(activities(bench).pull_demand, args)
    assert (counts.pages, counts.created) == (4, counts.seen)
    assert await counted(bench) == (counts.seen, counts.seen)


async def test_an_attempt_that_was_replaced_and_goes_on_all_the_same_counts_nothing_twice(
    bench: Bench,
) -> None:
    bench.scene.fail("slow", path="/wc/v3/orders", delay_s=0.05)
    args = asked(bench, limit=200, page_size=50)
    results = await asyncio.gather(*(run(activities(bench).pull_demand, args) for _ in range(2)))
    assert results[0] == results[1]
    assert results[0].pages == 4
    assert await counted(bench) == (results[0].seen, results[0].seen)


async def test_what_is_done_is_not_read_again(bench: Bench) -> None:
    args = asked(bench, limit=20, page_size=20)
    first = await run(activities(bench).pull_demand, args)
    assert pages(bench) == [1]
    assert await run(activities(bench).pull_demand, args) == first
    assert pages(bench) == []


async def test_the_changes_of_a_part_are_told_one_by_one_and_not_as_an_import(
    bench: Bench,
) -> None:
    await run(activities(bench).pull_demand, asked(bench, limit=20, page_size=20))
    assert await bench.scene.rows("select distinct bulk from changes") == [(False,)]


async def test_by_force_an_order_is_as_the_shop_has_it_now_unless_it_is_heard_of_meanwhile(
    bench: Bench,
) -> None:
    scene, args = bench.scene, asked(bench, limit=1, page_size=1, force=True)
    await run(activities(bench).pull_demand, args)
    future = (
        "with ahead as (update links set version = '2099-01-01', base_hash = '', updated_at = now()"
        " where entity = 'orders') update orders set customer_note = 'from the future'"
    )
    note = "select customer_note from orders"
    true = await scene.rows(note)
    await scene.rows(future)
    for name, demand, shown in (
        ("unforced", args.demand.model_copy(update={"force": False}), [("from the future",)]),
        ("forced", args.demand, true),
    ):
        again = args.model_copy(update={"name": name, "demand": demand})
        counts = await run(activities(bench).pull_demand, again)
        assert (counts.updated, await scene.rows(note)) == (int(shown == true), shown)

    scene.fail("slow", path="/wc/v3/orders", delay_s=0.3)
    reading = asyncio.ensure_future(
        run(activities(bench).pull_demand, args.model_copy(update={"name": "meanwhile"}))
    )
    asked_before = len(scene.requests())
    while True:
        await asyncio.sleep(0.01)
        if len(scene.requests()) > asked_before:
            break
    await scene.rows(future)
    assert (await reading).updated == 0
    assert await scene.rows(note) == [("from the future",)]


@pytest.mark.parametrize("is_changes", [False, True])
async def test_by_force_a_whole_reading_takes_what_is_older(bench: Bench, is_changes: bool) -> None:
    await run(bench.pull.plan_pull, bench.ref)
    await run(bench.pull.pull_range, bench.range_of(5, 5))
    await bench.scene.rows(
        "with ahead as (update links set version = '2099-01-01', base_hash = '')"
        " update orders set customer_note = 'from the future'"
    )
    if is_changes:
        await bench.scene.rows("update sync_run_entities set changed_since = '2000-01-01'")
        forced = bench.changes("again").model_copy(update={"force": True})
        await run(bench.pull.pull_changes, forced)
    else:
        again = bench.range_of(5, 5).model_copy(update={"force": True, "name": "again"})
        await run(bench.pull.pull_range, again)
    ahead = "select count(*) from orders where customer_note = 'from the future'"
    assert await bench.scene.rows(ahead) == [(0,)]


async def test_a_filter_that_the_list_does_not_have_is_refused_for_good(bench: Bench) -> None:
    args = asked(bench, limit=5).model_copy(
        update={"demand": PullDemand(entity=Entity.CUSTOMERS, status="any")}
    )
    with pytest.raises(
        ApplicationError, match="customers cannot be asked for by status"
    ) as failure:
        await run(activities(bench).pull_demand, args)
    assert (failure.value.type, failure.value.non_retryable) == ("RequestRejectedError", True)
