"""What is sent to a store, and what the store made of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from domain.entities import Entity
from domain.pages import Pulled
from domain.records import Record

_MARK_BYTES: Final = 5
_LONGEST_ID: Final = 19


def mark_of(public_id: str) -> str:
    """The tenant's part of our own keys, from its public id: two hubs, or two tenants, that work on
    one shop do not take each other's records for theirs."""
    return hashlib.blake2b(public_id.encode(), digest_size=_MARK_BYTES).hexdigest()


def own_key(entity: Entity, mark: str, record_id: int) -> str:
    """Our own key of a record, `{entity}-{tenant's mark}-{hub id}`."""
    return f"{entity.value}-{mark}-{record_id}"


def read_own_key(key: str, entity: Entity, mark: str) -> int | None:
    """The hub id of a key; None: it is no key of this tenant's, or of another kind of record."""
    ours, _, number = key.rpartition("-")
    is_number = number.isascii() and number.isdigit() and len(number) < _LONGEST_ID
    return int(number) if is_number and ours == f"{entity.value}-{mark}" else None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to bring to a store, in the store's terms (references are the store's ids).

    Attributes:
        key: our own key, see `own_key`; sent along where the store keeps foreign data.
        external_id: the store's id; None creates.
        record: what the record should be; None takes it off sale (unpublish), or deletes it where
            the store knows nothing gentler.
        base: what both sides last agreed on: the provider sends what is different from it.
        held: field paths that wait for a person and must not be sent.
        is_forced: a person said that the hub wins: all that the record says is sent, also what is
            as it was.
    """

    key: str
    external_id: str | None
    record: Record | None
    base: Record | None = None
    held: frozenset[str] = frozenset()
    is_forced: bool = False

    @property
    def compared(self) -> Record | None:
        """What the record is compared with to find what has to be said; None: all of it has."""
        return None if self.is_forced else self.base


class Outcome(StrEnum):
    """What became of one item of a push."""

    DONE = "done"
    REFUSED = "refused"
    MISSING = "missing"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Pushed:
    """The store's answer for one `Outgoing`, in the same order.

    Attributes:
        outcome: `REFUSED`: the store says no to this content. `MISSING`: the id is gone there.
        is_permanent: for `REFUSED`: trying the same again is useless (validation).
        pulled: the record as the store has it now, if it answered with it.
        external_id: its id there, also when only a part of the work was done.
        reason: for people, when not done.
    """

    key: str
    outcome: Outcome
    external_id: str | None = None
    pulled: Pulled[Record] | None = None
    is_permanent: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to recognise a record that may be in the store already, by our own key or a natural one.

    Attributes:
        key: as in `Outgoing`.
        skus: of a product's variants.
        slug, email, name: of a category or product, of a customer.
        parent_external_id: of a category.
        since: when the first try to create it began, whose outcome is not known; None: there was
            none. Where only the newest records can be searched for our key, how far back.
    """

    key: str
    entity: Entity
    skus: tuple[str, ...] = ()
    slug: str = ""
    email: str = ""
    name: str = ""
    parent_external_id: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class StockTarget:
    """A variant's number to bring to a store."""

    variant_external_id: str
    product_external_id: str
    sku: str
    available: Decimal


@dataclass(frozen=True, slots=True)
class StockShown:
    """What a store shows of a variant.

    Attributes:
        available: None: it does not count the variant.
        version: the store's modification time of the record that carries the number, where a change
            of the number is known to advance it or leave it, and never to set it back.
    """

    available: Decimal | None
    version: datetime | None = None


@dataclass(frozen=True, slots=True)
class StockPushed:
    """What the store said before, and says now; `after` None: it was not written.

    `version` is that of the last of the two, as in `StockShown`.
    """

    variant_external_id: str
    outcome: Outcome
    before: Decimal | None = None
    after: Decimal | None = None
    reason: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    version: datetime | None = None
