"""Runs that are under way go on with the workflows of this release.

A red test here means: put the change behind `workflow.patched`. It never means: record again.
"""

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tests.replay.cases import CASES, HISTORIES, load
from tests.replay.different import DIFFERENT
from workflows.registration import WORKFLOWS, sandboxed_runner


def replayer(*workflows: type) -> Replayer:
    return Replayer(
        workflows=workflows,
        workflow_runner=sandboxed_runner(),
        data_converter=pydantic_data_converter,
    )


@pytest.mark.parametrize("name", CASES)
async def test_a_recorded_run_is_replayed(name: str) -> None:
    await replayer(*WORKFLOWS).replay_workflow(load(name))


@pytest.mark.parametrize(
    "name", ["check_ok", "import_ok", "pull_pages", "catch_up_tracked", "push_waited"]
)
async def test_a_workflow_that_does_something_else_is_found_out(name: str) -> None:
    different = DIFFERENT[CASES[name][0]]
    with pytest.raises(NondeterminismError):
        await replayer(different).replay_workflow(load(name))


def test_every_workflow_and_every_way_it_can_end_is_recorded() -> None:
    assert {kind for kind, _ in CASES.values()} == {one.__name__ for one in WORKFLOWS}
    assert {path.stem for path in HISTORIES.iterdir()} == set(CASES)
    ends = {(kind, end.rpartition("EXECUTION_")[2]) for kind, end in CASES.values()}
    assert ends == {
        ("CheckStoreWorkflow", "COMPLETED"),
        ("CheckStoreWorkflow", "FAILED"),
        ("PreviewPushWorkflow", "COMPLETED"),
        ("PreviewPushWorkflow", "FAILED"),
        ("PreviewMappingWorkflow", "COMPLETED"),
        ("PreviewMappingWorkflow", "FAILED"),
        ("ImportStoreWorkflow", "COMPLETED"),
        ("ImportStoreWorkflow", "FAILED"),
        ("ImportStoreWorkflow", "CANCELED"),
        ("PullWorkflow", "COMPLETED"),
        ("PullWorkflow", "FAILED"),
        ("PullWorkflow", "CANCELED"),
        ("PullWorkflow", "CONTINUED_AS_NEW"),
        ("SyncStoreWorkflow", "COMPLETED"),
        ("SyncStoreWorkflow", "FAILED"),
        ("SyncStoreWorkflow", "CANCELED"),
        ("ReconcileWorkflow", "COMPLETED"),
        ("DemandWorkflow", "COMPLETED"),
        ("DemandWorkflow", "FAILED"),
        ("DemandWorkflow", "CANCELED"),
        ("SubscriptionsWorkflow", "COMPLETED"),
        ("UnsubscribeWorkflow", "COMPLETED"),
        ("InboxWorkflow", "COMPLETED"),
        ("AlertWorkflow", "COMPLETED"),
        ("PushWorkflow", "COMPLETED"),
        ("PushWorkflow", "CANCELED"),
        ("PushWorkflow", "CONTINUED_AS_NEW"),
    }
