from activities.models import Counts, SettleSweepResult
from domain.entities import Entity
from tests.activities.bench import Bench, run
from tests.workflows.truth import compare

ORDERS = Entity.ORDERS


async def read_all(bench: Bench) -> None:
    await run(bench.pull.pull_range, bench.range_of(1, 5))
    bench.scene.shop.journal.clear()


async def sweep(bench: Bench) -> SettleSweepResult:
    before = await run(bench.sweep.start_sweep, bench.ref)
    await run(bench.sweep.collect_sweep, bench.ids(1, before.total_pages))
    return await run(bench.sweep.settle_sweep, bench.settled(before))


async def test_a_sweep_over_a_store_that_is_right_reads_ids_alone(bench: Bench) -> None:
    for draft in bench.drafts():
        bench.scene.shop.shop.delete("orders", draft)
    await read_all(bench)
    assert await sweep(bench) == SettleSweepResult(is_trusted=True)
    assert all("_fields=id" in entry["query"] for entry in bench.scene.requests())
    assert await bench.scene.rows("select count(*) from sweep_ids") == [(0,)]


async def test_a_sweep_fetches_what_is_missing_and_removes_what_is_gone(bench: Bench) -> None:
    await read_all(bench)
    shop = bench.scene.shop.shop
    first, second, third = shop.tables["orders"].ids()[:3]
    shop.delete("orders", first)
    shop.trash("orders", second)
    shop.create("orders", {"status": "pending", "billing": {"email": "new@example.test"}})
    assert await sweep(bench) == SettleSweepResult(
        is_trusted=True, counts=Counts(seen=1, created=1, deleted=2, pages=1)
    )
    verdict = (await compare(bench.scene))[ORDERS]
    assert (verdict.missing, verdict.extra) == ((), ())
    shop.restore("orders", second)
    assert (await sweep(bench)).counts == Counts(updated=1, pages=1)
    assert third in shop.tables["orders"].rows


async def test_a_list_that_moved_meanwhile_makes_the_sweep_one_not_to_be_trusted(
    bench: Bench,
) -> None:
    await read_all(bench)
    shop = bench.scene.shop.shop
    before = await run(bench.sweep.start_sweep, bench.ref)
    await run(bench.sweep.collect_sweep, bench.ids(1, 3))
    shop.delete("orders", shop.tables["orders"].ids()[0])
    await run(bench.sweep.collect_sweep, bench.ids(4, before.total_pages))
    result = await run(bench.sweep.settle_sweep, bench.settled(before))
    assert (result.is_trusted, result.counts.deleted) == (False, 0)
    assert (await compare(bench.scene))[ORDERS].missing == ()
    assert await sweep(bench) == SettleSweepResult(
        is_trusted=True, counts=Counts(deleted=1, pages=1)
    )


async def test_an_addition_that_makes_up_for_a_deletion_is_noticed_by_the_newest_id(
    bench: Bench,
) -> None:
    await read_all(bench)
    shop = bench.scene.shop.shop
    before = await run(bench.sweep.start_sweep, bench.ref)
    shop.delete("orders", shop.tables["orders"].ids()[0])
    shop.create("orders", {"status": "pending"})
    await run(bench.sweep.collect_sweep, bench.ids(1, before.total_pages))
    result = await run(bench.sweep.settle_sweep, bench.settled(before))
    assert result.is_trusted is False


async def test_an_id_that_was_not_seen_is_not_gone_while_the_store_shows_its_record(
    bench: Bench,
) -> None:
    await read_all(bench)
    before = await run(bench.sweep.start_sweep, bench.ref)
    await run(bench.sweep.collect_sweep, bench.ids(2, before.total_pages))
    result = await run(bench.sweep.settle_sweep, bench.settled(before))
    assert result.counts.deleted == 0
    assert (await compare(bench.scene))[ORDERS].missing == ()


async def test_an_activity_that_was_cut_short_may_sweep_the_same_pages_again(bench: Bench) -> None:
    await read_all(bench)
    before = await run(bench.sweep.start_sweep, bench.ref)
    for _ in range(2):
        await run(bench.sweep.collect_sweep, bench.ids(1, before.total_pages))
    assert await bench.scene.rows("select count(*) from sweep_ids") == [(bench.count(),)]
    await run(bench.sweep.start_sweep, bench.ref)
    assert await bench.scene.rows("select count(*) from sweep_ids") == [(0,)]
