"""The activities a worker runs, built from their dependencies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from activities.check import CheckActivities
from activities.demand import DemandActivities
from activities.demand_pull import DemandPullActivities
from activities.demand_pushes import DemandPushActivities
from activities.dry_push import DryRunActivities
from activities.incremental import SyncActivities
from activities.lanes import LeftToSweeper, Waker
from activities.mapping_preview import MappingPreviewActivities
from activities.order_scan import OrderScanActivities
from activities.pull import PullActivities
from activities.push_preview import PreviewActivities
from activities.runs import RunActivities
from activities.stores import StoreOpener
from activities.subscriptions import SubscriptionActivities
from activities.sweep import SweepActivities
from db.session import Database


@dataclass(frozen=True, slots=True)
class ActivitySet:
    """Activities by what they are for; a worker takes those its queues need."""

    check: Sequence[Callable[..., Any]]
    sync: Sequence[Callable[..., Any]]


def build_activities(
    database: Database,
    opener: StoreOpener,
    *,
    waker: Waker | None = None,
    public_url: str | None = None,
) -> ActivitySet:
    """Every activity, with its dependencies. `public_url` is where shops reach us."""
    waker = waker or LeftToSweeper()
    syncs = SyncActivities(database, opener, waker)
    subscriptions = SubscriptionActivities(database, opener, public_url)
    check = CheckActivities(database, opener)
    previews = PreviewActivities(database, opener)
    demands = DemandActivities(database, opener, waker)
    demand_pushes = DemandPushActivities(database, waker)
    runs = RunActivities(database, opener, waker)
    pull = PullActivities(database, opener, waker)
    sweep = SweepActivities(database, opener, waker)
    return ActivitySet(
        check=(
            check.probe_store,
            check.discard_store_check,
            previews.preview_push,
            MappingPreviewActivities(database, opener).preview_mapping,
            subscriptions.unsubscribe,
        ),
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
            syncs.begin_sync,
            syncs.keep_cursor,
            syncs.finish_import,
            syncs.send_missing,
            syncs.end_sync,
            OrderScanActivities(database, opener, waker).scan_orders,
            subscriptions.check_subscriptions,
            demands.begin_demand,
            demands.end_demand,
            DemandPullActivities(database, opener, waker).pull_demand,
            demand_pushes.enqueue_demand,
            demand_pushes.watch_demand,
            demand_pushes.hurry_demand,
            DryRunActivities(database, opener).note_push,
        ),
    )
