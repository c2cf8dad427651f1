"""What a provider hands over after a read: records, what it could not read, and how far it got."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from domain.records import InventoryLevel, Record

R_co = TypeVar("R_co", bound=Record, covariant=True)


@dataclass(frozen=True, slots=True)
class Pulled(Generic[R_co]):
    """One record as the store has it.

    Attributes:
        version: the store's modification time, if it has one.
        unkept: the shared fields (`domain.fields`) that the store has no place for: that they are
            empty says nothing.
    """

    external_id: str
    record: R_co
    version: datetime | None = None
    levels: tuple[InventoryLevel, ...] = ()
    unkept: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that was set aside. Its `position` in the page (0-based) stands in for a lost id."""

    external_id: str | None
    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class Page(Generic[R_co]):
    """An answer of a store, understood.

    Attributes:
        records: what was read, in the store's order.
        tombstones: ids the store says are gone (trash counts as gone).
        rejected: what could not be understood.
        skipped: ids that are no records of this entity (an order being drafted, for one).
        total: how many the store says there are, of the whole list.
        total_pages: how many pages of the provider's size the whole list has.
        store_clock: the store's own time when it answered (aware UTC).
        size: rows in the answer, whatever became of them.
    """

    records: tuple[Pulled[R_co], ...] = ()
    tombstones: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    skipped: tuple[str, ...] = ()
    total: int | None = None
    total_pages: int | None = None
    store_clock: datetime | None = None
    size: int = 0


@dataclass(frozen=True, slots=True)
class ChangesPage(Generic[R_co]):
    """One step through what changed since a moment; `cursor` continues it, None ends it."""

    page: Page[R_co]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class IdsPage:
    """One page of a store's ids, ascending."""

    ids: tuple[str, ...]
    total: int
    total_pages: int


@dataclass(frozen=True, slots=True)
class Listing:
    """How a whole list looks at one moment: its length, and its newest id.

    Two equal listings around a walk by ascending id mean that nothing was deleted during it: a
    deletion makes the list shorter, and an addition that would hide it makes the newest id grow.
    """

    total: int
    newest_id: str | None
    total_pages: int
    store_clock: datetime | None = field(default=None, compare=False)
