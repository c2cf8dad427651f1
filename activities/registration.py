"""The activities a worker runs, built from their dependencies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from activities.check import CheckActivities
from activities.pull import PullActivities
from activities.runs import RunActivities
from activities.stores import StoreOpener
from activities.sweep import SweepActivities
from db.session import Database


@dataclass(frozen=True, slots=True)
class ActivitySet:
    """Activities by what they are for; a worker takes those its queues need."""

    check: Sequence[Callable[..., Any]]
    sync: Sequence[Callable[..., Any]]


def build_activities(database: Database, opener: StoreOpener) -> ActivitySet:
    """Every activity, with its dependencies."""
    check = CheckActivities(database, opener)
    runs = RunActivities(database, opener)
    pull = PullActivities(database, opener)
    sweep = SweepActivities(database, opener)
    return ActivitySet(
        check=(check.probe_store, check.discard_store_check),
        sync=(
            runs.begin_run,
            runs.record_failure,
            runs.clear_failure,
            runs.settle_run,
            runs.end_run,
            pull.plan_pull,
            pull.pull_range,
            pull.pull_changes,
            sweep.start_sweep,
            sweep.collect_sweep,
            sweep.settle_sweep,
        ),
    )
