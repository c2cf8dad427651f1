"""How long each kind of step may take, and how it is tried again. Every activity call names one.

An activity decides itself when a store is not to be asked again (`activities.errors`), so the
number of tries here is that of trouble at home: a killed worker or a database that restarts.
"""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityConfig

_PATIENT = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=10),
)

PROBE = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=15),
    schedule_to_close_timeout=timedelta(seconds=18),
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_attempts=2),
)
"""A person waits: two tries within 18 s."""

BOOKKEEPING = ActivityConfig(start_to_close_timeout=timedelta(seconds=15), retry_policy=_PATIENT)
"""A few statements, tried until the database answers."""

BEGIN = ActivityConfig(
    **BOOKKEEPING, cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
)
"""The same, and what was begun is known even to a workflow that is cancelled meanwhile."""

SETTLE = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_PATIENT,
)
"""Statements over a whole store."""

READ = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_PATIENT,
)
"""A request or a few to a store. Each ends long before by itself, however patient the settings make
it: see `runtime.store_request_settings`."""

READ_MANY = ActivityConfig(
    start_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_PATIENT,
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
"""Many requests to a store, beating all the while: a dead worker is noticed within 10 s, and a
cancelled workflow ends when the reading has."""

DRAIN = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=5),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=_PATIENT,
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
"""One turn of a lane that sends. A request may take less than the heartbeat timeout
(`LANE_REQUEST_S`): when the turn is taken for dead, nothing of it is under way any more."""

WATCH = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_PATIENT,
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
"""Looking on while a lane sends what somebody asked for."""

LANE_REQUEST_S = 25.0
"""The total deadline of one request of a lane."""

DRAIN_INBOX = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=5),
    heartbeat_timeout=timedelta(seconds=10),
    retry_policy=_PATIENT,
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
"""One turn of a lane that only reads from the store: what a dead worker left is taken on sooner."""


LEAVE = ActivityConfig(
    start_to_close_timeout=timedelta(seconds=10),
    schedule_to_close_timeout=timedelta(seconds=12),
    heartbeat_timeout=timedelta(seconds=6),
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_attempts=2),
)
"""A person waits for a store to be deleted: the shop is asked twice at most."""


def described(policy: ActivityConfig, summary: str) -> ActivityConfig:
    """The policy with a line for the Temporal UI."""
    config = policy.copy()
    config["summary"] = summary
    return config
