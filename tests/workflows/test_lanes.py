"""Lanes at work: workflows, wakes and the sweeper, over real Temporal and PostgreSQL."""

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)

from activities.draining import Pace
from activities.lanes import Turn
from db.lane_failures import resume_lane
from domain.errors import CredentialsError, StoreUnreachableError
from domain.lanes import LaneKind
from runtime.lane_sweeper import LaneSweeper
from tests.workflows.histories import shown
from tests.workflows.lanes import LADDER_S, Street, always, raising
from workflows.waking import LaneWaker

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOWN = StoreUnreachableError("the shop does not answer")


async def wake(waker: LaneWaker, street: Street) -> None:
    await waker.wake(street.room.tenant_id, LaneKind.PUSH, street.room.store_id)


async def ended(handle: WorkflowHandle[Any, Any]) -> Any:
    """The result of the workflow that runs under this id, within a few seconds."""
    async with asyncio.timeout(10):
        return await handle.result()


async def details(handle: WorkflowHandle[Any, Any]) -> str:
    metadata: WorkflowMetadata = await handle.query(
        "__temporal_workflow_metadata", result_type=WorkflowMetadata
    )
    return metadata.current_details


async def test_a_woken_lane_is_worked_off_and_its_workflow_ends(
    street: Street, waker: LaneWaker, temporal_client: Client
) -> None:
    await street.add(1, 2, 3)
    await wake(waker, street)
    handle = temporal_client.get_workflow_handle(street.workflow_id)
    async with street.working(temporal_client):
        assert await ended(handle) == {"state": "quiet", "settled": 3}
    assert await street.left() == []
    described = await handle.describe()
    assert shown(described) == {
        "TenantId": str(street.room.tenant_id),
        "StoreId": str(street.room.store_id),
        "Provider": "woocommerce",
    }
    assert await described.static_summary() == f"push of woocommerce store {street.room.store_id}"


async def test_wakes_that_race_with_the_end_of_drains_strand_no_row(
    street: Street, temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the sweeper, and with all the time a busy machine needs for a wake."""
    monkeypatch.setattr("workflows.waking.LIMIT_S", 20.0)
    street.pace = Pace(linger_s=0, look_s=0.001)
    chance = random.Random(4)
    wakers = [LaneWaker(street.room.database, temporal_client, ladder_s=LADDER_S) for _ in range(3)]

    def drains() -> int:
        return len({turn.epoch for turn in street.take.turns})

    async def produce(first: int) -> int:
        """At least 21 rows, and as many as it takes for drains to end often."""
        for number in range(400):
            await street.add(first + number)
            await wake(chance.choice(wakers), street)
            await asyncio.sleep(chance.random() * 0.15)
            if number >= 20 and drains() > 12:
                break
        return number + 1

    async with street.working(temporal_client):
        made = await asyncio.gather(*(produce(number * 1_000) for number in range(8)))
        assert await street.emptied(within_s=20)
    assert len(street.take.sent) == sum(made)
    assert set(street.take.sent.values()) == {1}
    assert drains() > 12


async def test_a_thousand_rows_cost_few_events_of_history(
    street: Street, waker: LaneWaker, temporal_client: Client
) -> None:
    street.pace = Pace(linger_s=0.5, look_s=0.01)
    async with street.working(temporal_client):
        for number in range(100):
            await street.add(*range(number * 10, number * 10 + 10))
            await wake(waker, street)
            await asyncio.sleep(0.005)
        assert await street.emptied()
        handle = temporal_client.get_workflow_handle(street.workflow_id)
        await ended(handle)
    history = await handle.fetch_history()
    assert len(street.take.sent) == 1_000
    assert len(history.events) <= 20
    assert (await street.row())["epoch"] == 1


async def test_a_drain_whose_worker_stops_is_gone_on_with_by_another(
    street: Street, waker: LaneWaker, temporal_client: Client
) -> None:
    stopped = asyncio.Event()
    street.take.size = 1

    async def hang(_turn: Turn) -> None:
        if len(street.take.sent) == 3 and not stopped.is_set():
            stopped.set()
            await asyncio.sleep(60)

    street.take.before_send = hang
    await street.add(*range(6))
    await wake(waker, street)
    async with street.working(temporal_client):
        await stopped.wait()
    assert len(await street.left()) == 3
    async with street.working(temporal_client):
        assert await street.emptied(within_s=10)
    assert street.take.sent == dict.fromkeys(range(6), 1)


async def test_a_worker_that_stops_hands_a_lingering_drain_over_at_once(
    street: Street, waker: LaneWaker, temporal_client: Client
) -> None:
    street.pace = Pace(linger_s=30, look_s=0.01)
    await street.add(1)
    await wake(waker, street)
    async with street.working(temporal_client, graceful_shutdown_timeout=timedelta(seconds=20)):
        assert await street.emptied()
        began = time.monotonic()
    assert time.monotonic() - began < 5


async def test_a_person_who_resumes_a_lane_does_not_wait_for_the_ladder(
    street: Street, waker: LaneWaker, temporal_client: Client
) -> None:
    street.take.before_send = raising(*[DOWN] * 3)
    await street.add(1)
    await wake(waker, street)
    handle = temporal_client.get_workflow_handle(street.workflow_id)
    async with street.working(temporal_client):
        await street.once_row(lambda row: row["failures"] > 0)
        for number in range(20):
            await street.add(100 + number)
            await wake(waker, street)
        assert "waiting for the store until" in await details(handle)
        assert "the shop does not answer" in await details(handle)
        assert len(street.take.tried) == 3
        async with street.room.database.tenant(street.room.tenant_id) as connection:
            await resume_lane(connection, street.lane)
        await wake(waker, street)
        assert await street.emptied()
        await ended(handle)
    history = await handle.fetch_history()
    signals = [
        one
        for one in history.events
        if one.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert len(signals) == 2, "wakes of a lane that waits cost nothing"


async def test_a_paused_lane_ends_its_workflow_and_starts_again_when_it_is_resumed(
    street: Street, waker: LaneWaker, temporal_client: Client
) -> None:
    street.take.before_send = raising(CredentialsError("401: enter the keys again", status=401))
    await street.add(1)
    await wake(waker, street)
    handle = temporal_client.get_workflow_handle(street.workflow_id)
    async with street.working(temporal_client):
        assert await ended(handle) == {"state": "paused", "settled": 0}
        await wake(waker, street)
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
        async with street.room.database.tenant(street.room.tenant_id) as connection:
            await resume_lane(connection, street.lane)
        await wake(waker, street)
        assert await street.emptied()


async def test_a_cancelled_lane_loses_nothing(
    street: Street, waker: LaneWaker, temporal_client: Client
) -> None:
    street.take.before_send = always(DOWN)
    await street.add(1)
    await wake(waker, street)
    handle = temporal_client.get_workflow_handle(street.workflow_id)
    async with street.working(temporal_client):
        await street.once(lambda: bool(street.take.tried))
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await ended(handle)
        street.take.before_send = None
        await LaneSweeper(street.room.database, waker).sweep(now() + timedelta(hours=1))
        assert await street.emptied()


def now() -> datetime:
    return datetime.now(UTC)
