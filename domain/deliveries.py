"""What a store's webhook says, once it is understood."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.entities import Entity
from domain.pages import Pulled
from domain.records import Record


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it arrived.

    Attributes:
        route: which of our paths it came to: `generic`, `newOrder`, `orderStatus` or `event`.
        topic: what the path says of it (`/webhook/{event}`), empty otherwise.
        headers: all of them, names in lower case. Never stored whole.
        body: the raw bytes, as signed.
    """

    route: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a genuine delivery is about, told without its content: what the inbox keeps in columns.

    Attributes:
        event_type: the store document's word: `order_created`, `order_status_changed`,
            `order_updated`, `product_updated`, … (`{singular}_{verb}`).
        topic: the provider's own word for it.
        entity: the kind of record, None when the hub keeps no such kind.
        external_id: the record's id in the store; events of one id are worked off in order.
        kept_headers: the allow-list of headers to keep.
    """

    event_type: str
    topic: str
    entity: Entity | None = None
    external_id: str | None = None
    kept_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """The delivery carries the whole record."""

    entity: Entity
    pulled: Pulled[Record]


@dataclass(frozen=True, slots=True)
class Hint:
    """Something happened to a record: read it again by id to know what."""

    entity: Entity
    external_id: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The record does not exist any more."""

    entity: Entity
    external_id: str
    version: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A genuine delivery that means nothing for the hub; `reason` is for people."""

    reason: str
    is_warning: bool = False


Meaning = Told | Hint | Gone | Ignored
