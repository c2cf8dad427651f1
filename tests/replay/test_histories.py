"""What a replay does not see: queues, limits, and what a history must not tell."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest

from activities.draining import LaneActivities
from activities.registration import build_activities
from activities.stores import StoreOpener
from db.crypto import SecretBox
from db.session import Database
from providers._kit.http import StoreSession
from providers._kit.registry import Registry
from tests.replay.cases import CASES, load

Event = dict[str, Any]

# Start to close, heartbeat, schedule to close.
LIMITS = {
    "begin_run": ("15s", "0s", "0s"),
    "record_failure": ("15s", "0s", "0s"),
    "clear_failure": ("15s", "0s", "0s"),
    "end_run": ("15s", "0s", "0s"),
    "settle_run": ("1800s", "10s", "0s"),
    "plan_pull": ("600s", "10s", "0s"),
    "start_sweep": ("600s", "10s", "0s"),
    "pull_range": ("7200s", "10s", "0s"),
    "pull_changes": ("7200s", "10s", "0s"),
    "collect_sweep": ("7200s", "10s", "0s"),
    "settle_sweep": ("7200s", "10s", "0s"),
    "probe_store": ("15s", "0s", "18s"),
    "preview_push": ("15s", "0s", "18s"),
    "preview_mapping": ("15s", "0s", "18s"),
    "scan_orders": ("7200s", "10s", "0s"),
    "begin_sync": ("15s", "0s", "0s"),
    "keep_cursor": ("15s", "0s", "0s"),
    "end_sync": ("15s", "0s", "0s"),
    "finish_import": ("1800s", "10s", "0s"),
    "send_missing": ("1800s", "10s", "0s"),
    "begin_demand": ("15s", "0s", "0s"),
    "end_demand": ("15s", "0s", "0s"),
    "pull_demand": ("7200s", "10s", "0s"),
    "enqueue_demand": ("1800s", "10s", "0s"),
    "watch_demand": ("600s", "10s", "0s"),
    "hurry_demand": ("15s", "0s", "0s"),
    "note_push": ("7200s", "10s", "0s"),
    "check_subscriptions": ("600s", "10s", "0s"),
    "unsubscribe": ("10s", "6s", "10s"),
    "drain_lane": ("300s", "30s", "0s"),
    "discard_store_check": ("15s", "0s", "30s"),
}
# As they were before stores could be given more time.
EARLIER = dict.fromkeys(("plan_pull", "start_sweep", "check_subscriptions"), ("120s", "10s", "0s"))
# An inbox only reads from its store: what a dead worker left may be begun again sooner.
INBOX_LIMITS = ("300s", "10s", "0s")
TRIED_TWICE = {"probe_store", "preview_push", "preview_mapping", "unsubscribe"}
QUEUES = {
    "check": "interactive",
    "unsubscribe": "interactive",
    "sync": "pull",
    "reconcile": "pull",
    "demand": "pull",
    "subscriptions": "pull",
    "preview": "interactive",
    "mapping": "interactive",
    "inbox": "events",
    "push": "events",
    "alert": "events",
}
FORBIDDEN = re.compile(
    r"c[ks]_[0-9a-f]{8}|whs_planted|@example|@\w+\.test|stackTrace|/(?:home|root|tmp|work)/"
    r"|127\.0\.0\.1|\d+@\w+"
)


def events(name: str, kind: str) -> Iterator[Event]:
    """The attributes of all events of a kind in a recorded history."""
    key = f"{kind}EventAttributes"
    return (event[key] for event in load(name).to_json_dict()["events"] if key in event)


def texts(value: Any, key: str = "") -> Iterator[str]:
    """Every text in a history, payloads opened."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from texts(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one, key)
    elif isinstance(value, str):
        yield base64.b64decode(value).decode() if key == "data" else value


@pytest.mark.parametrize("name", CASES)
def test_a_history_ends_as_its_name_says(name: str) -> None:
    history = load(name).to_json_dict()["events"]
    [started] = events(name, "workflowExecutionStarted")
    assert (started["workflowType"]["name"], history[-1]["eventType"]) == CASES[name]


@pytest.mark.parametrize("name", CASES)
def test_steps_run_on_the_queue_of_their_workflow_within_their_limits(name: str) -> None:
    [started] = events(name, "workflowExecutionStarted")
    queue = QUEUES.get(name.partition("_")[0], "import")
    assert started["taskQueue"]["name"] == queue
    for step in events(name, "activityTaskScheduled"):
        assert step["taskQueue"]["name"] == queue
        limits = (
            step["startToCloseTimeout"],
            step["heartbeatTimeout"],
            step["scheduleToCloseTimeout"],
        )
        activity = step["activityType"]["name"]
        now = INBOX_LIMITS if name.startswith("inbox") else LIMITS[activity]
        assert limits in {now, EARLIER.get(activity)}


@pytest.mark.parametrize("name", CASES)
def test_steps_are_tried_until_home_is_well_and_a_probe_twice(name: str) -> None:
    for step in events(name, "activityTaskScheduled"):
        policy = step["retryPolicy"]
        tries = 2 if step["activityType"]["name"] in TRIED_TWICE else 0
        assert policy.get("maximumAttempts", 0) == tries
        assert policy["initialInterval"] in {"0.500s", "1s"}
        assert policy.get("nonRetryableErrorTypes", []) == []


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("import")])
def test_children_have_ids_that_keep_them_apart_and_end_with_their_parent(name: str) -> None:
    for child in events(name, "startChildWorkflowExecutionInitiated"):
        assert re.fullmatch(r"pull/\d+/(categories|products|customers|orders)", child["workflowId"])
        assert child["parentClosePolicy"] == "PARENT_CLOSE_POLICY_REQUEST_CANCEL"
        assert child["workflowIdReusePolicy"] == "WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE"
        found = child["searchAttributes"]["indexedFields"]
        assert sorted(found) == ["Entity", "Provider", "StoreId", "TenantId"]
        assert child["priority"] == {"fairnessKey": str(_tenant(name))}


def _tenant(name: str) -> int:
    [started] = events(name, "workflowExecutionStarted")
    plain = base64.b64decode(started["input"]["payloads"][0]["data"])
    found = re.search(rb'"tenant_id":(\d+)', plain)
    assert found is not None
    return int(found[1])


def test_every_activity_there_is_stands_in_a_history() -> None:
    database = Database("postgresql://nobody@/nowhere")
    session = StoreSession.open()
    opener = StoreOpener(database, SecretBox([b"k" * 32]), Registry(), session)
    known = build_activities(database, opener)
    names = {one.__name__ for one in (*known.check, *known.sync, LaneActivities.drain_lane)}
    seen = {
        step["activityType"]["name"]
        for name in CASES
        for step in events(name, "activityTaskScheduled")
    }
    assert seen == names == set(LIMITS)


def test_the_cases_hold_what_they_are_named_for() -> None:
    def count(name: str, kind: str, **members: str) -> int:
        return sum(
            all(event[key]["name"] == value for key, value in members.items())
            for event in events(name, kind)
        )

    steps = "activityTaskScheduled"
    assert count("pull_waited", "timerFired") >= 1
    assert count("pull_waited", steps, activityType="record_failure") >= 1
    assert count("pull_waited", steps, activityType="clear_failure") >= 1
    assert count("pull_given_up", steps, activityType="plan_pull") == 2
    assert count("pull_pages_cancelled", "workflowExecutionCancelRequested") == 1
    assert count("pull_pages_cancelled", "activityTaskCancelRequested") >= 1
    assert count("catch_up_tracked", steps, activityType="pull_changes") == 1
    assert count("catch_up_read_again", steps, activityType="pull_changes") == 0
    assert count("catch_up_read_again", steps, activityType="pull_range") == 1
    assert count("catch_up_swept_twice", steps, activityType="start_sweep") == 2
    assert count("import_of_a_living_shop", "childWorkflowExecutionCompleted") > 8


@pytest.mark.parametrize("name", CASES)
def test_a_history_tells_nothing_of_people_keys_or_the_machine(name: str) -> None:
    assert [text for text in texts(load(name).to_json_dict()) if FORBIDDEN.search(text)] == []


def test_what_is_looked_for_would_be_found() -> None:
    planted = ["cs_0123456789abcdef", "ann@example.test", "/home/x", "4711@host", "127.0.0.1:80"]
    payload = {"data": base64.b64encode(b'{"email": "ann@example.test"}').decode()}
    assert all(FORBIDDEN.search(text) for text in planted)
    assert any(FORBIDDEN.search(text) for text in texts({"payloads": [payload]}))
