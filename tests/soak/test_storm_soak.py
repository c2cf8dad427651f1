"""A hundred kills over storm after storm, on the same two shops and the same hub.

`SOAK_KILLS`, `SOAK_KILLS_PER_STORM`, `SOAK_STEPS` (of a storm) and `KILL_SEED` make it shorter,
longer or different.
"""

import os
from pathlib import Path
from random import Random

import pytest
import structlog

from tests.e2e.storm import Storm
from tests.e2e.storm_checks import check_after, check_counters
from tests.e2e.two_way import two_way_world

KILLS = int(os.environ.get("SOAK_KILLS", "100"))
PER_STORM = int(os.environ.get("SOAK_KILLS_PER_STORM", "5"))
STEPS = int(os.environ.get("SOAK_STEPS", "90"))
SEED = int(os.environ.get("KILL_SEED", "1"))

_log = structlog.get_logger(__name__)


@pytest.mark.soak
async def test_no_storm_ever_loses_or_doubles_anything(tmp_path: Path) -> None:
    async with two_way_world(tmp_path) as world:
        storm = Storm(world, Random(SEED))
        await storm.begin()
        while (left := KILLS - storm.killed.total()) > 0:
            await storm.blow(STEPS, kills=min(PER_STORM, left))
            await check_after(storm)
            _log.info(
                "storm_passed", killed=dict(storm.killed), done=dict(storm.done), off=storm.off
            )
        await check_counters(world)
