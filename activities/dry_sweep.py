"""Dry runs: what a whole reading shows to be gone from a store."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.dry_run import note_page
from activities.models import Counts, PullMode
from activities.stores import OpenStore
from activities.taking import Home, Step, reading_begins, to_counts
from db import drift, ranges, sweeps
from db.ranges import RangeCounts, RangeKey
from domain.entities import Entity
from domain.pages import Page
from domain.records import Record

_SUFFIX: Final = "-gone"


@dataclass(frozen=True, slots=True)
class GoneTask:
    """Whose deletions; `key` is that of the pieces whose ids were collected."""

    store_id: int
    key: RangeKey
    mode: PullMode
    force: bool


async def note_gone(home: Home, store: OpenStore, task: GoneTask) -> Counts:
    """Note what the real run's sweep would delete; each is read again to be sure.

    What a sweep would hold back for a person, because it is too much at once, is not noted. Raises
    StoreError.
    """
    key = replace(task.key, name=task.key.name + _SUFFIX)
    async with home.database.tenant(key.tenant_id) as connection:
        state = await ranges.load_range(connection, key)
        if state.is_done:
            return to_counts(state.counts)
        gone = await sweeps.list_gone(connection, task.store_id, key.run_id, key.entity)
        if await _is_held_back(connection, store, task, gone):
            gone = []
    # Pieces of an attempt before this one are noted again, and count once.
    size, counts, at = store.manifest.page_size, to_counts(state.counts), int(state.resume or 0)
    for start in range(at, len(gone), size):
        read_at = await reading_begins(home.database, key.tenant_id, force=task.force)
        page = await store.client.fetch_by_ids(key.entity, gone[start : start + size])
        counts += await note_page(
            home,
            task.store_id,
            key,
            await _without_sent_again(home, task, store, page),
            Step(
                place=f"gone from {start + 1}",
                resume=str(start + size),
                behind=str(start) if start else "",
                is_done=False,
                is_catch_up=True,
                mode=task.mode,
                force=task.force,
                read_at=read_at,
            ),
        )
    async with home.database.tenant(key.tenant_id) as connection:
        await sweeps.clear_sweep(connection, key.run_id, key.entity)
        await ranges.advance_range(
            connection, key, resume=str(len(gone)), is_done=True, step=RangeCounts()
        )
    return counts


async def _is_held_back(
    connection: AsyncConnection, store: OpenStore, task: GoneTask, gone: Sequence[str]
) -> bool:
    """See `activities.gone.hold_back`, which also raises an alert."""
    if task.mode is PullMode.IMPORT or task.force or len(gone) <= 1:
        return False
    linked = await drift.count_linked(connection, task.store_id, task.key.entity)
    return len(gone) > store.settings.max_delete_share * linked


async def _without_sent_again(
    home: Home, task: GoneTask, store: OpenStore, page: Page[Record]
) -> Page[Record]:
    """A reconcile sends the store again what it lost and the hub gave it: that is not deleted."""
    entity = task.key.entity
    is_sent = entity is not Entity.ORDERS and store.settings.sync_directions.of(entity).pushes
    if task.mode is not PullMode.RECONCILE or task.force or not is_sent or not page.tombstones:
        return page
    async with home.database.tenant(task.key.tenant_id) as connection:
        again = await drift.list_from_hub(connection, task.store_id, entity, page.tombstones)
    return replace(page, tombstones=tuple(one for one in page.tombstones if one not in again))
