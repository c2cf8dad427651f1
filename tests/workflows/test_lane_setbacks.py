"""What becomes of a lane, or of a row, that fails."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.draining import DrainInput, LaneActivities, LaneState
from activities.lanes import Turn
from db.alerts import AlertKind
from db.lane_failures import resume_lane, resume_store_lanes
from db.runs import RunKey, end_run
from db.sync_runs import begin_sync_run
from domain.errors import (
    CredentialsError,
    EntrepotError,
    PermissionDeniedError,
    RateLimitedError,
    SecretError,
    StoreGoneError,
    StoreSuspendedError,
    StoreUnreachableError,
)
from domain.lanes import LaneKind
from domain.statuses import SyncStatus
from tests.workflows.lanes import Remembering, Street, always, raising

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOWN = StoreUnreachableError("the shop does not answer")


async def test_a_store_that_may_recover_is_tried_twice_more_before_it_counts(
    street: Street,
) -> None:
    street.take.before_send = always(DOWN)
    await street.add(1)
    for attempt in (1, 2):
        with pytest.raises(ApplicationError) as failure:
            await street.drain(NOW, attempt=attempt)
        assert (failure.value.type, failure.value.non_retryable) == ("StoreUnreachableError", False)
        assert (await street.row())["failures"] == 0
    result = await street.drain(NOW)
    assert (result.state, result.failures) == (LaneState.WAITING, 1)
    assert result.next_at == NOW + timedelta(minutes=5)
    assert await street.shown() == ("the shop does not answer", 1, result.next_at)
    assert await street.left() == [(1, "pending", 0)]


async def test_a_lane_that_waits_is_not_tried_and_not_moved_by_a_turn(street: Street) -> None:
    street.take.before_send = always(DOWN)
    await street.add(1)
    first = await street.drain(NOW)
    again = await street.drain(NOW + timedelta(minutes=4))
    assert (again.state, again.next_at, again.reason) == (
        LaneState.WAITING,
        first.next_at,
        "the shop does not answer",
    )
    assert len(street.take.tried) == 1


async def test_the_end_of_the_ladder_pauses_the_lane_with_one_alert_and_keeps_every_row(
    street: Street,
) -> None:
    street.take.before_send = always(DOWN)
    await street.add(1, 2)
    at = NOW
    states = []
    for _ in range(3):
        result = await street.drain(at)
        states.append((result.state, result.failures))
        at = result.next_at or at
    waiting = LaneState.WAITING
    assert states == [(waiting, 1), (waiting, 2), (LaneState.PAUSED, 3)]
    assert at - NOW == timedelta(minutes=20)
    [alert] = await street.alerts()
    assert (alert.kind, alert.event, alert.store_id) == (
        AlertKind.SYNC_FAILED,
        "sync.failed",
        street.room.store_id,
    )
    assert alert.command == f"POST /api/stores/{street.room.store_id}/retry-failed-sync"
    assert "the shop does not answer" in alert.message
    assert street.waker.woken == [(LaneKind.ALERT, street.room.tenant_id)]
    assert await street.shown() == ("the shop does not answer", 3, None)
    assert await street.left() == [(1, "pending", 0), (2, "pending", 0)]
    tried = len(street.take.tried)
    assert (await street.drain(at + timedelta(days=1))).state is LaneState.PAUSED
    assert len(street.take.tried) == tried


@pytest.mark.parametrize(
    "error", [CredentialsError("401: enter the keys again", status=401), SecretError("no key")]
)
async def test_what_waiting_does_not_help_pauses_the_lane_at_once(
    street: Street, error: Exception
) -> None:
    street.take.before_send = raising(error)
    await street.add(1)
    result = await street.drain(NOW, attempt=1)
    assert (result.state, result.reason) == (LaneState.PAUSED, str(error))
    assert len(await street.alerts()) == 1
    async with street.room.database.tenant(street.room.tenant_id) as connection:
        await resume_store_lanes(connection, street.room.tenant_id, street.room.store_id)
    assert await street.shown() == (None, 0, None)
    assert (await street.drain(NOW)).settled == 1
    assert await street.alerts() == []


@pytest.mark.parametrize(
    ("error", "paused"),
    [
        (CredentialsError("401", status=401), {"push", "inbox"}),
        (StoreSuspendedError("the shop is closed", status=400), {"push", "inbox"}),
        (PermissionDeniedError("the key may not write", status=403), {"push"}),
        (SecretError("no key"), {"push"}),
    ],
)
async def test_keys_or_a_shop_that_is_closed_stop_both_lanes_with_one_alert(
    street: Street, error: EntrepotError, paused: set[str]
) -> None:
    street.take.before_send = raising(error)
    await street.add(1)
    await street.drain(NOW)
    assert await street.paused() == paused
    [alert] = await street.alerts()
    assert ("its webhooks are kept" in alert.message) == ("inbox" in paused)
    async with street.room.database.tenant(street.room.tenant_id) as connection:
        resumed = await resume_store_lanes(connection, street.room.tenant_id, street.room.store_id)
    assert {one.value for one in resumed} == paused
    assert await street.alerts() == []
    assert await street.paused() == set()


async def test_a_store_has_failed_while_a_lane_is_paused_and_is_well_when_it_worked(
    street: Street,
) -> None:
    room = street.room
    key = RunKey(room.tenant_id, room.store_id, "sync", "sync/1", "run")

    async def sync(status: SyncStatus) -> str:
        async with room.database.tenant(room.tenant_id) as connection:
            run_id = await begin_sync_run(connection, replace(key, workflow_run_id=status.value))
            await end_run(connection, run_id, room.store_id, status=status, error=None)
        return await street.sync_status()

    assert await sync(SyncStatus.SUCCESS) == "success"
    street.take.before_send = always(DOWN)
    await street.add(1)
    seen, at = [], NOW
    for _ in range(3):
        at = (await street.drain(at)).next_at or at
        seen.append(await street.sync_status())
    assert seen == ["success", "success", "failed"]
    # A pull that goes well does not mean that pushes do.
    assert await sync(SyncStatus.SUCCESS) == "failed"
    assert (await street.shown())[:2] == ("the shop does not answer", 3)
    async with room.database.tenant(room.tenant_id) as connection:
        await resume_lane(connection, street.lane)
    assert await street.sync_status() == "pending"
    street.take.before_send = None
    await street.drain(at)
    assert await street.sync_status() == "success"


async def test_a_lane_that_recovers_does_not_hide_a_pull_that_failed(street: Street) -> None:
    room = street.room
    street.take.before_send = raising(DOWN)
    await street.add(1)
    failed = await street.drain(NOW)
    async with room.database.tenant(room.tenant_id) as connection:
        run_id = await begin_sync_run(
            connection, RunKey(room.tenant_id, room.store_id, "import", "import/1", "run")
        )
        await end_run(connection, run_id, room.store_id, status=SyncStatus.FAILED, error="no route")
    assert await street.sync_status() == "failed"
    assert failed.next_at is not None
    assert (await street.drain(failed.next_at)).settled == 1
    assert await street.sync_status() == "failed"


@pytest.mark.parametrize(("told_s", "wait_s"), [(45.0, 45), (7_200.0, 7_200), (10.0**9, 6 * 3600)])
async def test_a_store_that_names_a_pause_gets_it_up_to_six_hours(
    street: Street, told_s: float, wait_s: int
) -> None:
    street.take.before_send = always(RateLimitedError("slower", status=429, retry_after_s=told_s))
    await street.add(1)
    result = await street.drain(NOW)
    assert result.next_at == NOW + timedelta(seconds=wait_s)
    assert result.failures == 1


async def test_our_own_budget_makes_the_lane_wait_without_having_failed(street: Street) -> None:
    street.take.before_send = raising(RateLimitedError("in 12 s", retry_after_s=12.0))
    await street.add(1)
    result = await street.drain(NOW, attempt=1)
    assert (result.state, result.failures) == (LaneState.WAITING, 0)
    assert result.next_at == NOW + timedelta(seconds=12)
    assert await street.shown() == (None, 0, None)
    assert (await street.drain(result.next_at)).settled == 1


async def test_the_lane_of_an_inactive_store_lies_still_and_has_not_failed(street: Street) -> None:
    street.take.before_send = always(StoreGoneError("store 1 was deactivated"))
    await street.add(1)
    result = await street.drain(NOW)
    assert (result.state, result.next_at) == (LaneState.SHUT, None)
    row = await street.row()
    assert (row["awake"], row["failures"], row["paused_reason"]) == (False, 0, None)
    assert await street.left() == [(1, "pending", 0)]
    assert await street.alerts() == []


async def test_what_nobody_foresaw_climbs_the_ladder_too_and_its_text_stays_in_the_log(
    street: Street,
) -> None:
    street.take.before_send = always(ValueError("cs_planted"))
    await street.add(1)
    with pytest.raises(ApplicationError):
        await street.drain(NOW, attempt=1)
    result = await street.drain(NOW)
    assert (result.state, result.failures) == (LaneState.WAITING, 1)
    assert result.reason == "unforeseen ValueError; the worker's log has the details"


async def test_a_database_that_is_away_is_nobodys_failure(street: Street) -> None:
    street.take.before_send = always(OSError("connection refused"))
    await street.add(1)
    with pytest.raises(ApplicationError) as failure:
        await street.drain(NOW)
    assert (failure.value.type, failure.value.non_retryable) == ("DatabaseError", False)
    assert (await street.row())["failures"] == 0


async def test_a_lane_that_works_again_shows_it_with_its_first_batch(street: Street) -> None:
    street.take.before_send = raising(DOWN)
    street.take.size = 1
    await street.add(1, 2)
    failed = await street.drain(NOW)
    shown = []

    async def look(_turn: Turn) -> None:
        shown.append((await street.shown())[:2])

    street.take.before_send = look
    assert failed.next_at is not None
    await street.drain(failed.next_at)
    assert shown == [("the shop does not answer", 1), (None, 0)]


async def test_a_row_that_is_refused_goes_down_the_ladder_alone(street: Street) -> None:
    street.take.poison = frozenset({2})
    await street.add(1, 2, 3)
    result = await street.drain(NOW)
    assert result.next_at == NOW + timedelta(minutes=5)
    assert await street.left() == [(2, "pending", 1)]
    assert (await street.row())["failures"] == 0
    again = await street.drain(result.next_at)
    assert again.next_at == result.next_at + timedelta(minutes=15)
    last = await street.drain(again.next_at)
    assert (last.state, last.next_at) == (LaneState.QUIET, None)
    assert await street.left() == [(2, "failed", 3)]


async def test_an_alert_lane_is_never_given_up(street: Street) -> None:
    """Nobody would hear of it."""
    tenant_id = street.room.tenant_id
    waker = Remembering()

    async def take(_turn: Turn) -> int:
        raise DOWN

    lanes = LaneActivities(street.room.database, {LaneKind.ALERT: take}, waker)
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=3)
    args = DrainInput(
        tenant_id=tenant_id, kind=LaneKind.ALERT, key=tenant_id, now=NOW, ladder_s=(0,)
    )
    result = await environment.run(lanes.drain_lane, args)
    assert (result.state, result.next_at) == (LaneState.WAITING, NOW + timedelta(minutes=5))
    assert waker.woken == []
