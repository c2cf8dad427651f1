import asyncio

import pytest

from api.remembered import Remembered


class Oracle:
    """Counts how often it was asked, and answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> int:
        self.asked += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.asked


async def test_a_crowd_makes_one_finding_and_it_is_kept_for_its_time() -> None:
    clock, oracle = [0.0], Oracle()
    kept: Remembered[int] = Remembered(lambda: clock[0])
    oracle.gate.clear()
    crowd = [asyncio.create_task(kept.get("a", oracle, keep_s=60)) for _ in range(50)]
    await asyncio.sleep(0)
    oracle.gate.set()
    assert await asyncio.gather(*crowd) == [1] * 50
    clock[0] = 59.9
    assert await kept.get("a", oracle, keep_s=60) == 1
    assert await kept.get("b", oracle, keep_s=60) == 2
    clock[0] = 60.0
    assert await kept.get("a", oracle, keep_s=60) == 3


async def test_who_leaves_takes_nothing_from_the_others() -> None:
    oracle = Oracle()
    kept: Remembered[int] = Remembered()
    oracle.gate.clear()
    first = asyncio.create_task(kept.get("a", oracle, keep_s=60))
    second = asyncio.create_task(kept.get("a", oracle, keep_s=60))
    await asyncio.sleep(0)
    first.cancel()
    oracle.gate.set()
    assert await second == 1
    assert oracle.asked == 1


async def test_a_failure_is_kept_for_a_shorter_time() -> None:
    clock, oracle = [0.0], Oracle()
    kept: Remembered[int] = Remembered(lambda: clock[0])
    oracle.error = ValueError("no")
    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            await kept.get("a", oracle, keep_s=60, keep_failure_s=5)
    assert oracle.asked == 1
    clock[0], oracle.error = 5.0, None
    assert await kept.get("a", oracle, keep_s=60, keep_failure_s=5) == 2


async def test_the_oldest_goes_when_there_are_too_many() -> None:
    oracle = Oracle()
    kept: Remembered[int] = Remembered()
    for key in range(1_001):
        await kept.get(key, oracle, keep_s=60)
    assert await kept.get(1_000, oracle, keep_s=60) == 1_001
    assert await kept.get(0, oracle, keep_s=60) == 1_002
