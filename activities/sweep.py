"""Sweeping: which ids does the store have, which have we, and putting the difference right."""

from collections.abc import Iterator, Sequence

from temporalio import activity

from activities.errors import translated
from activities.gone import hold_back, settle_gone
from activities.heartbeat import heartbeating
from activities.lanes import LeftToSweeper, Waker
from activities.models import (
    Counts,
    EntityRef,
    PullMode,
    SettleSweepInput,
    SettleSweepResult,
    StartSweepResult,
    SweepInput,
)
from activities.stores import OpenStore, StoreOpener
from activities.taking import Home, Step, reading_begins, take_page
from db import ranges, sweeps
from db.ranges import RangeKey
from db.session import Database


class SweepActivities:
    """The steps of `PullWorkflow` that compare ids."""

    def __init__(self, database: Database, opener: StoreOpener, waker: Waker | None = None) -> None:
        self._database = database
        self._home = Home(database, waker or LeftToSweeper())
        self._opener = opener

    @activity.defn
    async def start_sweep(self, args: EntityRef) -> StartSweepResult:
        """Forget the sweep before, and note how the list looks now."""
        with translated():
            store = await self._open(args)
            async with heartbeating():
                listing = await store.client.fetch_listing(args.entity)
            async with self._database.tenant(args.tenant_id) as connection:
                await sweeps.clear_sweep(connection, args.run_id, args.entity)
            return StartSweepResult(
                total=listing.total, total_pages=listing.total_pages, newest_id=listing.newest_id
            )

    @activity.defn
    async def collect_sweep(self, args: SweepInput) -> None:
        """Collect the ids of a run of pages. Collecting an id twice is collecting it once."""
        with translated():
            store = await self._open(args)
            async with heartbeating():
                for number in range(args.first, args.last + 1):
                    page = await store.client.fetch_ids(args.entity, number)
                    async with self._database.tenant(args.tenant_id) as connection:
                        await sweeps.collect_ids(
                            connection, args.tenant_id, args.run_id, args.entity, page.ids
                        )
                    activity.heartbeat(number)

    @activity.defn
    async def settle_sweep(self, args: SettleSweepInput) -> SettleSweepResult:
        """Fetch what is missing, and mark as gone what a second read confirms is gone.

        A list that moved under the sweep is not trusted; the sweep is then repeated, and what it
        did find is put right all the same, as every finding is confirmed by reading the record.
        """
        with translated():
            store = await self._open(args)
            async with heartbeating():
                after = await store.client.fetch_listing(args.entity)
                async with self._database.tenant(args.tenant_id) as connection:
                    missing = await sweeps.list_missing(
                        connection, args.store_id, args.run_id, args.entity
                    )
                    gone = await sweeps.list_gone(
                        connection, args.store_id, args.run_id, args.entity
                    )
                    held_back = await hold_back(connection, args, store.settings, gone)
                counts = Counts()
                key = RangeKey(args.tenant_id, args.run_id, args.entity, args.name)
                wanted = missing if held_back else [*missing, *gone]
                for ids in _batches(wanted, store.manifest.page_size):
                    read_at = await reading_begins(self._database, args.tenant_id, force=args.force)
                    page = await store.client.fetch_by_ids(args.entity, ids)
                    step = Step(
                        f"sweep {args.round}",
                        "",
                        is_done=False,
                        is_catch_up=True,
                        mode=args.mode,
                        force=args.force,
                        read_at=read_at,
                    )
                    if args.mode is PullMode.RECONCILE:
                        page = await settle_gone(self._database, args, store.settings, page)
                    counts += await take_page(self._home, args.store_id, key, page, step)
                    activity.heartbeat(len(ids))
                async with self._database.tenant(args.tenant_id) as connection:
                    await sweeps.clear_sweep(connection, args.run_id, args.entity)
                    await ranges.update_entity(
                        connection, key, total=after.total, round=args.round, phase="settled"
                    )
            is_trusted = (after.total, after.newest_id) == (
                args.before.total,
                args.before.newest_id,
            )
            return SettleSweepResult(
                is_trusted=is_trusted, held_back=len(gone) if held_back else 0, counts=counts
            )

    async def _open(self, args: EntityRef) -> OpenStore:
        store = await self._opener.open(args.tenant_id, args.store_id)
        return store.sized(args.page_size)


def _batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
