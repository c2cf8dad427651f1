"""The ladder of lanes and of rows with its real pauses, on a clock that skips what nobody needs."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from domain.errors import RateLimitedError, StoreUnreachableError
from domain.lanes import LaneKind
from runtime.embedded.temporal import _binary
from tests.workflows.lanes import Street, always, raising, rounded
from workflows.models import LADDER_S
from workflows.search_attributes import ALL
from workflows.waking import LaneWaker

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOWN = StoreUnreachableError("the shop does not answer")
MINUTES_5, MINUTES_15, HOUR, HOURS_3 = (timedelta(seconds=one) for one in LADDER_S[1:])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def skipping() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_time_skipping_v2(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=_binary(),
        dev_server_extra_args=[
            *("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"),
        ],
        search_attributes=list(ALL),
    ) as environment:
        yield environment.client


@pytest.fixture(autouse=True)
def no_quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their seconds are not skipped, and `test_drain` has them."""
    monkeypatch.setattr("activities.errors.QUICK_TRIES", 1)


async def run(street: Street, client: Client) -> Any:
    """Wake the lane and wait for the end of its workflow."""
    waker = LaneWaker(street.room.database, client, ladder_s=LADDER_S)
    await waker.wake(street.room.tenant_id, LaneKind.PUSH, street.room.store_id)
    async with street.working(client), asyncio.timeout(40):
        handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(street.workflow_id)
        return await handle.result()


async def test_a_store_that_stays_down_is_tried_after_5_and_15_minutes_1_and_3_hours(
    street: Street, skipping: Client
) -> None:
    street.take.before_send = always(DOWN)
    await street.add(1, 2)
    assert await run(street, skipping) == {"state": "paused", "settled": 0}
    assert rounded(street.take.tried) == [MINUTES_5, MINUTES_15, HOUR, HOURS_3]
    assert await street.left() == [(1, "pending", 0), (2, "pending", 0)]
    assert (await street.row())["failures"] == 5
    assert len(await street.alerts()) == 1


async def test_a_store_that_comes_back_gets_everything_and_shows_no_failure(
    street: Street, skipping: Client
) -> None:
    street.take.before_send = raising(DOWN, DOWN)
    await street.add(1, 2)
    assert await run(street, skipping) == {"state": "quiet", "settled": 2}
    assert rounded(street.take.tried) == [MINUTES_5, MINUTES_15]
    assert await street.shown() == (None, 0, None)
    statuses = await street.room.rows(
        "select status, retry_count from store_sync_logs where store_id = :store order by id"
    )
    assert statuses == [("failed", 1), ("failed", 2), ("success", 3)]


async def test_a_store_that_names_a_pause_is_left_alone_for_so_long(
    street: Street, skipping: Client
) -> None:
    slower = RateLimitedError("slower", status=429, retry_after_s=2_400.0)
    street.take.before_send = raising(slower)
    await street.add(1)
    await run(street, skipping)
    assert rounded(street.take.tried) == [timedelta(minutes=40)]


async def test_a_poisoned_row_climbs_alone_and_is_dead_in_the_end(
    street: Street, skipping: Client
) -> None:
    street.take.poison = frozenset({2})
    await street.add(1, 2, 3)
    assert await run(street, skipping) == {"state": "quiet", "settled": 7}
    assert rounded(street.take.tried) == [MINUTES_5, MINUTES_15, HOUR, HOURS_3]
    assert street.take.sent == {1: 1, 3: 1}
    assert await street.left() == [(2, "failed", 5)]
    assert (await street.row())["failures"] == 0
