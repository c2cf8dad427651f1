"""Dry runs: what a page would do, noted instead of done."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.models import Counts
from activities.taking import Home, Step, count_step, ids_of, to_counts
from db import ranges, sweeps
from db.dry_run import Foreseen, Trial, foresee
from db.ranges import RangeCounts, RangeKey
from db.run_diffs import following, note_differences
from domain.differences import Difference
from domain.pages import Page
from domain.records import Record


async def note_page(
    home: Home, store_id: int, key: RangeKey, page: Page[Record], step: Step
) -> Counts:
    """Foresee a page and advance its piece of the dry run; takes what `take_page` takes.

    The counts are what `take_page` would give. Records that an earlier page of the run had already
    are counted as unchanged. Nobody is woken: nothing is to be sent.

    Raises:
        RangeMovedError: the piece is elsewhere; nothing was noted.
    """
    origin = step.origin(key.tenant_id, store_id)
    seen = await foresee(home.database, Trial(origin, key.entity, page, key.run_id))
    place = f"{key.name}/{step.place}"
    found = [*seen.differences]
    if seen.queued:
        found.append(following(key.entity, place, seen.queued))

    async def note(connection: AsyncConnection) -> RangeCounts:
        told = await note_differences(connection, key.tenant_id, key.run_id, place, found)
        if step.collect:
            await sweeps.collect_ids(
                connection, key.tenant_id, key.run_id, key.entity, ids_of(page)
            )
        counts = _counted(seen, told, key, step)
        await ranges.advance_range(
            connection,
            key,
            resume=step.resume,
            is_done=step.is_done,
            step=counts,
            behind=step.behind,
        )
        return counts

    return to_counts(await home.database.transact(key.tenant_id, note))


def _counted(seen: Foreseen, told: list[Difference], key: RangeKey, step: Step) -> RangeCounts:
    """What the page does beyond what the run was told before."""
    again = [one.action for one in told if one.entity == key.entity.value]
    applied = replace(
        seen.applied,
        created=max(seen.applied.created - again.count("created"), 0),
        updated=max(seen.applied.updated - again.count("updated"), 0),
        deleted=max(seen.applied.deleted - again.count("deleted"), 0),
        unchanged=seen.applied.unchanged + again.count("created") + again.count("updated"),
    )
    rejected = len(seen.applied.rejected) - again.count("rejected")
    return count_step(applied, rejected, step)
