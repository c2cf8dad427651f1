"""One turn of a lane: what it writes, and what it must not write."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from activities import mail
from activities.draining import LaneState, Pace
from activities.lanes import Turn
from domain.errors import (
    StoreUnreachableError,
)
from tests.workflows.lanes import Street
from workflows import policies

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOWN = StoreUnreachableError("the shop does not answer")


async def test_a_turn_works_until_nothing_is_due_and_puts_the_lane_to_sleep(
    street: Street,
) -> None:
    street.take.size = 2
    await street.add(1, 2, 3, 4, 5)
    result = await street.drain(NOW)
    assert (result.state, result.settled, result.next_at) == (LaneState.QUIET, 5, None)
    assert street.take.sent == {1: 1, 2: 1, 3: 1, 4: 1, 5: 1}
    assert (await street.row())["awake"] is False
    found = await street.room.rows("select last_sync_attempt_at from stores where id = :store")
    assert found == [(NOW,)]


async def test_a_turn_on_an_empty_lane_does_nothing(street: Street) -> None:
    assert (await street.drain()).state is LaneState.QUIET
    assert street.take.tried == []


async def test_what_comes_while_a_turn_lingers_is_its_too(street: Street) -> None:
    street.pace = Pace(linger_s=0.5, look_s=0.005)
    running = asyncio.create_task(street.drain())
    await street.once(lambda: bool(street.take.turns))
    await street.add(1)
    assert (await running).settled == 1


async def test_a_turn_ends_when_its_time_is_up_and_leaves_the_lane_awake(street: Street) -> None:
    street.take.size = 1
    street.pace = Pace(most_s=0)
    await street.add(1, 2)
    result = await street.drain()
    assert (result.state, result.settled) == (LaneState.BUSY, 1)
    assert (await street.row())["awake"] is True


async def test_rows_that_are_due_but_not_taken_do_not_keep_a_turn_busy(street: Street) -> None:
    """As events of a record whose first one waits on the ladder."""
    looks = 0

    async def take(_turn: Turn) -> int:
        nonlocal looks
        looks += 1
        return 0

    street.take = take  # type: ignore[assignment]
    street.pace = Pace(linger_s=0.1, look_s=0.02)
    await street.add(1)
    assert (await street.drain()).state is LaneState.QUIET
    assert 2 <= looks <= 8


async def test_a_turn_that_was_replaced_sends_nothing_and_writes_nothing(street: Street) -> None:
    claimed, replaced = asyncio.Event(), asyncio.Event()

    async def stall(turn: Turn) -> None:
        if turn.epoch == 1:
            claimed.set()
            await replaced.wait()

    street.take.before_send = stall
    await street.add(*range(40))
    first = asyncio.create_task(street.drain())
    await claimed.wait()
    second = await street.drain()
    replaced.set()
    assert (await first).state is LaneState.LOST
    assert (second.state, second.settled) == (LaneState.QUIET, 40)
    assert set(street.take.sent.values()) == {1}
    assert (await street.row())["epoch"] == 2


async def test_a_turn_that_was_replaced_fails_nobodys_lane(street: Street) -> None:
    async def replace_and_fail(turn: Turn) -> None:
        if turn.epoch == 1:
            street.take.before_send = None
            await street.drain()
            raise DOWN

    street.take.before_send = replace_and_fail
    await street.add(1)
    assert (await street.drain()).state is LaneState.LOST
    assert await street.shown() == (None, 0, None)
    assert (await street.row())["failures"] == 0


async def test_a_next_turn_waits_for_what_the_one_before_is_writing(street: Street) -> None:
    await street.add(1)
    await street.drain()
    writing = asyncio.Event()

    async def write() -> None:
        turn = street.take.turns[-1]
        async with street.room.database.tenant(street.room.tenant_id) as connection:
            await turn.confirm(connection)
            writing.set()
            await asyncio.sleep(0.2)

    running = asyncio.create_task(write())
    await writing.wait()
    await street.drain()
    assert running.done()
    await running


async def test_a_request_ends_before_its_turn_is_taken_for_dead() -> None:
    request = timedelta(seconds=max(policies.LANE_REQUEST_S, mail.DEADLINE_S))
    for policy, shortest in ((policies.DRAIN, request), (policies.DRAIN_INBOX, timedelta())):
        heartbeat, whole = policy["heartbeat_timeout"], policy["start_to_close_timeout"]
        assert heartbeat is not None
        assert whole is not None
        assert shortest < heartbeat < whole


async def test_only_a_store_that_answers_begins_its_ladder_anew(street: Street) -> None:
    """Rows that are settled without asking the store say nothing of how it is."""

    async def down_at_the_second(turn: Turn) -> None:
        if len(street.take.sent) % 2:
            raise DOWN

    street.take.before_send, street.take.size = down_at_the_second, 1
    at, failures = NOW, []
    for number, hears in enumerate((False, False, True)):
        street.take.hears = hears
        street.take.sent.clear()
        await street.add(2 * number + 1, 2 * number + 2)
        result = await street.drain(at)
        failures.append(result.failures)
        at = result.next_at or at
    assert failures == [1, 2, 1]
