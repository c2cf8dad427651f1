"""Taking in a page: records, rejections and the resume point in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.lanes import Waker, wake_pushes
from activities.models import Counts, PullMode
from db import drift, ranges, sweeps
from db.apply import Applied, apply
from db.ranges import RangeCounts, RangeKey
from db.session import Database
from db.staging import Origin
from db.unkeepable import transact_with_care
from domain.pages import Page
from domain.records import Record


@dataclass(frozen=True, slots=True)
class Home:
    """Where pages are taken in, and who is told that something is to be pushed."""

    database: Database
    waker: Waker


@dataclass(frozen=True, slots=True)
class _Taken:
    counts: RangeCounts
    pushes: frozenset[int]


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a piece of a pull.

    Attributes:
        place: names the page, for rejected records without an id.
        resume: where the piece goes on once this step is in.
        behind: where the piece has to be for this step to count; None: anywhere.
        is_done: whether the piece ends here.
        is_catch_up: records that were known and stay the same do not count again.
        collect: whether the ids of the page are kept for a sweep.
        mode: what the pull is for: an import's changes are bulk, a reconcile notes drift.
        force: whether the store wins every conflict.
        read_at: when the page began to be read, see `reading_begins`.
    """

    place: str
    resume: str
    is_done: bool
    behind: str | None = None
    is_catch_up: bool = False
    collect: bool = False
    mode: PullMode = PullMode.IMPORT
    force: bool = False
    read_at: datetime | None = None

    def origin(self, tenant_id: int, store_id: int) -> Origin:
        """Where the page comes from."""
        return Origin(
            tenant_id,
            store_id,
            bulk=self.mode is PullMode.IMPORT,
            force=self.force,
            read_at=self.read_at,
        )


async def reading_begins(database: Database, tenant_id: int, *, force: bool) -> datetime | None:
    """The moment, to be asked for before the store is read by force: what the store says then
    outweighs newer versions that were heard before. None where nobody forces anything."""
    if not force:
        return None
    async with database.tenant(tenant_id) as connection:
        return await ranges.database_clock(connection)


async def take_page(
    home: Home, store_id: int, key: RangeKey, page: Page[Record], step: Step
) -> Counts:
    """Apply a page and advance its piece. Killed before the commit, it did nothing; killed after
    it, the lanes that want waking are found by the sweeper.

    Raises:
        RangeMovedError: the piece is elsewhere; nothing was done.
    """

    async def work(connection: AsyncConnection, careful: bool) -> _Taken:
        origin = step.origin(key.tenant_id, store_id)
        if step.mode is PullMode.RECONCILE:
            await drift.note_differences(
                connection, key.tenant_id, store_id, key.entity, page.records
            )
        applied = await apply(connection, origin, key.entity, page, careful=careful)
        new = await ranges.reject(connection, key, applied.rejected, place=step.place)
        if step.collect:
            await sweeps.collect_ids(
                connection, key.tenant_id, key.run_id, key.entity, ids_of(page)
            )
        counts = count_step(applied, new, step)
        await ranges.advance_range(
            connection,
            key,
            resume=step.resume,
            is_done=step.is_done,
            step=counts,
            behind=step.behind,
        )
        return _Taken(counts, applied.pushes)

    taken = await transact_with_care(home.database, key.tenant_id, work)
    await wake_pushes(home.waker, key.tenant_id, taken.pushes)
    return to_counts(taken.counts)


def to_counts(counts: RangeCounts) -> Counts:
    """The database's counts as a message."""
    return Counts(
        seen=counts.seen,
        created=counts.created,
        updated=counts.updated,
        unchanged=counts.unchanged,
        deleted=counts.deleted,
        rejected=counts.rejected,
        pages=counts.pages,
    )


def count_step(applied: Applied, rejected: int, step: Step) -> RangeCounts:
    """What a step adds to its piece."""
    counts = RangeCounts(
        pages=1,
        created=applied.created,
        updated=applied.updated,
        unchanged=applied.unchanged,
        deleted=applied.deleted,
        rejected=rejected,
    )
    if step.is_catch_up:
        return replace(counts, seen=applied.created + rejected, unchanged=0)
    return replace(counts, seen=applied.created + applied.updated + applied.unchanged + rejected)


def ids_of(page: Page[Record]) -> list[str]:
    """All ids that a page shows to be there, whatever became of their records."""
    return [
        *(one.external_id for one in page.records),
        *page.skipped,
        *(one.external_id for one in page.rejected if one.external_id is not None),
    ]
