import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api.temporal import (
    Started,
    TemporalGateway,
    TemporalUnavailableError,
    workflow_page,
)
from api.temporal_calls import calling
from domain.entities import Entity
from runtime.embedded.ports import choose_port
from workflows.models import (
    CheckStoreInput,
    CheckStoreResult,
    ImportProgress,
    ImportStoreInput,
)
from workflows.search_attributes import PROVIDER, STORE_ID, TENANT_ID


@workflow.defn(name="CheckStoreWorkflow")
class FakeCheck:
    """Does what the provider's name says."""

    @workflow.run
    async def run(self, args: CheckStoreInput) -> CheckStoreResult:
        match args.provider:
            case "unreachable":
                raise ApplicationError("The shop is down", type="StoreUnreachableError")
            case "broken":
                raise ApplicationError("x", type="KeyError")
            case "slow":
                await workflow.sleep(timedelta(hours=1))
            case "child-deadline":
                await workflow.execute_activity(
                    "nobody", schedule_to_close_timeout=timedelta(milliseconds=100)
                )
        return CheckStoreResult(facts={"store_url": "https://shop.example"})


@workflow.defn(name="ImportStoreWorkflow")
class FakeImport:
    """Runs until it is cancelled."""

    @workflow.run
    async def run(self, args: ImportStoreInput) -> None:
        await workflow.wait_condition(lambda: args.store_id < 0)

    @workflow.query
    def progress(self) -> ImportProgress:
        return ImportProgress(run_id=7, phase="pages")


@asynccontextmanager
async def workers(client: Client) -> AsyncIterator[None]:
    async with (
        Worker(
            client,
            task_queue="interactive",
            workflows=[FakeCheck],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
        Worker(
            client,
            task_queue="import",
            workflows=[FakeImport],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        yield


def check(check_id: int, provider: str) -> CheckStoreInput:
    return CheckStoreInput(tenant_id=3, store_check_id=check_id, provider=provider)


async def test_checks_are_judged(temporal_client: Client) -> None:
    gateway = TemporalGateway(temporal_client)
    async with workers(temporal_client):
        good = await gateway.check_store(check(1, "good"), store_id=12, timeout_s=10)
        down = await gateway.check_store(check(2, "unreachable"), store_id=12, timeout_s=10)
        broken = await gateway.check_store(check(5, "broken"), store_id=12, timeout_s=10)
        with pytest.raises(TimeoutError):
            await gateway.check_store(check(3, "slow"), store_id=12, timeout_s=0.5)
        with pytest.raises(TimeoutError):
            await gateway.check_store(check(4, "child-deadline"), store_id=12, timeout_s=10)
        described = await temporal_client.get_workflow_handle("check/3").describe()
    assert good == CheckStoreResult(facts={"store_url": "https://shop.example"})
    assert down == CheckStoreResult(error_type="StoreUnreachableError", message="The shop is down")
    assert broken == CheckStoreResult(error_type="KeyError", message="x")
    attributes = described.typed_search_attributes
    assert (attributes[TENANT_ID], attributes[STORE_ID], attributes[PROVIDER]) == (
        "3",
        "12",
        "slow",
    )
    assert described.raw_description.execution_config.workflow_execution_timeout == Duration(
        seconds=10, nanos=500_000_000
    )


async def test_a_check_nobody_works_on_is_given_up(temporal_client: Client) -> None:
    gateway = TemporalGateway(temporal_client)
    with pytest.raises(TimeoutError):
        await gateway.check_store(check(9, "good"), store_id=12, timeout_s=0.3)
    history = await temporal_client.get_workflow_handle("check/9").fetch_history()
    kinds = [event.event_type for event in history.events]
    assert EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED in kinds


async def test_an_import_starts_once_is_asked_and_cancelled(temporal_client: Client) -> None:
    gateway = TemporalGateway(temporal_client)
    args = ImportStoreInput(tenant_id=3, store_id=12, provider="good")
    async with workers(temporal_client):
        first = await gateway.start_import(args)
        second = await gateway.start_import(args)
        assert await gateway.query_progress("import/12") == ImportProgress(run_id=7, phase="pages")
        assert await gateway.is_running("import/12") is True
        assert await gateway.cancel("import/12") is True
        with pytest.raises(WorkflowFailureError):
            await temporal_client.get_workflow_handle("import/12").result()
    assert first == Started("import/12", first.run_id, already_running=False)
    assert second == Started("import/12", first.run_id, already_running=True)
    assert await gateway.is_running("import/12") is False
    assert await gateway.cancel("import/12") is False


async def test_what_was_never_started_is_told_apart_from_trouble(
    temporal_client: Client,
) -> None:
    gateway = TemporalGateway(temporal_client)
    assert await gateway.is_healthy() is True
    assert await gateway.is_running("import/999") is False
    assert await gateway.cancel("pull/999/orders") is False
    assert await gateway.query_progress("import/999") is None


async def test_without_temporal_each_call_ends_within_three_seconds() -> None:
    client = await Client.connect(
        f"127.0.0.1:{choose_port()}", lazy=True, data_converter=pydantic_data_converter
    )
    gateway = TemporalGateway(client)
    started = time.monotonic()
    with pytest.raises(TemporalUnavailableError):
        await gateway.start_import(ImportStoreInput(tenant_id=3, store_id=12, provider="x"))
    assert await gateway.is_healthy() is False
    assert time.monotonic() - started < 6


@pytest.mark.parametrize(
    ("failure", "did_nothing"),
    [
        (RuntimeError("Failed client connect"), True),
        (RPCError("no", RPCStatusCode.PERMISSION_DENIED, b""), True),
        (RPCError("gone", RPCStatusCode.NOT_FOUND, b""), True),
        (RPCError("cut off", RPCStatusCode.UNAVAILABLE, b""), False),
        (RPCError("full", RPCStatusCode.RESOURCE_EXHAUSTED, b""), False),
        (RPCError("late", RPCStatusCode.DEADLINE_EXCEEDED, b""), False),
        (TimeoutError(), False),
    ],
    ids=str,
)
async def test_what_was_certainly_not_done_is_told_from_what_may_have_been(
    failure: Exception, *, did_nothing: bool
) -> None:
    with pytest.raises(TemporalUnavailableError) as told:
        async with calling():
            raise failure
    assert told.value.did_nothing is did_nothing


def test_the_page_of_a_workflow() -> None:
    page = workflow_page("http://127.0.0.1:8233/", "shop", f"pull/12/{Entity.ORDERS.value}")
    assert page == "http://127.0.0.1:8233/namespaces/shop/workflows/pull%2F12%2Forders"
    assert workflow_page(None, "shop", "import/12") is None
    assert workflow_page("http://127.0.0.1:8233", "shop", None) is None
