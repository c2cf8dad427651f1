"""Ways through a store's list, a page at a time: each step says where the next one begins.

A walk keeps nothing between its steps, so that another worker goes on where one was killed.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil
from typing import Final, Protocol

from activities.demand_models import PullDemand
from domain.entities import Entity
from domain.pages import Page
from domain.records import Record
from domain.selection import Selection
from providers._kit.protocols import ReadsChanges, ReadsPages, ReadsSelection

MOST_REPAIRS: Final = 50
"""How often a walk by page numbers steps back for a list that loses rows, before it goes on."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One step of a walk: what was read, and where to go on.

    `expected`: how many records the whole walk has, where the store tells.
    """

    page: Page[Record]
    place: str
    resume: str
    is_done: bool
    expected: int | None = None


class Walk(Protocol):
    """A way through a list."""

    async def step(self, resume: str) -> Leg:
        """The step that begins at `resume` (empty: the first). Raises StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class NamedWalk:
    """The records that were named, `size` at a time."""

    client: ReadsPages
    entity: Entity
    external_ids: tuple[str, ...]
    size: int

    async def step(self, resume: str) -> Leg:
        """See `Walk`."""
        first = int(resume or 0)
        upto = first + self.size
        page = await self.client.fetch_by_ids(self.entity, self.external_ids[first:upto])
        return Leg(
            page,
            f"ids from {first + 1}",
            resume=str(upto),
            is_done=upto >= len(self.external_ids),
            expected=len(self.external_ids),
        )


@dataclass(frozen=True, slots=True)
class SelectedWalk:
    """A part of a list, newest id first, from a page on and so many records at most.

    Rows that leave the list meanwhile move later ones to pages that were read: whenever the list
    got shorter, the walk steps back as far as they can have moved.
    """

    client: ReadsSelection
    demand: PullDemand
    selection: Selection

    async def step(self, resume: str) -> Leg:
        """See `Walk`."""
        at: tuple[int, int | None, int] = (self.demand.first_page, None, 0)
        number, known, repairs = json.loads(resume) if resume else at
        page = await self.client.fetch_selected(self.demand.entity, self.selection, number)
        lost = (known or 0) - (page.total or 0) if page.total is not None else 0
        following, is_done = number + 1, self._is_last(page, number)
        if lost > 0 and number > self.demand.first_page and repairs < MOST_REPAIRS:
            back = ceil(lost / self.selection.page_size)
            following, is_done = max(self.demand.first_page, number - back), False
            repairs += 1
        return Leg(
            self._cut(page, number),
            f"page {number}",
            resume=json.dumps([following, page.total, repairs]),
            is_done=is_done,
            expected=self._expected(page),
        )

    def _last(self) -> int | None:
        """The number of the last page that is wanted."""
        if self.demand.limit is None:
            return None
        return self.demand.first_page + ceil(self.demand.limit / self.selection.page_size) - 1

    def _is_last(self, page: Page[Record], number: int) -> bool:
        if not page.size or number == self._last():
            return True
        if page.total_pages is None:
            return page.size < self.selection.page_size
        return number >= page.total_pages

    def _cut(self, page: Page[Record], number: int) -> Page[Record]:
        """The page without what goes beyond the limit."""
        if self.demand.limit is None or number != self._last():
            return page
        before = (number - self.demand.first_page) * self.selection.page_size
        left = self.demand.limit - before
        if page.size <= left:
            return page
        rejected = tuple(one for one in page.rejected if one.position < left)
        return replace(
            page, records=page.records[: max(0, left - len(rejected))], rejected=rejected
        )

    def _expected(self, page: Page[Record]) -> int | None:
        if page.total is None:
            return None
        behind = max(0, page.total - (self.demand.first_page - 1) * self.selection.page_size)
        return behind if self.demand.limit is None else min(behind, self.demand.limit)


@dataclass(frozen=True, slots=True)
class WholeWalk:
    """Every page of a list, by ascending id."""

    client: ReadsPages
    entity: Entity

    async def step(self, resume: str) -> Leg:
        """See `Walk`."""
        number = int(resume or 1)
        page = await self.client.fetch_page(self.entity, number)
        is_last = number >= page.total_pages if page.total_pages is not None else not page.size
        return Leg(
            page,
            f"page {number}",
            resume=str(number + 1),
            is_done=is_last or not page.size,
            expected=page.total,
        )


@dataclass(frozen=True, slots=True)
class ChangesWalk:
    """What changed since a moment."""

    client: ReadsChanges
    entity: Entity
    since: datetime

    async def step(self, resume: str) -> Leg:
        """See `Walk`."""
        number, cursor = json.loads(resume) if resume else (1, None)
        since = self.since.astimezone(UTC).isoformat()
        changes = await self.client.fetch_changes(self.entity, since=since, cursor=cursor)
        return Leg(
            changes.page,
            f"changes, step {number}",
            resume=json.dumps([number + 1, changes.cursor]),
            is_done=changes.cursor is None,
        )
