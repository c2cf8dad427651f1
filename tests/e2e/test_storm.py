"""Nothing is lost and nothing doubled while everything is edited and anything is killed."""

import os
from pathlib import Path
from random import Random

from tests.e2e.storm import Storm
from tests.e2e.storm_checks import check_after, check_counters
from tests.e2e.two_way import two_way_world

SEED = int(os.environ.get("KILL_SEED", "7"))


async def test_a_storm_ends_with_hub_and_shops_alike(tmp_path: Path) -> None:
    async with two_way_world(tmp_path) as world:
        storm = Storm(world, Random(SEED))
        await storm.begin()
        await storm.blow(60, kills=4)
        await check_after(storm)
        await check_counters(world)
