"""The beginning and the end of a run, and what the store is told in between."""

from functools import partial

from temporalio import activity

from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.lanes import Waker
from activities.models import BeginRunInput, BeginRunResult, EndRunInput, RecordFailureInput, RunRef
from activities.stores import StoreOpener, is_taken
from db import runs, settle
from db.alerts import AlertKind, NewAlert, raise_alert, resolve_alerts
from db.session import Database
from db.staging import Origin
from domain.errors import NotFoundError, SecretError
from domain.lanes import LaneKind
from domain.statuses import SyncStatus

_MOST_GUEST_PASSES = 1000


class RunActivities:
    """Bookkeeping of runs. All of it is a row that is set to what it should be."""

    def __init__(self, database: Database, opener: StoreOpener, waker: Waker) -> None:
        self._database = database
        self._opener = opener
        self._waker = waker

    @activity.defn
    async def begin_run(self, args: BeginRunInput) -> BeginRunResult:
        """Begin a run, or go on with the one that was interrupted."""
        with translated():
            key = runs.RunKey(
                args.tenant_id, args.store_id, args.kind, args.workflow_id, args.workflow_run_id
            )
            try:
                store = await self._opener.open(args.tenant_id, args.store_id)
            except (SecretError, NotFoundError) as error:
                async with self._database.tenant(args.tenant_id) as connection:
                    await runs.refuse_run(connection, key, error=str(error))
                raise
            entities = tuple(one for one in store.manifest.entities if is_taken(store, one))
            async with self._database.tenant(args.tenant_id) as connection:
                run_id, resumed = await runs.begin_run(connection, key)
                await runs.open_logs(connection, key, run_id, entities)
            return BeginRunResult(
                run_id=run_id,
                provider=store.manifest.slug,
                entities=entities,
                tracks_changes=tuple(sorted(store.manifest.tracks_changes)),
                page_size=store.manifest.page_size,
                resumed=resumed,
            )

    @activity.defn
    async def record_failure(self, args: RecordFailureInput) -> None:
        """Show on the store that it is down, and when it is tried again."""
        with translated():
            async with self._database.tenant(args.tenant_id) as connection:
                await runs.record_failure(
                    connection,
                    args.store_id,
                    message=args.message,
                    retry_count=args.retry_count,
                    next_retry_at=args.next_retry_at,
                )

    @activity.defn
    async def clear_failure(self, args: RunRef) -> None:
        """Show on the store that it answers again."""
        with translated():
            async with self._database.tenant(args.tenant_id) as connection:
                await runs.clear_failure(connection, args.store_id)

    @activity.defn
    async def settle_run(self, args: RunRef) -> None:
        """Fill in references whose target came later, and bring guests to their newest order."""
        with translated():
            origin = Origin(args.tenant_id, args.store_id, bulk=True)
            async with heartbeating():
                async with self._database.tenant(args.tenant_id) as connection:
                    await settle.refresh_statistics(connection, args.run_id)
                for statement in settle.REFERENCES:
                    await self._database.transact(
                        args.tenant_id,
                        partial(settle.settle_references, origin=origin, statement=statement),
                    )
                await self._settle_guests(origin)

    async def _settle_guests(self, origin: Origin) -> None:
        for _ in range(_MOST_GUEST_PASSES):
            left = await self._database.transact(
                origin.tenant_id, lambda connection: settle.settle_guests(connection, origin)
            )
            if not left:
                return

    @activity.defn
    async def end_run(self, args: EndRunInput) -> None:
        """Close the run and its log. One that failed for good is an alert until one succeeds."""
        with translated():
            await end_run(self._database, self._waker, args, _failed_import(args))


async def end_run(database: Database, waker: Waker, args: EndRunInput, alert: NewAlert) -> None:
    """Close a run and its log. If it failed, `alert` is raised; if it went well, it is closed."""
    status = SyncStatus(args.status)
    alert_id = None
    async with database.tenant(args.tenant_id) as connection:
        if status is SyncStatus.FAILED:
            alert_id = await raise_alert(connection, alert)
        elif status is SyncStatus.SUCCESS:
            await resolve_alerts(connection, kind=alert.kind, subject=alert.subject)
        await runs.end_run(connection, args.run_id, args.store_id, status=status, error=args.error)
        await runs.close_logs(connection, args.run_id, status=status, error=args.error)
    if alert_id is not None:
        await waker.wake(args.tenant_id, LaneKind.ALERT, args.tenant_id)


def _failed_import(args: EndRunInput) -> NewAlert:
    return NewAlert(
        tenant_id=args.tenant_id,
        store_id=args.store_id,
        kind=AlertKind.SYNC_FAILED,
        subject=f"import/{args.store_id}",
        title=f"Store {args.store_id}: the import failed",
        message=(
            f"The import of store {args.store_id} was given up: {args.error or 'unknown'} What it "
            "read stays. Put right what the store complains of; the next import goes on there."
        ),
        command=f"entrepot retry {args.store_id}",
        details={"runId": args.run_id},
    )
