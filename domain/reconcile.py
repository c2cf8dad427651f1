"""Deciding what an incoming record means, given what its link remembers. Pure.

The rules, in order:

1. a tombstone deletes what is linked and alive, and means nothing otherwise;
2. what has no link is created;
3. what was deleted here and is there again is taken back, whatever it says;
4. a version older than the link's is history, and is ignored;
5. the fingerprint tells whether anything differs.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domain.errors import InvalidRecordError
from domain.pages import Pulled
from domain.records import Record, fingerprint, snapshot

# An escape, and not the text of one: before that stands a backslash which is escaped itself.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Action(StrEnum):
    """What becomes of a record. The values of the first three stand in `changes`."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record from outside, ready to be compared and written.

    `snapshot` is canonical JSON, `digest` its fingerprint, `buyer` the external id of an order's
    customer (a guest's included).
    """

    external_id: str
    version: datetime | None
    snapshot: bytes
    digest: bytes
    buyer: str | None = None


@dataclass(frozen=True, slots=True)
class LinkState:
    """What a link remembers of the last agreement with the store."""

    record_id: int
    digest: bytes | None
    version: datetime | None
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions for one batch. Every external id is in one place, and once."""

    created: tuple[Incoming, ...] = ()
    updated: tuple[Incoming, ...] = ()
    unchanged: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()

    @property
    def writes(self) -> tuple[Incoming, ...]:
        """What has to be written, in key order: one order for all writers means no deadlock."""
        return tuple(sorted((*self.created, *self.updated), key=lambda one: one.external_id))


@dataclass(slots=True)
class _Draft:
    created: list[Incoming] = field(default_factory=list)
    updated: list[Incoming] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)


def prepare(pulled: Pulled[Record], *, buyer: str | None = None) -> Incoming:
    """Take the snapshot of a record.

    Raises:
        InvalidRecordError: it holds a NUL character, which PostgreSQL keeps in no text.
    """
    content = snapshot(pulled.record)
    if b"\\u0000" in content and _NUL.search(content):
        raise InvalidRecordError(
            "the record holds a NUL character (U+0000), which cannot be stored"
        )
    return Incoming(pulled.external_id, pulled.version, content, fingerprint(content), buyer)


def latest(batch: Iterable[Incoming]) -> dict[str, Incoming]:
    """One record for each external id: the newest version, and of equal versions the last."""
    kept: dict[str, Incoming] = {}
    for one in batch:
        held = kept.get(one.external_id)
        if held is None or not _is_older(one.version, held.version):
            kept[one.external_id] = one
    return kept


def decide(incoming: Incoming, link: LinkState | None) -> Action:
    """What one record means."""
    if link is None:
        return Action.CREATED
    if link.is_deleted:
        return Action.UPDATED
    if incoming.digest == link.digest or _is_older(incoming.version, link.version):
        return Action.UNCHANGED
    return Action.UPDATED


def reconcile(
    batch: Iterable[Incoming], tombstones: Iterable[str], links: Mapping[str, LinkState]
) -> Plan:
    """Decide for a whole batch. A record in the batch outweighs a tombstone of the same id."""
    draft = _Draft()
    records = latest(batch)
    for external_id, one in records.items():
        match decide(one, links.get(external_id)):
            case Action.CREATED:
                draft.created.append(one)
            case Action.UPDATED:
                draft.updated.append(one)
            case _:
                draft.unchanged.append(external_id)
    for external_id in sorted(set(tombstones) - records.keys()):
        link = links.get(external_id)
        if link is not None and not link.is_deleted:
            draft.deleted.append(external_id)
    return Plan(
        tuple(draft.created), tuple(draft.updated), tuple(draft.unchanged), tuple(draft.deleted)
    )


def _is_older(version: datetime | None, than: datetime | None) -> bool:
    return version is not None and than is not None and version < than
