"""How what somebody asked for gets into the outbox: in parts, once, and to one run at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.exceptions import ApplicationError

from activities.demand_models import PushCounts
from db import demanded_pushes
from db.demanded_pushes import list_meant
from domain.entities import Entity
from domain.errors import StoreGoneError
from tests.activities.demand_desk import Desk

CUSTOMERS = Entity.CUSTOMERS
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def test_a_limit_bounds_what_is_sent(desk: Desk) -> None:
    assert (await desk.ask(CUSTOMERS, all_records=True, limit=2)).queued == 2


async def test_the_same_step_twice_asks_once(desk: Desk) -> None:
    """An activity that was killed after its commit runs again, when half is sent already."""
    await desk.ask(CUSTOMERS, all_records=True)
    await desk.room.drain()
    again = await desk.ask(CUSTOMERS, run_id=desk.runs[0], all_records=True)
    assert (again.queued, again.sent, await desk.room.rows()) == (3, 3, [])


async def test_many_are_asked_for_in_parts_and_gone_on_with_after_a_kill(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demanded_pushes, "_MOST_AT_ONCE", 1)
    monkeypatch.setattr(demanded_pushes, "list_meant", _killed_at_the_third(list_meant))
    with pytest.raises(ApplicationError):
        await desk.ask(CUSTOMERS, all_records=True)
    [(run_id,)] = await desk.room.home.rows("select id from sync_runs order by id desc limit 1")
    assert await desk.watch(CUSTOMERS, run_id) == PushCounts(queued=2, waiting=2, skipped=1)
    await desk.room.drain()
    counts = await desk.ask(CUSTOMERS, run_id=run_id, all_records=True)
    assert counts == PushCounts(queued=3, sent=2, waiting=1, skipped=1)


def _killed_at_the_third(real: Callable[..., Awaitable[Sequence[int]]]) -> Callable[..., Any]:
    calls = 0

    async def killed(*args: Any, **named: Any) -> Sequence[int]:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise StoreGoneError("killed")
        return await real(*args, **named)

    return killed


@pytest.mark.parametrize("limit", [1, 2])
async def test_a_limit_holds_over_the_parts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(demanded_pushes, "_MOST_AT_ONCE", 1)
    assert (await desk.ask(CUSTOMERS, all_records=True, limit=limit)).queued == limit


async def test_a_record_asked_for_again_goes_on_under_the_later_run(desk: Desk) -> None:
    await desk.ask(CUSTOMERS, all_records=True)
    await desk.ask(CUSTOMERS, record_ids=[await desk.id_of("2")])
    first, second = desk.runs
    before = await desk.watch(CUSTOMERS, first)
    assert (before.queued, before.waiting, before.passed_on) == (3, 2, 1)
    await desk.room.drain()
    after = await desk.watch(CUSTOMERS, first)
    assert (after.sent, after.passed_on, after.failed) == (2, 1, 0)
    assert await desk.watch(CUSTOMERS, second) == PushCounts(queued=1, sent=1)


async def test_two_who_ask_at_once_count_every_row_once(desk: Desk) -> None:
    await asyncio.gather(*(desk.ask(CUSTOMERS, all_records=True) for _ in range(4)))
    told = [await desk.watch(CUSTOMERS, run_id) for run_id in desk.runs]
    assert sum(one.waiting for one in told) == 3
    assert all(one.waiting + one.passed_on == 3 for one in told)


async def test_what_is_edited_while_a_later_demand_waits_stays_with_the_earlier_one(
    desk: Desk,
) -> None:
    first, second = await desk.id_of("1"), await desk.id_of("2")
    await desk.room.home.rows("update customers set updated_at = :at", at=LONG_AGO)
    await desk.room.home.rows("update customers set updated_at = now() where id = :id", id=first)
    await desk.ask(CUSTOMERS, record_ids=(first, second))
    since = datetime.now(UTC) - timedelta(minutes=1)
    async with desk.room.home.database.tenant(desk.room.home.tenant_id) as connection:
        held = text("select from pushes where record_id = :id for update")
        await connection.execute(held, {"id": first})
        asking = asyncio.create_task(desk.ask(CUSTOMERS, modified_since=since))
        await _is_blocked(desk)
        await desk.room.home.rows("update customers set updated_at = now() where id <> :id", id=0)
    assert (await asking).queued == 1
    earlier = await desk.watch(CUSTOMERS, desk.runs[0])
    assert (earlier.waiting, earlier.passed_on, earlier.failed) == (1, 1, 0)


async def _is_blocked(desk: Desk) -> None:
    async with asyncio.timeout(5):
        while not await desk.room.home.rows(  # noqa: ASYNC110
            "select from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)
