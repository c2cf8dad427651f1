"""Recurring syncs: what is due, where the last one ended, and what the store then lacks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.lanes import Waker
from activities.models import EndRunInput, EntityRef, RunRef
from activities.runs import end_run
from activities.stores import OpenStore, StoreOpener, is_taken
from activities.sync_models import (
    BeginSyncInput,
    BeginSyncResult,
    EntityPlan,
    SendMissingResult,
    SyncKind,
)
from db import cursors, drift, runs, sync_runs
from db.alerts import AlertKind, NewAlert
from db.initial_push import enqueue_catalogue, enqueue_changed
from db.session import Database
from db.short_levels import take_back_overdue
from domain.entities import Entity
from domain.errors import StoreGoneError
from domain.lanes import LaneKind
from providers._kit.protocols import ScansOrders

READ_AGAIN_EVERY = timedelta(hours=1)
"""How often an entity is read whole whose changes the store cannot list."""

SWEPT = (Entity.PRODUCTS, Entity.ORDERS)
"""What changes without a newer modification date: stock in some shops, and the lines of an
order."""

_KINDS = {SyncKind.PULL: "sync", SyncKind.RECONCILE: "reconcile", SyncKind.STOCK_SWEEP: "sweep"}


class SyncActivities:
    """The steps of `SyncStoreWorkflow` and `ReconcileWorkflow` beside pulling."""

    def __init__(self, database: Database, opener: StoreOpener, waker: Waker) -> None:
        self._database = database
        self._opener = opener
        self._waker = waker

    @activity.defn
    async def begin_sync(self, args: BeginSyncInput) -> BeginSyncResult:
        """Begin a run and decide what is pulled how. Of a sweep or a reconcile, first see to the
        levels that no order has explained in time."""
        with translated():
            try:
                store = await self._opener.open(args.tenant_id, args.store_id)
            except StoreGoneError:
                return BeginSyncResult()
            key = runs.RunKey(
                args.tenant_id,
                args.store_id,
                _KINDS[args.kind],
                args.workflow_id,
                args.workflow_run_id,
            )
            async with self._database.tenant(args.tenant_id) as connection:
                held = await cursors.load_cursors(connection, args.store_id)
                is_importing = await sync_runs.is_import_running(connection, args.store_id)
                plans = _plans(args, store, held, is_importing=is_importing)
                run_id = await sync_runs.begin_sync_run(connection, key)
                # By the store's clock where it lists changes; by ours it is only told when an
                # entity was read whole.
                tracked = store.manifest.tracks_changes
                moments = {
                    one.entity: held.get(one.entity) if one.entity in tracked else None
                    for one in plans
                    if one.round > 0
                }
                await cursors.seed_run(connection, args.tenant_id, run_id, moments)
                await runs.open_logs(connection, key, run_id, [one.entity for one in plans])
            if args.kind in (SyncKind.STOCK_SWEEP, SyncKind.RECONCILE):
                await self._take_back_overdue(args.tenant_id)
            return BeginSyncResult(
                run_id=run_id,
                provider=store.manifest.slug,
                page_size=store.manifest.page_size,
                plans=tuple(plans),
                scans_orders=args.kind is SyncKind.PULL
                and isinstance(store.client, ScansOrders)
                and store.client.scans_orders,
            )

    async def _take_back_overdue(self, tenant_id: int) -> None:
        stores = await self._database.transact(
            tenant_id, lambda connection: take_back_overdue(connection, tenant_id)
        )
        for store_id in sorted(stores):
            await self._waker.wake(tenant_id, LaneKind.PUSH, store_id)

    @activity.defn
    async def keep_cursor(self, args: EntityRef) -> None:
        """Remember where an entity's pull ended. Before this, the next sync asks from before it."""
        with translated():
            async with self._database.tenant(args.tenant_id) as connection:
                await cursors.keep_cursors(connection, args.store_id, args.run_id, [args.entity])

    @activity.defn
    async def finish_import(self, args: RunRef) -> SendMissingResult:
        """After an import: syncs go on from where it ended, and the store is sent what it lacks
        and what the hub says otherwise."""
        with translated():
            async with heartbeating(), self._database.tenant(args.tenant_id) as connection:
                await cursors.keep_cursors(connection, args.store_id, args.run_id, list(Entity))
                queued = await enqueue_catalogue(
                    connection, args.tenant_id, args.store_id, missing_only=True
                )
                queued += await enqueue_changed(connection, args.tenant_id, args.store_id)
            if queued:
                await self._waker.wake(args.tenant_id, LaneKind.PUSH, args.store_id)
            return SendMissingResult(queued=queued)

    @activity.defn
    async def send_missing(self, args: EntityRef) -> SendMissingResult:
        """The other way of a reconcile: what the hub has and the store lacks is sent, and shown."""
        with translated():
            async with heartbeating(), self._database.tenant(args.tenant_id) as connection:
                before = await drift.newest_push(connection, args.store_id)
                await enqueue_catalogue(
                    connection, args.tenant_id, args.store_id, missing_only=True
                )
                queued = await drift.note_unsent(
                    connection, args.store_id, args.entity, after=before
                )
            if queued:
                await self._waker.wake(args.tenant_id, LaneKind.PUSH, args.store_id)
            return SendMissingResult(queued=queued)

    @activity.defn
    async def end_sync(self, args: EndRunInput) -> None:
        """Close the run and its log. One that failed for good is an alert until one succeeds."""
        with translated():
            await end_run(self._database, self._waker, args, _alert(args))


def _alert(args: EndRunInput) -> NewAlert:
    return NewAlert(
        tenant_id=args.tenant_id,
        store_id=args.store_id,
        kind=AlertKind.SYNC_FAILED,
        subject=f"sync/{args.store_id}",
        title=f"Store {args.store_id}: a sync failed",
        message=(
            f"A sync of store {args.store_id} was given up: {args.error or 'unknown'} Put right "
            "what the store complains of. The next sync asks from where the last good one ended, "
            "so nothing is missed."
        ),
        command=f"POST /api/stores/{args.store_id}/sync",
        details={"runId": args.run_id},
    )


def _plans(
    args: BeginSyncInput,
    store: OpenStore,
    held: Mapping[Entity, datetime],
    *,
    is_importing: bool,
) -> Sequence[EntityPlan]:
    plans = (
        _plan(args, entity, held.get(entity), tracks=entity in store.manifest.tracks_changes)
        for entity in store.manifest.entities
        if (not args.entities or entity in args.entities) and is_taken(store, entity)
    )
    # What was never read whole is the import's to read, while there is one.
    return [one for one in plans if one is not None and not (is_importing and one.round == 0)]


def _plan(
    args: BeginSyncInput, entity: Entity, cursor: datetime | None, *, tracks: bool
) -> EntityPlan | None:
    """How an entity is pulled; None: not this time."""
    if args.kind is SyncKind.STOCK_SWEEP and entity not in SWEPT and not args.entities:
        return None
    if cursor is None:
        return EntityPlan(entity=entity, round=0, tracks_changes=tracks, sweeps=True)
    is_whole = args.force or args.kind is not SyncKind.PULL or not tracks
    is_named = args.force or bool(args.entities) or args.kind is not SyncKind.PULL
    if is_whole and not is_named and datetime.now(UTC) - cursor < READ_AGAIN_EVERY:
        return None
    return EntityPlan(entity=entity, round=1, tracks_changes=not is_whole, sweeps=is_whole)
