"""Walking through what changed, while it is being changed.

WooCommerce can list by modification time with a lower bound (`modified_after`, since 5.8.0). The
bound is strict and counts whole seconds (measured on 11.0.1), and an edit moves a row to the end.
Page numbers over such a list lose rows, so a walk never uses them across edits:

- *After a second*: the first page of what was modified later than a second. If more follows, the
  rows of the page's last second are held back and the walk goes on from just before that second,
  so nothing at a page's edge is lost or handed over twice.
- *Within a second*: a whole page shares one second. Its rows are walked by id from the last page
  to the first: rows can only leave a second that is over, and what leaves moves the rest to pages
  that are still to come.
- *Everything*: a shop that does not know the filter or the order answers with rows from before the
  bound, or with 400; then the whole list is walked by id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

_SECOND: Final = timedelta(seconds=1)


class Walk(StrEnum):
    """The three ways of walking."""

    AFTER = "after"
    WITHIN = "within"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class ChangesCursor:
    """Where a walk is. `second` is naive UTC, as the shop writes it; page 0 is not yet known."""

    walk: Walk
    second: datetime
    page: int = 0

    @classmethod
    def start(cls, since: str) -> Self:
        """A walk through what changed at or after `since` (ISO 8601).

        Raises:
            ValueError: it is no time.
        """
        moment = datetime.fromisoformat(since)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        return cls(Walk.AFTER, moment.replace(microsecond=0) - _SECOND)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read back what `str` wrote. Raises ValueError."""
        walk, second, page = text.split("/")
        return cls(Walk(walk), datetime.fromisoformat(second), int(page))

    def __str__(self) -> str:
        return f"{self.walk}/{self.second.isoformat()}/{self.page}"

    def params(self, page_size: int) -> tuple[tuple[str, str], ...]:
        """The query parameters of this step."""
        size = ("per_page", str(page_size))
        by_id = (("orderby", "id"), ("order", "asc"), size)
        if self.walk is Walk.EVERYTHING:
            return (*by_id, ("page", str(self.page)))
        if self.walk is Walk.AFTER:
            return (*self._after(self.second), ("orderby", "modified"), ("order", "asc"), size)
        return (
            *self._after(self.second - _SECOND),
            ("modified_before", (self.second + _SECOND).isoformat()),
            *by_id,
            ("page", str(self.page)),
        )

    @staticmethod
    def _after(second: datetime) -> tuple[tuple[str, str], ...]:
        return (("modified_after", second.isoformat()), ("dates_are_gmt", "true"))

    def everything(self) -> Self:
        """The walk for a shop that cannot list by modification."""
        return replace(self, walk=Walk.EVERYTHING, page=1)

    def next_page(self, *, has_more: bool) -> Self | None:
        """The step after this one, of those that go by page number."""
        if self.walk is Walk.EVERYTHING:
            return replace(self, page=self.page + 1) if has_more else None
        if self.page > 1:
            return replace(self, page=self.page - 1)
        return replace(self, walk=Walk.AFTER, page=0)


@dataclass(frozen=True, slots=True)
class Step:
    """What to do with an answer: the rows to hand over, and where to go on."""

    rows: Sequence[Any]
    cursor: ChangesCursor | None


def modified_second(row: Any) -> datetime | None:
    """A row's modification time as the shop writes it; None if it names none."""
    raw = row.get("date_modified_gmt") if isinstance(row, dict) else None
    try:
        moment = datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=None, microsecond=0) if moment is not None else None


def ignores_bound(cursor: ChangesCursor, rows: Sequence[Any]) -> bool:
    """Whether the shop answered with rows from before the bound, so does not know the filter."""
    return any(
        moment is not None and moment <= cursor.second for moment in map(modified_second, rows)
    )


def step_after(
    cursor: ChangesCursor, rows: Sequence[Any], *, has_more: bool, clock: datetime | None
) -> Step:
    """Decide about one answer of a walk *after* a second, oldest modification first.

    Args:
        has_more: whether the list goes on behind these rows.
        clock: the shop's own time when it answered.
    """
    if not has_more:
        return Step(rows, None)
    moments = [moment for moment in map(modified_second, rows) if moment is not None]
    if not moments:
        return Step(rows, cursor.everything())
    first, last = min(moments), max(moments)
    if last > first:
        settled = [row for row in rows if modified_second(row) != last]
        return Step(settled, replace(cursor, second=last - _SECOND))
    if clock is not None and abs(clock.replace(tzinfo=None) - last) <= _SECOND:
        # This very second still gains rows. The next round begins before it.
        return Step(rows, None)
    return Step((), ChangesCursor(Walk.WITHIN, last))
