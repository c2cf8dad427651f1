"""Deciding what an incoming record means, given what its link remembers. Pure.

The rules, in order:

1. a tombstone deletes what is linked and alive, and means nothing otherwise;
2. what has no link is created;
3. what was deleted here and is there again is taken back, whatever it says;
4. a version older than the link's is history, and is ignored; but not where a person wants what
   the store has now, and nothing was heard of the record since that began to be read: a shop that
   was restored from a backup, or an event dated in the future, leaves such a version behind;
5. the fingerprint tells whether anything differs. If nothing does, a newer version is remembered,
   so that what lies between the two is known as history; so is an older one that counts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from domain.errors import InvalidRecordError
from domain.pages import Pulled
from domain.records import Record, fingerprint, snapshot

# An escape, and not the text of one: before that stands a backslash which is escaped itself.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Action(StrEnum):
    """What becomes of a record. The values of the first three stand in `changes`.

    `CONFIRMED` is unchanged at another version that counts, `STALE` is a version that is history.
    """

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    CONFIRMED = "confirmed"
    STALE = "stale"


class Versioned(Protocol):
    """Something that a store has at a version."""

    @property
    def external_id(self) -> str:
        """The store's id of it."""
        ...

    @property
    def version(self) -> datetime | None:
        """The store's modification time, if it has one."""
        ...


V = TypeVar("V", bound=Versioned)


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
    """What a link remembers of the last agreement with the store.

    `merges` says that the hub's record may say more than the store: what the store says next is
    merged with it, not written over it. `heard_at` is when the store was last heard of it, by the
    database's clock.
    """

    record_id: int
    digest: bytes | None
    version: datetime | None
    is_deleted: bool
    merges: bool = False
    heard_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The decisions for one batch. Every external id is in one place, and once.

    `ambiguous` are those whose order cannot be told: another content at the version we have.
    """

    created: tuple[Incoming, ...] = ()
    updated: tuple[Incoming, ...] = ()
    unchanged: tuple[str, ...] = ()
    confirmed: tuple[Incoming, ...] = ()
    stale: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()

    @property
    def contested(self) -> set[str]:
        """The links that will be written and are there: they have to be locked first."""
        held = (*self.updated, *self.confirmed)
        return {one.external_id for one in held} | set(self.deleted)

    @property
    def writes(self) -> tuple[Incoming, ...]:
        """What has to be written, in key order: one order for all writers means no deadlock."""
        return tuple(sorted((*self.created, *self.updated), key=lambda one: one.external_id))


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


def latest(batch: Iterable[V]) -> dict[str, V]:
    """One record for each external id: the newest version, and of equal versions the last."""
    kept: dict[str, V] = {}
    for one in batch:
        held = kept.get(one.external_id)
        if held is None or not _is_older(one.version, held.version):
            kept[one.external_id] = one
    return kept


def decide(
    incoming: Incoming, link: LinkState | None, *, read_at: datetime | None = None
) -> Action:
    """What one record means.

    Args:
        read_at: when it began to be read, by the database's clock, where what the store has now
            counts although its version is older.
    """
    if link is None:
        return Action.CREATED
    if link.is_deleted:
        return Action.UPDATED
    if _is_older(incoming.version, link.version) and not _is_last_word(link, read_at):
        return Action.STALE
    if incoming.digest != link.digest:
        return Action.UPDATED
    is_other = incoming.version is not None and incoming.version != link.version
    return Action.CONFIRMED if is_other else Action.UNCHANGED


def reconcile(
    batch: Iterable[Incoming],
    tombstones: Iterable[str],
    links: Mapping[str, LinkState],
    *,
    strict: bool = False,
    force: bool = False,
    read_at: datetime | None = None,
) -> Plan:
    """Decide for a whole batch. A record in the batch outweighs a tombstone of the same id.

    Args:
        strict: another content at the version we have, or without one, is left aside.
        force: what the store says is written also where nothing is new about it, if the hub's
            record may be another.
        read_at: see `decide`; only with `force`.
    """
    records = latest(batch)
    decided: dict[Action, list[Incoming]] = {action: [] for action in Action}
    ambiguous: list[str] = []
    for external_id, one in records.items():
        link = links.get(external_id)
        action = decide(one, link, read_at=read_at if force else None)
        if strict and action is Action.UPDATED and _is_ambiguous(one, link):
            ambiguous.append(external_id)
            continue
        if force and link is not None and link.merges and action in _SAME:
            action = Action.UPDATED
        decided[action].append(one)
    deleted = (
        external_id
        for external_id in sorted(set(tombstones) - records.keys())
        if (link := links.get(external_id)) is not None and not link.is_deleted
    )
    return Plan(
        created=tuple(decided[Action.CREATED]),
        updated=tuple(decided[Action.UPDATED]),
        unchanged=tuple(one.external_id for one in decided[Action.UNCHANGED]),
        confirmed=tuple(decided[Action.CONFIRMED]),
        stale=tuple(one.external_id for one in decided[Action.STALE]),
        deleted=tuple(deleted),
        ambiguous=tuple(ambiguous),
    )


_SAME = (Action.UNCHANGED, Action.CONFIRMED)


def _is_ambiguous(incoming: Incoming, link: LinkState | None) -> bool:
    return link is not None and not link.is_deleted and incoming.version == link.version


def _is_last_word(link: LinkState, read_at: datetime | None) -> bool:
    return read_at is not None and (link.heard_at is None or link.heard_at < read_at)


def _is_older(version: datetime | None, than: datetime | None) -> bool:
    return version is not None and than is not None and version < than
