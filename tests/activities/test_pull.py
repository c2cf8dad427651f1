import asyncio
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.lanes import LeftToSweeper
from activities.models import Counts, PlanPullResult
from activities.taking import Home, Step, take_page
from db.ranges import RangeKey
from domain.entities import Entity
from domain.pages import Page, Rejected
from tests.activities.bench import Bench, run
from tests.db.factories import order
from tests.workflows.truth import compare

ORDERS = Entity.ORDERS


async def pieces(bench: Bench) -> list[tuple[Any, ...]]:
    return await bench.scene.rows(
        "select name, resume, done, pages, seen from sync_ranges order by 1"
    )


async def test_a_plan_tells_the_length_of_the_list_and_notes_the_shops_clock(bench: Bench) -> None:
    assert await run(bench.pull.plan_pull, bench.ref) == PlanPullResult(
        total=bench.count(), total_pages=5
    )
    assert await bench.scene.rows(
        "select entity, total, phase, abs(extract(epoch from changed_since - now())) < 30"
        " from sync_run_entities"
    ) == [("orders", bench.count(), "pages", True)]


async def test_a_run_of_pages_is_read_applied_and_remembered(bench: Bench) -> None:
    result = await run(bench.pull.pull_range, bench.range_of(1, 5))
    size = bench.count() - len(bench.drafts())
    assert result.counts == Counts(seen=size, created=size, pages=5)
    assert result.total_pages == 5
    assert await pieces(bench) == [("p1-5", "6", True, 5, size)]
    assert bench.scene.pages_read(ORDERS) == [1, 2, 3, 4, 5]
    assert (await compare(bench.scene))[ORDERS].missing == ()


async def test_a_run_of_pages_that_is_done_is_not_read_again(bench: Bench) -> None:
    first = await run(bench.pull.pull_range, bench.range_of(1, 3))
    bench.scene.shop.journal.clear()
    again = await run(bench.pull.pull_range, bench.range_of(1, 3))
    assert again.counts == first.counts
    assert bench.scene.requests() == []


async def test_what_broke_off_goes_on_at_the_page_where_it_was(bench: Bench) -> None:
    bench.scene.fail("error", status=500, path="/wc/v3/orders", nth=3)
    with pytest.raises(ApplicationError, match="500"):
        await run(bench.pull.pull_range, bench.range_of(1, 5))
    [(name, resume, is_done, pages, seen)] = await pieces(bench)
    assert (name, resume, is_done, pages) == ("p1-5", "3", False, 2)
    bench.scene.shop.journal.clear()
    result = await run(bench.pull.pull_range, bench.range_of(1, 5))
    size = bench.count() - len(bench.drafts())
    assert bench.scene.pages_read(ORDERS) == [3, 4, 5]
    assert (result.counts, seen < size) == (Counts(seen=size, created=size, pages=5), True)
    assert len(await bench.scene.rows("select from changes where entity = 'orders'")) == size


async def test_a_reading_that_is_cancelled_stops_at_once_between_two_pages(bench: Bench) -> None:
    bench.scene.fail("slow", path="/wc/v3/orders", delay_s=0.1)
    environment = ActivityEnvironment()
    reading = asyncio.ensure_future(run(bench.pull.pull_range, bench.range_of(1, 5), environment))
    await bench.scene.pages_of(ORDERS, at_least=2)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    [(_, resume, is_done, pages, seen)] = await pieces(bench)
    assert (is_done, int(resume) - 1) == (False, pages)
    assert await bench.scene.rows("select count(*) from orders") == [(seen,)]


async def test_an_attempt_that_was_replaced_and_goes_on_all_the_same_counts_nothing_twice(
    bench: Bench,
) -> None:
    bench.scene.fail("slow", path="/wc/v3/orders", delay_s=0.05)
    results = await asyncio.gather(
        *(run(bench.pull.pull_range, bench.range_of(1, 5)) for _ in range(2))
    )
    size = bench.count() - len(bench.drafts())
    whole = Counts(seen=size, created=size, pages=5)
    assert [result.counts for result in results] == [whole, whole]
    assert await pieces(bench) == [("p1-5", "6", True, 5, size)]


async def test_a_reading_beats_at_once_and_with_every_page(bench: Bench) -> None:
    beats: list[tuple[object, ...]] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details)
    await run(bench.pull.pull_range, bench.range_of(1, 3), environment)
    assert beats[0] == ()
    # Where the machine is busy, it beats between them too.
    assert sorted(beat for beat in beats if beat) == [(1,), (2,), (3,)]


async def test_pages_past_the_end_of_a_list_that_shrank_are_empty(bench: Bench) -> None:
    result = await run(bench.pull.pull_range, bench.range_of(5, 7))
    assert (result.counts.pages, result.total_pages) == (3, 5)


async def test_what_changed_is_read_once_and_moves_the_bound(bench: Bench) -> None:
    await run(bench.pull.plan_pull, bench.ref)
    await run(bench.pull.pull_range, bench.range_of(1, 5))
    shop = bench.scene.shop.shop
    edited = shop.tables["orders"].ids()[:3]
    for number in edited:
        shop.edit("orders", number, {"customer_note": "changed"})
    bound = "select changed_since from sync_run_entities"
    before = await bench.scene.rows(bound)
    assert await run(bench.pull.pull_changes, bench.changes("c1")) == Counts(updated=3, pages=1)
    assert (await bench.scene.rows(bound)) >= before
    notes = "select count(*) from orders where customer_note = 'changed'"
    assert await bench.scene.rows(notes) == [(3,)]
    bench.scene.shop.journal.clear()
    assert await run(bench.pull.pull_changes, bench.changes("c1")) == Counts(updated=3, pages=1)
    assert bench.scene.requests() == []
    assert await run(bench.pull.pull_changes, bench.changes("c2", 2)) == Counts(pages=1)


async def test_before_a_first_page_was_read_there_is_nothing_to_catch_up_with(bench: Bench) -> None:
    assert await run(bench.pull.pull_changes, bench.changes("c1")) == Counts()
    assert bench.scene.requests() == []


async def test_a_page_is_taken_in_whole_even_if_the_database_cannot_keep_one_of_it(
    bench: Bench,
) -> None:
    key = RangeKey(bench.scene.tenant_id, bench.run_id, ORDERS, "p1-1")
    page: Page[Any] = Page(
        records=(order("1"), order("2", currency="EURO"), order("3")),
        rejected=(Rejected(None, 7, "id: Field required"),),
    )
    step = Step(place="page 1", resume="2", is_done=True)
    counts = await take_page(
        Home(bench.scene.hub.database, LeftToSweeper()), bench.scene.store_id, key, page, step
    )
    assert counts == Counts(seen=4, created=2, rejected=2, pages=1)
    assert [row[1:] for row in await pieces(bench)] == [("2", True, 1, 4)]
    assert await bench.scene.rows("select key, reason from sync_rejections order by 1") == [
        (
            "2",
            "the database cannot keep it: value too long for type character varying(3)",
        ),
        ("page 1#7", "id: Field required"),
    ]


async def test_in_catching_up_only_what_is_new_is_counted_as_seen(bench: Bench) -> None:
    key = RangeKey(bench.scene.tenant_id, bench.run_id, ORDERS, "r1")
    database, store_id = bench.scene.hub.database, bench.scene.store_id
    whole = Step(place="page 1", resume="2", is_done=True)
    page: Page[Any] = Page(records=(order("1"), order("2")))
    await take_page(Home(database, LeftToSweeper()), store_id, key, page, whole)
    again: Page[Any] = Page(
        records=(order("1"), order("2", version=1, number="B"), order("3")), skipped=("4",)
    )
    step = Step(place="page 1", resume="", is_done=False, is_catch_up=True, collect=True)
    counts = await take_page(Home(database, LeftToSweeper()), store_id, key, again, step)
    assert counts == Counts(seen=1, created=1, updated=1, pages=1)
    collected = "select external_id from sweep_ids order by 1"
    assert await bench.scene.rows(collected) == [("1",), ("2",), ("3",), ("4",)]
