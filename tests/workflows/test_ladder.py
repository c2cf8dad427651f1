"""The ladder with its real pauses, on a server whose clock skips what nobody waits for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.models import (
    BeginRunInput,
    BeginRunResult,
    EndRunInput,
    EntityRef,
    PlanPullResult,
    RecordFailureInput,
    RunRef,
)
from activities.sync_models import SendMissingResult
from domain.entities import Entity
from runtime.embedded.temporal import _binary
from workflows.models import LADDER_S, ImportStoreInput
from workflows.registration import WORKFLOWS, sandboxed_runner
from workflows.search_attributes import ALL
from workflows.task_queues import TaskQueue

pytestmark = pytest.mark.asyncio(loop_scope="module")


class DownShop:
    """Stands in for the activities: a shop that is down for its first `fails` tries."""

    def __init__(self, fails: int, told_s: float | None = None) -> None:
        self.fails, self.told_s = fails, told_s
        self.tried: list[datetime] = []
        self.shown: list[RecordFailureInput] = []
        self.ended: list[EndRunInput] = []
        self.cleared = 0
        self.on_failure: dict[int, Callable[[], Awaitable[None]]] = {}

    @activity.defn
    async def begin_run(self, _args: BeginRunInput) -> BeginRunResult:
        return BeginRunResult(
            run_id=1,
            provider="woocommerce",
            entities=(Entity.CATEGORIES,),
            tracks_changes=(),
            page_size=100,
        )

    @activity.defn
    async def plan_pull(self, _args: EntityRef) -> PlanPullResult:
        self.tried.append(activity.info().current_attempt_scheduled_time)
        if len(self.tried) <= self.fails:
            details = () if self.told_s is None else (self.told_s,)
            raise ApplicationError(
                "down", *details, type="StoreUnreachableError", non_retryable=True
            )
        return PlanPullResult(total=0, total_pages=0)

    @activity.defn
    async def record_failure(self, args: RecordFailureInput) -> None:
        self.shown.append(args)
        if (act := self.on_failure.get(len(self.shown))) is not None:
            await act()

    @activity.defn
    async def clear_failure(self, _args: RunRef) -> None:
        self.cleared += 1

    @activity.defn
    async def settle_run(self, _args: RunRef) -> None:
        pass

    @activity.defn
    async def finish_import(self, _args: RunRef) -> SendMissingResult:
        return SendMissingResult()

    @activity.defn
    async def end_run(self, args: EndRunInput) -> None:
        self.ended.append(args)

    def pauses(self) -> list[float]:
        """Between the tries, to the ten seconds: a workflow takes a little time of its own."""
        return [
            round((later - one).total_seconds(), -1)
            for one, later in zip(self.tried, self.tried[1:], strict=False)
        ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def skipping() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_time_skipping_v2(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=_binary(),
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
        ],
        search_attributes=list(ALL),
    ) as environment:
        yield environment.client


async def run(client: Client, shop: DownShop, store_id: int) -> None:
    activities: list[Callable[..., Any]] = [
        *(shop.begin_run, shop.plan_pull, shop.record_failure, shop.clear_failure),
        *(shop.settle_run, shop.finish_import, shop.end_run),
    ]
    async with Worker(
        client,
        task_queue=TaskQueue.IMPORT,
        workflows=WORKFLOWS,
        activities=activities,
        workflow_runner=sandboxed_runner(),
    ):
        async with asyncio.timeout(40):
            await client.execute_workflow(
                "ImportStoreWorkflow",
                ImportStoreInput(
                    tenant_id=1, store_id=store_id, provider="woocommerce", max_rounds=0
                ),
                id=f"import/{store_id}",
                task_queue=TaskQueue.IMPORT,
            )


async def test_a_shop_that_comes_back_is_tried_after_5_and_15_minutes(skipping: Client) -> None:
    shop = DownShop(fails=2)
    await run(skipping, shop, 1)
    assert shop.pauses() == [300, 900]
    assert [one.retry_count for one in shop.shown] == [1, 2]
    assert [one.message for one in shop.shown] == ["down", "down"]
    for one, tried in zip(shop.shown, shop.tried[1:], strict=True):
        assert one.next_retry_at is not None
        assert abs(one.next_retry_at - tried) < timedelta(seconds=5)
    assert shop.cleared == 1
    assert [one.status for one in shop.ended] == ["success"]


async def test_a_shop_that_stays_down_is_given_up_after_the_pause_of_three_hours(
    skipping: Client,
) -> None:
    shop = DownShop(fails=99)
    with pytest.raises(WorkflowFailureError) as failure:
        await run(skipping, shop, 2)
    assert isinstance(failure.value.cause, ApplicationError)
    assert (failure.value.cause.type, failure.value.cause.message) == (
        "StoreUnreachableError",
        "down",
    )
    assert shop.pauses() == list(LADDER_S[1:])
    assert [(one.status, one.error) for one in shop.ended] == [("failed", "down")]
    assert shop.cleared == 0


async def test_who_wants_it_tried_now_ends_the_wait_and_begins_at_the_first_rung(
    skipping: Client,
) -> None:
    shop = DownShop(fails=3)
    pull = skipping.get_workflow_handle("pull/5/categories")
    # From within a step: while nothing is done, the server skips the wait.
    shop.on_failure = {2: lambda: pull.signal("try_now")}
    await run(skipping, shop, 5)
    assert [one.retry_count for one in shop.shown] == [1, 2, 1]
    first, second, third = shop.pauses()
    assert (first, third) == (300, 300)
    assert second < 60
    assert shop.cleared == 1


@pytest.mark.parametrize(("told_s", "pause"), [(7_200.0, 7_200), (10.0**9, 6 * 3_600)])
async def test_a_shop_that_names_a_pause_gets_it_up_to_six_hours(
    skipping: Client, told_s: float, pause: int
) -> None:
    shop = DownShop(fails=1, told_s=told_s)
    await run(skipping, shop, int(pause))
    assert shop.pauses() == [pause]
