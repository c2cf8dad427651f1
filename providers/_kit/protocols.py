"""What a provider is: a folder, a `Provider` object, and clients with the capabilities it claims.

A provider folder exports `PROVIDER` from its `__init__.py`. The registry finds it there; nothing
else in the hub knows its name. A capability is a Protocol below: ask `isinstance(client, …)`, never
for a provider's name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from pydantic import SecretStr

from domain.deliveries import Delivery, Meaning, Notice
from domain.entities import Entity
from domain.pages import ChangesPage, IdsPage, Listing, Page, Pulled
from domain.pushing import Outgoing, Pushed, StockPushed, StockShown, StockTarget, Wanted
from domain.records import Record
from domain.selection import Selection
from providers._kit.answers import Answer
from providers._kit.manifest import Manifest, StoreConfig, StoreFacts

__all__ = [
    "HttpSession",
    "ManagesWebhooks",
    "Manifest",
    "Params",
    "ProbesStore",
    "Provider",
    "ReadsChanges",
    "ReadsPages",
    "ReadsSelection",
    "ScansOrders",
    "SignRequest",
    "StoreClient",
    "StoreConfig",
    "StoreFacts",
    "Subscription",
    "Webhooks",
    "WritesRecords",
    "WritesStock",
]


@runtime_checkable
class ProbesStore(Protocol):
    """Tries the credentials."""

    async def probe(self) -> StoreFacts:
        """Reach the store, prove that the keys can read it, and learn what later calls need.

        Raises:
            StoreError: unreachable, keys refused, or not a store of this provider.
        """
        ...


@runtime_checkable
class ReadsPages(Protocol):
    """Reads whole lists by page number, oldest id first."""

    async def fetch_listing(self, entity: Entity) -> Listing:
        """Length, newest id and the store's clock, in one cheap request. Raises StoreError."""
        ...

    async def fetch_page(self, entity: Entity, number: int) -> Page[Record]:
        """One page (1-based) in ascending id order; past the end it is empty. Raises StoreError."""
        ...

    async def fetch_ids(self, entity: Entity, number: int) -> IdsPage:
        """The ids alone of one page (1-based) in ascending order. Raises StoreError."""
        ...

    async def fetch_by_ids(self, entity: Entity, external_ids: Sequence[str]) -> Page[Record]:
        """The named records, at most a page of them; what is gone comes back as a tombstone.

        Every id asked for is in the answer once: as a record, tombstone, rejected or skipped.
        Raises StoreError.
        """
        ...


@runtime_checkable
class ReadsChanges(ReadsPages, Protocol):
    """Reads what changed since a moment, for the entities the manifest says."""

    async def fetch_changes(
        self, entity: Entity, *, since: str, cursor: str | None
    ) -> ChangesPage[Record]:
        """What changed at or after `since` (ISO 8601, UTC, by the store's clock), oldest first.

        The provider makes up for a bound that the store reads as "later than". `cursor` is opaque
        and safe while the store is being edited. Raises StoreError.
        """
        ...


@runtime_checkable
class ReadsSelection(Protocol):
    """Reads a part of a list: what somebody asked for once, newest id first."""

    async def fetch_selected(
        self, entity: Entity, selection: Selection, number: int
    ) -> Page[Record]:
        """One page (1-based) of what was selected, in descending id order.

        Pages have `selection.page_size` records. `external_ids` come as `fetch_by_ids` gives them.
        Raises ValueError for a filter that the entity does not have, and StoreError.
        """
        ...


@runtime_checkable
class WritesRecords(Protocol):
    """Creates, updates and takes off sale. What a store cannot do is answered `UNSUPPORTED`."""

    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        """Bring records to the store: one answer per item, in their order.

        At most `Manifest.push_sizes[entity]` items. Items fail one by one; a failure of the whole
        call is raised, and then nothing is known of any item.

        Raises:
            StoreError: the store is away or refuses the keys.
        """
        ...

    async def find(self, wanted: Sequence[Wanted]) -> Mapping[str, Pulled[Record]]:
        """Which of these are in the store already, by `Wanted.key`; all of one entity.

        Raises StoreError.
        """
        ...


@runtime_checkable
class WritesStock(Protocol):
    """Sets how many there are of variants, as absolute numbers."""

    async def read_stock(self, targets: Sequence[StockTarget]) -> Mapping[str, StockShown]:
        """What the store shows now, by variant id. Raises StoreError."""
        ...

    async def push_stock(self, targets: Sequence[StockTarget]) -> Sequence[StockPushed]:
        """Set the numbers, one answer per target, in their order; `after` is read back.

        At most `Manifest.push_sizes[Entity.INVENTORY]` targets. Raises StoreError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook as the store has it."""

    external_id: str
    topic: str
    delivery_url: str
    is_active: bool


@runtime_checkable
class ManagesWebhooks(Protocol):
    """Creates the store's webhooks through its API."""

    async def list_subscriptions(self) -> Sequence[Subscription]:
        """Every webhook the store has. Raises StoreError."""
        ...

    async def subscribe(self, topic: str, delivery_url: str, secret: SecretStr) -> Subscription:
        """Create one. Raises StoreError."""
        ...

    async def activate(self, subscription: Subscription, secret: SecretStr) -> Subscription:
        """Switch one on again, with this secret. Raises StoreError."""
        ...

    async def unsubscribe(self, external_id: str) -> None:
        """Delete one; it is no error that it is gone. Raises StoreError."""
        ...


class StoreClient(ProbesStore, ReadsPages, Protocol):
    """The least a provider's client can do."""


Params = Sequence[tuple[str, str]]
"""Query parameters in order."""


class SignRequest(Protocol):
    """Proves who we are, for one try of one request."""

    def __call__(self, method: str, url: str, params: Params, /) -> tuple[Params, dict[str, str]]:
        """The parameters and headers to send. `url` has no query."""
        ...


class HttpSession(Protocol):
    """The guarded HTTP session that the kit builds and everything shares; see `_kit.http`."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params = (),
        auth: SignRequest | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Send one request and read its whole answer, whatever its status. Raises StoreError."""
        ...


class Webhooks(Protocol):
    """How a provider's webhooks are told genuine, and what they say. Pure: no network, no clock."""

    @property
    def topics(self) -> Sequence[str]:
        """The topics to subscribe to, for a client that is `ManagesWebhooks`."""
        ...

    def is_ping(self, delivery: Delivery) -> bool:
        """Whether it is the store's unsigned test, to be answered 200 and forgotten."""
        ...

    def is_genuine(self, config: StoreConfig, delivery: Delivery, *, now: datetime) -> bool:
        """Whether it is signed with the store's secret, compared in constant time.

        False while the store has no secret yet.
        """
        ...

    def source(self, delivery: Delivery) -> str | None:
        """The shop's own address, where the delivery names it: a hint which store it is from."""
        ...

    def describe(self, delivery: Delivery) -> Notice:
        """What a genuine delivery is about. Never raises: what is not understood is said so."""
        ...

    def read(self, config: StoreConfig, facts: StoreFacts, delivery: Delivery) -> Meaning:
        """What it says, once it is worked off; `delivery.headers` are the kept ones.

        Raises:
            InvalidRecordError: it carries a record that cannot be understood.
        """
        ...


@runtime_checkable
class ScansOrders(Protocol):
    """Finds orders that no webhook told of, where orders cannot be listed."""

    @property
    def scans_orders(self) -> bool:
        """Whether the merchant wants it."""
        ...

    async def scan_orders(self, cursor: str | None) -> ChangesPage[Record]:
        """Orders after `cursor`, which is opaque; None: nothing is known, and nothing is asked.

        The page's cursor is where the next scan begins, never the end. Raises StoreError.
        """
        ...


class Provider(Protocol):
    """One outside system.

    `webhooks` is None for a provider that sends none.
    """

    @property
    def webhooks(self) -> Webhooks | None:
        """How its webhooks are read."""
        ...

    @property
    def manifest(self) -> Manifest:
        """What it is and can do."""
        ...

    @property
    def config_model(self) -> type[StoreConfig]:
        """The connection form."""
        ...

    def connect(
        self, config: StoreConfig, facts: StoreFacts | None, session: HttpSession
    ) -> StoreClient:
        """A client for one store. Opens nothing; `facts` is None only for the first probe."""
        ...
