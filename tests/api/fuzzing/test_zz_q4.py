import asyncio, cProfile
from tests.api.fuzzing.halves import as_owner
from tests.api.fuzzing.real_ids import RealIds
from tests.api.fuzzing.run import follow, load

async def test_x(served, two):
    schema = load(served, as_owner(two)).include(path_regex=r"^/api/(stores/\{store_id\}$|stores$|inventory/movements|woocommerce-sync/sync/full)")
    p = cProfile.Profile()
    found = await asyncio.to_thread(p.runcall, follow, schema, RealIds(two).fill_in)
    p.dump_stats("/tmp/q4t.prof")
    import collections
    print("CASES", sum(found.statuses.values()))
