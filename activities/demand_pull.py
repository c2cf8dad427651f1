"""Reading a part of a list that somebody asked for, and the dry runs of whole ones."""

from contextlib import suppress
from datetime import datetime

from pydantic import ValidationError
from temporalio import activity

from activities.demand_models import PullDemand
from activities.demand_walks import ChangesWalk, Leg, NamedWalk, SelectedWalk, Walk, WholeWalk
from activities.dry_run import note_page
from activities.dry_sweep import GoneTask, note_gone
from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.lanes import Waker
from activities.models import Counts, PullMode, RunRef
from activities.stores import OpenStore, StoreOpener
from activities.taking import Home, Step, reading_begins, take_page, to_counts
from db import ranges
from db.ranges import RangeKey, RangeMovedError, RangeState
from db.session import Database
from domain.errors import RequestRejectedError
from domain.selection import Selection
from providers._kit.protocols import ReadsChanges, ReadsSelection

PAGES_PER_LOOK = 8
"""How many pages are read before it is looked again whether the store may still be read."""


class PullDemandInput(RunRef):
    """What to read.

    Attributes:
        name: names the piece of the run.
        modified_since: only what changed at or after, by the store's clock.
        is_dry: only note what it would do.
        mode, sweeps: see `activities.demand.PullStep`.
    """

    name: str
    demand: PullDemand
    modified_since: datetime | None = None
    is_dry: bool = False
    mode: PullMode = PullMode.KEEP_UP
    sweeps: bool = False


def is_selection(demand: PullDemand) -> bool:
    """Whether it asks for less than a whole entity, otherwise than by id."""
    return (
        demand.limit is not None
        or demand.status is not None
        or demand.after is not None
        or demand.first_page > 1
    )


class DemandPullActivities:
    """The step of a demand that reads."""

    def __init__(self, database: Database, opener: StoreOpener, waker: Waker) -> None:
        self._database = database
        self._home = Home(database, waker)
        self._opener = opener

    @activity.defn
    async def pull_demand(self, args: PullDemandInput) -> Counts:
        """Read what was asked for, each page in a transaction with the resume point behind it."""
        with translated():
            key = RangeKey(args.tenant_id, args.run_id, args.demand.entity, args.name)
            state = await self._load(key)
            async with heartbeating():
                while not state.is_done:
                    # Anew each time: the store may have been deactivated, or its keys changed.
                    store = await self._opener.open(args.tenant_id, args.store_id)
                    state = await self._go_on(key, way_through(store, args), args, state)
                gone = Counts()
                if args.is_dry and args.sweeps:
                    store = await self._opener.open(args.tenant_id, args.store_id)
                    task = GoneTask(args.store_id, key, args.mode, args.demand.force)
                    gone = await note_gone(self._home, store, task)
            return to_counts(state.counts) + gone

    async def _go_on(
        self, key: RangeKey, walk: Walk, args: PullDemandInput, state: RangeState
    ) -> RangeState:
        """Take in a few pages; where the walk is then."""
        for _ in range(PAGES_PER_LOOK):
            with suppress(RangeMovedError):
                await self._take(key, walk, args, state.resume)
            state = await self._load(key)
            if state.is_done:
                break
        return state

    async def _load(self, key: RangeKey) -> RangeState:
        async with self._database.tenant(key.tenant_id) as connection:
            return await ranges.load_range(connection, key)

    async def _take(self, key: RangeKey, walk: Walk, args: PullDemandInput, resume: str) -> None:
        """Take in one page, or foresee what that would do. Raises RangeMovedError."""
        force = args.demand.force
        read_at = await reading_begins(self._database, key.tenant_id, force=force)
        leg = await _read(walk, resume)
        if leg.expected is not None:
            async with self._database.tenant(key.tenant_id) as connection:
                await ranges.begin_entity(connection, key, total=leg.expected, store_clock=None)
        step = Step(
            place=leg.place,
            resume=leg.resume,
            behind=resume,
            is_done=leg.is_done,
            mode=args.mode if args.is_dry else PullMode.KEEP_UP,
            force=force,
            read_at=read_at,
            collect=args.is_dry and args.sweeps,
        )
        take = note_page if args.is_dry else take_page
        await take(self._home, args.store_id, key, leg.page, step)
        activity.heartbeat(leg.place)


async def _read(walk: Walk, resume: str) -> Leg:
    try:
        return await walk.step(resume)
    except ValidationError:
        raise
    except ValueError as error:  # a filter that this list does not have
        raise RequestRejectedError(str(error)) from error


def way_through(store: OpenStore, args: PullDemandInput) -> Walk:
    """How to read what was asked for. Raises RequestRejectedError: the store cannot."""
    demand, client = args.demand, store.client
    size = demand.page_size or store.manifest.page_size
    if demand.external_ids:
        return NamedWalk(client, demand.entity, demand.external_ids, store.manifest.page_size)
    if is_selection(demand):
        if not isinstance(client, ReadsSelection):
            raise no_selection(store)
        selection = Selection(
            status=demand.status,
            after=demand.after,
            modified_since=args.modified_since,
            page_size=size,
        )
        return SelectedWalk(client, demand, selection)
    client = store.sized(demand.page_size).client
    if args.modified_since is not None and isinstance(client, ReadsChanges):
        return ChangesWalk(client, demand.entity, args.modified_since)
    return WholeWalk(client, demand.entity)


def no_selection(store: OpenStore) -> RequestRejectedError:
    """What is said of a provider that lists everything or nothing."""
    return RequestRejectedError(
        f"{store.manifest.title} cannot be asked for a part of its records: leave out the limit, "
        "the page, the status and the date, or name the records."
    )
