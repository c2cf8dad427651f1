from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.models import Counts
from domain.entities import Entity
from runtime.embedded.temporal import _binary
from tests.workflows.conftest import OpenStore
from tests.workflows.histories import histories
from tests.workflows.truth import RIGHT, compare
from workflows.search_attributes import ALL

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDERS = Entity.ORDERS


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def temporal_client() -> AsyncIterator[Client]:
    """A server that wants a history continued as new after 20 events instead of 4,096."""
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=_binary(),
        dev_server_extra_args=[
            "--dynamic-config-value",
            "limit.historyCount.suggestContinueAsNew=20",
        ],
        search_attributes=list(ALL),
    ) as environment:
        yield environment.client


async def test_a_pull_whose_history_grows_long_is_continued_as_new_and_loses_nothing(
    open_store: OpenStore,
) -> None:
    scene = await open_store(products=5, orders=900)
    result = await scene.import_store(pages_per_activity=1)
    assert await compare(scene) == RIGHT
    size = len(list(scene.shop.shop.truth("orders")))
    assert result.entities[ORDERS] == Counts(seen=size, created=size, pages=11)
    pulls = [
        history
        async for history in histories(scene)
        if history.workflow_id == f"pull/{scene.store_id}/orders"
    ]
    ends = [history.events[-1].WhichOneof("attributes") for history in pulls]
    assert ends.count("workflow_execution_continued_as_new_event_attributes") >= 1
    assert ends.count("workflow_execution_completed_event_attributes") == 2
    assert max(len(history.events) for history in pulls) < 100
    assert sorted(scene.pages_read(ORDERS)) == list(range(1, 10))
