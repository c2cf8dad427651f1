"""The beginning and the end of what somebody asked of a store once."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.demand_models import PullDemand
from activities.demand_pull import is_selection, no_selection
from activities.errors import translated
from activities.lanes import Waker
from activities.models import EndRunInput, Message, PullMode, StoreRef
from activities.pull import OVERLAP
from activities.stores import OpenStore, StoreOpener
from activities.sync_models import EntityPlan
from db import cursors, ranges, runs, sync_runs
from db.alerts import AlertKind, NewAlert, raise_alert, resolve_alerts
from db.session import Database
from db.store_status import show_end
from domain.entities import IMPORT_ORDER, Entity
from domain.errors import NotFoundError, RequestRejectedError, SecretError, StoreGoneError
from domain.lanes import LaneKind
from domain.statuses import SyncStatus
from providers._kit.protocols import ReadsSelection

KIND = "demand"

_ABOUT_THE_STORE = frozenset(
    {
        "StoreUnreachableError",
        "StoreUnavailableError",
        "RateLimitedError",
        "CredentialsError",
        "PermissionDeniedError",
        "StoreSuspendedError",
        "RouteMissingError",
        "AddressRefusedError",
        "SecretError",
    }
)
"""Errors that the next one who asks something else will meet too."""


class BeginDemandInput(StoreRef):
    """A demand to begin; see `workflows.models.DemandInput`."""

    name: str
    pulls: tuple[PullDemand, ...] = ()
    is_dry: bool = False
    workflow_id: str
    workflow_run_id: str


class PullStep(Message):
    """How one pull is done.

    Attributes:
        name: names the piece of the run.
        whole: how a whole entity is pulled; None: a part of it, or dry.
        modified_since: from when on, by the store's clock; None: whatever its age.
        mode: what a dry run stands for.
        sweeps: whether a dry run looks for what the store does not have any more.
    """

    name: str
    demand: PullDemand
    whole: EntityPlan | None = None
    modified_since: datetime | None = None
    mode: PullMode = PullMode.KEEP_UP
    sweeps: bool = False


class BeginDemandResult(Message):
    """The run and what there is to pull, in order. No run: the store is deleted or not active.

    `left` are entities that an import of the store is reading.
    """

    run_id: int | None = None
    page_size: int = 0
    steps: tuple[PullStep, ...] = ()
    left: tuple[Entity, ...] = ()


class EndDemandInput(EndRunInput):
    """How a demand ended; `error_type` names what failed, `left` what another pull was reading."""

    name: str
    error_type: str | None = None
    is_dry: bool = False
    left: tuple[Entity, ...] = ()


class DemandActivities:
    """The bookkeeping of `DemandWorkflow`."""

    def __init__(self, database: Database, opener: StoreOpener, waker: Waker) -> None:
        self._database = database
        self._opener = opener
        self._waker = waker

    @activity.defn
    async def begin_demand(self, args: BeginDemandInput) -> BeginDemandResult:
        """Begin a run and decide what is pulled how. Of a dry run the store shows nothing."""
        with translated():
            key = runs.RunKey(
                args.tenant_id, args.store_id, KIND, args.workflow_id, args.workflow_run_id
            )
            try:
                store = await self._opener.open(args.tenant_id, args.store_id)
                _check(store, args.pulls)
            except StoreGoneError:
                return BeginDemandResult()
            except (SecretError, NotFoundError, RequestRejectedError) as error:
                await self._refuse(key, args, error)
                raise
            async with self._database.tenant(args.tenant_id) as connection:
                return await _begin(connection, key, args, store)

    async def _refuse(self, key: runs.RunKey, args: BeginDemandInput, error: Exception) -> None:
        """Note a run that could not begin, so that it can be looked up."""
        async with self._database.tenant(args.tenant_id) as connection:
            run_id = await sync_runs.begin_sync_run(connection, key, is_dry=args.is_dry)
        await self._end(
            EndDemandInput(
                tenant_id=args.tenant_id,
                store_id=args.store_id,
                run_id=run_id,
                name=args.name,
                status=SyncStatus.FAILED.value,
                error=str(error),
                error_type=type(error).__name__,
                is_dry=args.is_dry,
            )
        )

    @activity.defn
    async def end_demand(self, args: EndDemandInput) -> None:
        """Close the run and its log. What failed for the store's sake is shown on it, and is an
        alert until the same succeeds."""
        with translated():
            await self._end(args)

    async def _end(self, args: EndDemandInput) -> None:
        status, alert_id = SyncStatus(args.status), None
        is_failed = status is SyncStatus.FAILED
        is_about_store = is_failed and args.error_type in _ABOUT_THE_STORE
        async with self._database.tenant(args.tenant_id) as connection:
            await runs.close_run(connection, args.run_id, status=status, error=args.error)
            await ranges.mark_left(connection, args.tenant_id, args.run_id, args.left)
            if args.is_dry:
                return
            if is_about_store:
                alert_id = await raise_alert(connection, _alert(args))
            elif status is SyncStatus.SUCCESS:
                await resolve_alerts(connection, kind=AlertKind.SYNC_FAILED, subject=_subject(args))
            await runs.close_logs(connection, args.run_id, status=status, error=args.error)
            # A store that refuses what was asked for is well.
            shown = SyncStatus.SUCCESS if is_failed and not is_about_store else status
            await show_end(connection, args.store_id, status=shown, error=args.error)
        if alert_id is not None:
            await self._waker.wake(args.tenant_id, LaneKind.ALERT, args.tenant_id)


async def _begin(
    connection: AsyncConnection, key: runs.RunKey, args: BeginDemandInput, store: OpenStore
) -> BeginDemandResult:
    held = await cursors.load_cursors(connection, args.store_id)
    is_importing = await sync_runs.is_import_running(connection, args.store_id)
    ordered = sorted(args.pulls, key=lambda one: IMPORT_ORDER.index(one.entity))
    steps = [_step(args, store, held, one, number) for number, one in enumerate(ordered)]
    # What was never read whole is the import's to read, while there is one.
    left = [one for one in steps if is_importing and one.whole and one.whole.round == 0]
    steps = [one for one in steps if one not in left]
    run_id = await sync_runs.begin_sync_run(connection, key, is_dry=args.is_dry)
    tracked = store.manifest.tracks_changes
    moments = {
        one.whole.entity: held.get(one.whole.entity) if one.whole.entity in tracked else None
        for one in steps
        if one.whole and one.whole.round > 0
    }
    await cursors.seed_run(connection, args.tenant_id, run_id, moments)
    if not args.is_dry:
        await runs.open_logs(connection, key, run_id, [one.demand.entity for one in steps])
    return BeginDemandResult(
        run_id=run_id,
        page_size=store.manifest.page_size,
        steps=tuple(steps),
        left=tuple(one.demand.entity for one in left),
    )


def _check(store: OpenStore, pulls: Sequence[PullDemand]) -> None:
    """Raises RequestRejectedError for what this store's provider cannot do."""
    for one in pulls:
        if one.entity not in store.manifest.entities:
            raise RequestRejectedError(
                f"{store.manifest.title} has no {one.entity.value} to read on their own."
            )
        if is_selection(one) and not isinstance(store.client, ReadsSelection):
            raise no_selection(store)


def _step(
    args: BeginDemandInput,
    store: OpenStore,
    held: Mapping[Entity, datetime],
    demand: PullDemand,
    number: int,
) -> PullStep:
    """How one pull is done."""
    tracks = demand.entity in store.manifest.tracks_changes
    cursor = held.get(demand.entity)
    name = f"demand-{number}"
    if demand.external_ids:
        return PullStep(name=name, demand=demand)
    if args.is_dry or is_selection(demand):
        is_all = demand.force or demand.mode is not None or not tracks
        since = None if is_all or cursor is None else cursor - OVERLAP
        return PullStep(
            name=name,
            demand=demand,
            modified_since=since,
            mode=demand.mode or (PullMode.IMPORT if cursor is None else PullMode.KEEP_UP),
            sweeps=args.is_dry and since is None and not is_selection(demand),
        )
    is_first, is_whole = cursor is None, demand.force or not tracks
    plan = EntityPlan(
        entity=demand.entity,
        round=0 if is_first else 1,
        tracks_changes=tracks if is_first else not is_whole,
        sweeps=is_first or is_whole,
    )
    return PullStep(name=name, demand=demand, whole=plan)


def _subject(args: EndDemandInput) -> str:
    return f"{KIND}/{args.store_id}/{args.name}"


def _alert(args: EndDemandInput) -> NewAlert:
    return NewAlert(
        tenant_id=args.tenant_id,
        store_id=args.store_id,
        kind=AlertKind.SYNC_FAILED,
        subject=_subject(args),
        title=f"Store {args.store_id}: {args.name} failed",
        message=(
            f"{args.name} of store {args.store_id} was given up: {args.error or 'unknown'} What it "
            "did stays. Put right what the store complains of, and ask for it again."
        ),
        command=f"POST /api/stores/{args.store_id}/sync",
        details={"runId": args.run_id},
    )
