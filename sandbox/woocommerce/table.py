"""One entity's records: rendered bytes, the few facts that lists filter by, and sorted indexes."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from sandbox.woocommerce import php

HIDDEN = frozenset({"trash", "auto-draft"})


@dataclass(slots=True)
class Row:
    """What a list needs to know of a record without reading it. Times are epoch seconds."""

    id: int
    created: int
    modified: int
    status: str = "publish"
    kind: str = ""
    parent: int = 0
    customer: int = 0
    sku: str = ""
    name: str = ""
    index: int = -1
    body: bytes | None = None

    @property
    def hidden(self) -> bool:
        """Whether default lists leave this record out."""
        return self.status in HIDDEN


Stamp: TypeAlias = tuple[int, int]
_Item = TypeVar("_Item", int, Stamp)


class Table:
    """Rows by id. Bodies are rendered on first use and kept until an edit."""

    def __init__(self, name: str, render: Callable[[Row], php.Document]) -> None:
        self.name = name
        self.rows: dict[int, Row] = {}
        self.version = 0
        self._render = render
        self._ids: list[int] | None = None
        self._created: list[Stamp] | None = None
        self._modified: list[Stamp] | None = None
        self._children: dict[int, list[int]] | None = None
        self.answers: dict[Any, list[int]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def load(self, rows: Iterable[Row]) -> None:
        """Add seeded rows at once; indexes are built when first asked for."""
        self.rows.update((row.id, row) for row in rows)
        self._forget()

    def find(self, record_id: int) -> Row | None:
        """The row of an id, trashed ones included."""
        return self.rows.get(record_id)

    def body(self, row: Row) -> bytes:
        """The record's JSON as the shop sends it."""
        if row.body is None:
            row.body = php.dump(self._render(row))
        return row.body

    def document(self, row: Row) -> php.Document:
        """The record as a fresh dict that the caller may change."""
        document: php.Document = php.load(self.body(row))
        return document

    def ids(self) -> list[int]:
        """Ids of default lists, ascending. Not to be changed by the caller."""
        if self._ids is None:
            self._ids = sorted(row.id for row in self.rows.values() if not row.hidden)
        return self._ids

    def by_created(self) -> list[Stamp]:
        """(created, id) of default lists, ascending."""
        if self._created is None:
            self._created = sorted((r.created, r.id) for r in self.rows.values() if not r.hidden)
        return self._created

    def by_modified(self) -> list[Stamp]:
        """(modified, id) of default lists, ascending."""
        if self._modified is None:
            self._modified = sorted((r.modified, r.id) for r in self.rows.values() if not r.hidden)
        return self._modified

    def children(self, parent: int) -> list[int]:
        """Ids of the rows below `parent`, ascending, trashed ones included."""
        if self._children is None:
            self._children = {}
            for row in sorted(self.rows.values(), key=lambda row: row.id):
                self._children.setdefault(row.parent, []).append(row.id)
        return self._children.get(parent, [])

    def modified_between(self, after: int | None, before: int | None) -> list[Stamp]:
        """Stamps strictly inside the bounds (measured: rows of the exact second are left out)."""
        stamps = self.by_modified()
        low = 0 if after is None else bisect_left(stamps, (after + 1, 0))
        high = len(stamps) if before is None else bisect_left(stamps, (before, 0))
        return stamps[low:high]

    def insert(self, row: Row, document: php.Document) -> None:
        """Add a new record."""
        self.rows[row.id] = row
        row.body = php.dump(document)
        self._enter(row)
        if self._children is not None:
            insort(self._children.setdefault(row.parent, []), row.id)

    def rewrite(self, row: Row, document: php.Document, *, modified: int, status: str) -> None:
        """Put `document` in place of a record and move it in the indexes."""
        self._leave(row)
        row.modified = modified
        row.status = status
        row.body = php.dump(document)
        self._enter(row)

    def delete(self, row: Row) -> None:
        """Remove a record for good."""
        self._leave(row)
        del self.rows[row.id]
        if self._children is not None:
            self._children[row.parent].remove(row.id)

    def _enter(self, row: Row) -> None:
        self.version += 1
        self.answers.clear()
        if row.hidden:
            return
        if self._ids is not None:
            insort(self._ids, row.id)
        if self._created is not None:
            insort(self._created, (row.created, row.id))
        if self._modified is not None:
            insort(self._modified, (row.modified, row.id))

    def _leave(self, row: Row) -> None:
        self.version += 1
        self.answers.clear()
        if row.hidden:
            return
        _discard(self._ids, row.id)
        _discard(self._created, (row.created, row.id))
        _discard(self._modified, (row.modified, row.id))

    def _forget(self) -> None:
        self._ids = self._created = self._modified = self._children = None
        self.answers.clear()
        self.version += 1


def _discard(items: list[_Item] | None, item: _Item) -> None:
    if items is None:
        return
    place = bisect_right(items, item) - 1
    if place >= 0 and items[place] == item:
        del items[place]
