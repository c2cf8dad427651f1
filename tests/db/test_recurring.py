"""What is done again and again."""

import asyncio
from functools import partial

import pytest
from structlog.testing import capture_logs

from db.recurring import Outage, repeat


class Work:
    """Fails, or not, as it is told."""

    def __init__(self, *failures: BaseException | None) -> None:
        self.failures = list(failures)
        self.times = 0
        self.done = asyncio.Event()

    async def __call__(self) -> None:
        self.times += 1
        failure = self.failures.pop(0)
        if not self.failures:
            self.done.set()
        if failure is not None:
            raise failure


async def test_an_outage_is_told_when_it_begins_and_when_it_ends() -> None:
    away = OSError("away")
    work = Work(None, away, TimeoutError(), None, None, away)
    outage = Outage("not_written")
    with capture_logs() as log:
        for _ in range(6):
            await outage.bear(work)
    assert [(one["event"], one["log_level"]) for one in log] == [
        ("not_written", "warning"),
        ("works_again", "info"),
        ("not_written", "warning"),
    ]
    assert (log[0]["error_type"], log[1]["after"]) == ("OSError", "not_written")


async def test_what_is_no_outage_is_not_borne() -> None:
    work = Work(ValueError("a mistake"))
    with pytest.raises(ValueError, match="a mistake"):
        await repeat(partial(Outage("not_written").bear, work), every_s=0)


async def test_it_goes_on_until_it_is_stopped_and_does_not_wait_then() -> None:
    stop = asyncio.Event()
    work = Work(*[None] * 5)
    going = asyncio.create_task(repeat(work, every_s=0.001, stop=stop))
    await work.done.wait()
    stop.set()
    await going
    assert work.times == 5
    stop.clear()
    patient = Work(None, None)
    waiting = asyncio.create_task(repeat(patient, every_s=3_600, stop=stop))
    await asyncio.sleep(0)
    stop.set()
    async with asyncio.timeout(1):
        await waiting
    assert patient.times == 1
