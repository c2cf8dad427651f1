"""Reading lists from a store: runs of pages, and what changed since a moment."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.lanes import LeftToSweeper, Waker
from activities.models import (
    Counts,
    EntityRef,
    PlanPullResult,
    PullChangesInput,
    PullRangeInput,
    PullRangeResult,
)
from activities.stores import OpenStore, StoreOpener
from activities.taking import Home, Step, reading_begins, take_page, to_counts
from db import ranges
from db.ranges import RangeKey, RangeMovedError, RangeState
from db.session import Database
from domain.errors import StoreError
from domain.pages import Page
from domain.records import Record
from providers._kit.protocols import ReadsChanges

OVERLAP = timedelta(seconds=10)
"""How far a round of catch-up reaches back before the store's clock of the round before: the bound
is a second coarse, and a row may be committed later than the time it bears."""

UNKNOWN_CLOCK_MARGIN = timedelta(minutes=10)
"""For a store that does not tell its time, how far its clock may be behind ours."""


class PullActivities:
    """The steps of `PullWorkflow` that read lists."""

    def __init__(self, database: Database, opener: StoreOpener, waker: Waker | None = None) -> None:
        self._database = database
        self._home = Home(database, waker or LeftToSweeper())
        self._opener = opener

    @activity.defn
    async def plan_pull(self, args: EntityRef) -> PlanPullResult:
        """How long the list is, and the store's clock before anything of it is read."""
        with translated():
            store = await self._open(args)
            async with heartbeating():
                listing = await store.client.fetch_listing(args.entity)
            async with self._database.tenant(args.tenant_id) as connection:
                await ranges.begin_entity(
                    connection,
                    _key(args, ""),
                    total=listing.total,
                    store_clock=listing.store_clock or datetime.now(UTC) - UNKNOWN_CLOCK_MARGIN,
                )
            return PlanPullResult(total=listing.total, total_pages=listing.total_pages)

    @activity.defn
    async def pull_range(self, args: PullRangeInput) -> PullRangeResult:
        """Read a run of pages, each applied in a transaction with the resume point behind it.

        The next page is fetched while the last one is written.
        """
        with translated():
            key, total_pages = _key(args, args.name), args.last
            state = await self._load(key)
            if not state.is_done:
                store = await self._open(args)
                async with heartbeating():
                    while not state.is_done:
                        with suppress(RangeMovedError):
                            total_pages = await self._read_pages(store, args, state.resume)
                        state = await self._load(key)
            return PullRangeResult(counts=to_counts(state.counts), total_pages=total_pages)

    async def _open(self, args: EntityRef) -> OpenStore:
        store = await self._opener.open(args.tenant_id, args.store_id)
        return store.sized(args.page_size)

    async def _load(self, key: RangeKey) -> RangeState:
        async with self._database.tenant(key.tenant_id) as connection:
            return await ranges.load_range(connection, key)

    async def _read_pages(self, store: OpenStore, args: PullRangeInput, resume: str) -> int:
        """Read from where the range is to its end; how many pages the whole list has."""
        total_pages, first = args.last, int(resume) if resume else args.first
        upcoming = asyncio.create_task(self._fetch(store, args, first))
        try:
            for number in range(first, args.last + 1):
                page, read_at = await upcoming
                if number < args.last:
                    upcoming = asyncio.create_task(self._fetch(store, args, number + 1))
                total_pages = page.total_pages or total_pages
                step = Step(
                    place=f"page {number}",
                    resume=str(number + 1),
                    is_done=number == args.last,
                    behind=resume,
                    is_catch_up=args.collect if args.is_again is None else args.is_again,
                    collect=args.collect,
                    mode=args.mode,
                    force=args.force,
                    read_at=read_at,
                )
                key = _key(args, args.name)
                await take_page(self._home, args.store_id, key, page, step)
                resume = step.resume
                activity.heartbeat(number)
        finally:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
        return total_pages

    async def _fetch(
        self, store: OpenStore, args: PullRangeInput, number: int
    ) -> tuple[Page[Record], datetime | None]:
        read_at = await reading_begins(self._database, args.tenant_id, force=args.force)
        return await store.client.fetch_page(args.entity, number), read_at

    @activity.defn
    async def pull_changes(self, args: PullChangesInput) -> Counts:
        """Read what changed since the round before, and move the bound for the next one."""
        with translated():
            key = _key(args, args.name)
            state = await self._load(key)
            async with self._database.tenant(args.tenant_id) as connection:
                since = await ranges.changed_since(connection, key)
            if not state.is_done and since is not None:
                store = await self._open(args)
                if not isinstance(store.client, ReadsChanges):
                    slug = store.manifest.slug
                    raise StoreError(f"{slug} cannot tell what changed since a moment")
                async with heartbeating():
                    while not state.is_done:
                        with suppress(RangeMovedError):
                            await self._read_changes(store.client, args, state.resume, since)
                        state = await self._load(key)
            return to_counts(state.counts)

    async def _read_changes(
        self, client: ReadsChanges, args: PullChangesInput, resume: str, since: datetime
    ) -> None:
        if resume:
            cursor, clock = json.loads(resume)
        else:
            listing = await client.fetch_listing(args.entity)
            seen_at = listing.store_clock or datetime.now(UTC) - UNKNOWN_CLOCK_MARGIN
            cursor, clock = None, seen_at.isoformat()
        key = _key(args, args.name)
        bound = (since - OVERLAP).isoformat()
        for number in range(1, 1_000_000):
            read_at = await reading_begins(self._database, args.tenant_id, force=args.force)
            changes = await client.fetch_changes(args.entity, since=bound, cursor=cursor)
            cursor = changes.cursor
            step = Step(
                place=f"round {args.round}, step {number}",
                resume=json.dumps([cursor, clock]),
                is_done=cursor is None,
                behind=resume,
                is_catch_up=True,
                mode=args.mode,
                force=args.force,
                read_at=read_at,
            )
            await take_page(self._home, args.store_id, key, changes.page, step)
            resume = step.resume
            activity.heartbeat(number)
            if cursor is None:
                break
        async with self._database.tenant(args.tenant_id) as connection:
            await ranges.update_entity(
                connection, key, changed_since=datetime.fromisoformat(clock), round=args.round
            )


def _key(args: EntityRef, name: str) -> RangeKey:
    return RangeKey(args.tenant_id, args.run_id, args.entity, name)
