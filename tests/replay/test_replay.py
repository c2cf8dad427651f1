import json
import re
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.replay.other_import import OtherImportWorkflow
from tests.replay.record import HISTORIES, SCENES
from workflows.registration import WORKFLOWS, sandboxed_runner

FILES = sorted(HISTORIES.glob("*.json"))
FORBIDDEN = re.compile(r"c[ks]_[0-9a-f]{8}|@example|stackTrace|/home/|/root/|/tmp/")
TOLD = "Gate the change with workflow.patched(); do not record again."


def history_of(path: Path) -> WorkflowHistory:
    document = json.loads(path.read_text())
    return WorkflowHistory.from_json(document["workflow_id"], document["history"])


def events_of(path: Path) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads(path.read_text())["history"]["events"]
    return events


def types_of(path: Path) -> list[str]:
    return [event["eventType"] for event in events_of(path)]


def replayer(*workflows: type) -> Replayer:
    return Replayer(
        workflows=workflows,
        workflow_runner=sandboxed_runner(),
        data_converter=pydantic_data_converter,
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_recorded_history_replays(path: Path) -> None:
    result = await replayer(*WORKFLOWS).replay_workflow(
        history_of(path), raise_on_replay_failure=False
    )
    assert result.replay_failure is None, TOLD


async def test_a_workflow_that_does_something_else_is_caught() -> None:
    path = next(HISTORIES.glob("imported.*-import.json"))
    result = await replayer(OtherImportWorkflow).replay_workflow(
        history_of(path), raise_on_replay_failure=False
    )
    assert isinstance(result.replay_failure, workflow.NondeterminismError)


def test_every_scene_and_every_workflow_is_recorded() -> None:
    assert {path.name.partition(".")[0] for path in FILES} == set(SCENES)
    recorded = {
        events_of(path)[0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"]
        for path in FILES
    }
    assert recorded == {defined.__name__ for defined in WORKFLOWS}


@pytest.mark.parametrize(
    ("scene", "kind", "event"),
    [
        ("checked", "check", "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"),
        ("imported", "import", "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"),
        ("living", "import", "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED"),
        ("refused", "import", "EVENT_TYPE_WORKFLOW_EXECUTION_FAILED"),
        ("given-up", "pull-orders", "EVENT_TYPE_WORKFLOW_EXECUTION_FAILED"),
        ("cancelled", "import", "EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED"),
        ("cancelled", "pull-orders", "EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED"),
        ("waiting", "pull-categories", "EVENT_TYPE_TIMER_FIRED"),
        ("long", "pull-orders", "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW"),
    ],
)
def test_the_scene_holds_the_branch_it_is_for(scene: str, kind: str, event: str) -> None:
    paths = [path for path in FILES if re.fullmatch(rf"{scene}\.\d\d-{kind}", path.stem)]
    assert any(event in types_of(path) for path in paths)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_steps_run_on_the_queue_and_within_the_limits_they_should(path: Path) -> None:
    events = events_of(path)
    started = events[0]["workflowExecutionStartedEventAttributes"]
    name = started["workflowType"]["name"]
    queue = "interactive" if name == "CheckStoreWorkflow" else "import"
    assert started["taskQueue"]["name"] == queue
    for event in events:
        scheduled = event.get("activityTaskScheduledEventAttributes")
        if scheduled is None:
            continue
        assert scheduled["taskQueue"]["name"] == queue
        assert scheduled["startToCloseTimeout"] != "0s"
        reads = scheduled["activityType"]["name"] in {
            "pull_range",
            "pull_changes",
            "collect_sweep",
            "settle_sweep",
            "plan_pull",
            "start_sweep",
            "settle_run",
        }
        assert (scheduled["heartbeatTimeout"] == "10s") == reads


def test_recordings_tell_nothing_of_people_keys_or_the_machine() -> None:
    for path in FILES:
        content = path.read_text()
        assert (
            re.findall(r"c[ks]_[0-9a-f]{8}|@example|stackTrace|/home/|/root/|/tmp/", content) == []
        )
        assert re.findall(r'"identity":"(?!recorded")', content) == []
