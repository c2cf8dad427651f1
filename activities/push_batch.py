"""One batch of a push lane: whose it is, and its rows sorted by what has to be done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from activities.lanes import Turn, Waker
from db.local_records import Local
from db.pushes import Push
from db.session import Database
from domain.agreement import foreign_prices, says_same
from domain.entities import Entity
from domain.lanes import LaneKind
from domain.pushing import Outgoing, Wanted, own_key
from domain.records import Category, Customer, Order, Product, Record
from domain.sync_settings import StoreSettings
from domain.variant_pairs import HubVariant
from providers._kit.protocols import WritesRecords


@dataclass(frozen=True, slots=True)
class Errand:
    """What a batch is done with.

    Attributes:
        currency: the store's, empty if it is not known.
        doubt: how long a create whose outcome is unknown is left alone: the store may still be at
            it, and what is looked up meanwhile would not be there yet.
        mark: the tenant's part of our own keys.
        writes_sent: see `OpenStore`.
    """

    database: Database
    turn: Turn
    waker: Waker
    client: WritesRecords
    settings: StoreSettings
    currency: str
    entity: Entity
    doubt: timedelta
    mark: str
    writes_sent: Callable[[], int] | None = None

    @property
    def tenant_id(self) -> int:
        """Whose store it is."""
        return self.turn.lane.tenant_id

    @property
    def store_id(self) -> int:
        """Which store."""
        return self.turn.lane.key

    def clock(self) -> datetime:
        """Now. A turn's own time stands still while the turn lasts."""
        return max(self.turn.now, datetime.now(UTC))

    async def wake_alerts(self) -> None:
        """After a commit that raised an alert."""
        await self.waker.wake(self.tenant_id, LaneKind.ALERT, self.tenant_id)


@dataclass(frozen=True, slots=True)
class Item:
    """A row with the record it is about; `local` None: there is no such record.

    `mark` is the tenant's part of our own keys.
    """

    push: Push
    mark: str
    local: Local | None = None

    @property
    def key(self) -> str:
        """Our own key of the record."""
        return own_key(self.push.entity, self.mark, self.push.record_id)

    @property
    def record(self) -> Record | None:
        """What it should be; None: it is deleted here."""
        return self.local.record if self.local is not None else None

    @property
    def external_id(self) -> str | None:
        """Its id in the store, while the store has it."""
        return None if self.local is None or self.is_gone else self.local.external_id

    @property
    def is_gone(self) -> bool:
        """Whether the store deleted it: nothing is sent to it then."""
        return self.local is not None and self.local.is_gone

    @property
    def waits(self) -> bool:
        """Whether a field of it waits for a person, so that the store is not told of that."""
        local = self.local
        return local is not None and bool(local.held_sides) and not self.push.is_forced

    @property
    def variants(self) -> tuple[HubVariant, ...]:
        """A product's variants, for telling which of the store's they are."""
        if self.local is None or not isinstance(self.local.record, Product):
            return ()
        sold = zip(self.local.variant_ids, self.local.record.variants, strict=True)
        return tuple(
            HubVariant(own, one.sku, one.option_values, one.external_id or None)
            for own, one in sold
        )

    @property
    def doubt_began(self) -> datetime | None:
        """When a create of it was sent that nobody knows the outcome of."""
        return None if self.external_id is not None else self.push.creating_since


@dataclass(frozen=True, slots=True)
class Sorted:
    """Attributes:
    idle: nothing is to be said.
    doubtful: a create may still be under way.
    strangers: not linked: to be looked up.
    known: linked, and to be told.
    unsendable: what the store cannot have, with the reason: products with prices in a currency
        that it does not sell in, and what a person asked for that is none of its records.
    """

    idle: tuple[Item, ...]
    doubtful: tuple[Item, ...]
    strangers: tuple[Item, ...]
    known: tuple[Item, ...]
    unsendable: tuple[tuple[Item, str], ...]


def sort(items: Sequence[Item], errand: Errand) -> Sorted:
    """What has to be done with each row."""
    idle, doubtful, strangers, known = [], [], [], []
    unsendable: list[tuple[Item, str]] = []
    for item in items:
        began = item.doubt_began
        if began is not None and began + errand.doubt > errand.turn.now:
            doubtful.append(item)
        elif item.push.run_id is not None and (reason := why_not(item)):
            unsendable.append((item, reason))
        elif is_idle(item):
            idle.append(item)
        elif item.external_id is None and is_foreign(item, errand.currency):
            unsendable.append((item, _other_currency(item, errand.currency)))
        elif item.external_id is None:
            strangers.append(item)
        else:
            known.append(item)
    return Sorted(tuple(idle), tuple(doubtful), tuple(strangers), tuple(known), tuple(unsendable))


def is_idle(item: Item) -> bool:
    """Whether there is nothing to tell the store of it."""
    local, record = item.local, item.record
    if why_not(item):
        return True
    if item.external_id is None:
        # What is deleted here was never there, unless a create is in doubt.
        return record is None and item.doubt_began is None
    if local is None or record is None or local.base is None or item.push.is_forced:
        return False
    return says_same(item.push.entity, record, local.base, held=local.held)


def why_not(item: Item) -> str:
    """Why nothing can ever be said to the store of it, for who asked for it; empty if it can."""
    if item.is_gone:
        return "The store deleted it: what a store deleted is not sent to it again."
    if isinstance(item.record, Customer) and item.record.is_guest:
        return "A guest has no account in a store: only customers who registered can be sent."
    if item.push.entity is Entity.ORDERS and item.external_id is None:
        return "It is no order of this store, or the store has it no more."
    return ""


def is_foreign(item: Item, currency: str) -> bool:
    """Whether its prices are in a currency that the store does not sell in."""
    record = item.record
    if not isinstance(record, Product) or not currency:
        return False
    return record.currency != currency and any(one.price for one in record.variants)


def _other_currency(item: Item, currency: str) -> str:
    priced_in = item.record.currency if isinstance(item.record, Product) else ""
    return (
        f"The prices are in {priced_in}, and the store sells in {currency}: it gets no "
        "product that it would sell at a wrong price."
    )


def wanted(item: Item) -> Wanted:
    """How to recognise the item's record in the store."""
    known = Wanted(item.key, item.push.entity, since=item.push.creating_since)
    match item.record:
        case Product() as record:
            skus = tuple(one.sku for one in record.variants if one.sku)
            return replace(known, skus=skus, slug=record.slug, name=record.title)
        case Category() as record:
            parent = record.parent_external_id
            return replace(known, slug=record.slug, name=record.name, parent_external_id=parent)
        case Customer() as record:
            return replace(known, email=record.email)
        case _:
            return known


def outgoing(item: Item, settings: StoreSettings) -> Outgoing:
    """What is sent for the item."""
    record, local = item.record, item.local
    base = local.base if local is not None else None
    is_forced = item.push.is_forced
    held = local.held if local is not None and not is_forced else frozenset()
    if isinstance(record, Order):
        record = _with_raw_status(record, base, settings)
    return Outgoing(
        key=item.key,
        external_id=item.external_id,
        record=record,
        base=base,
        # Not even by force: it would write what a rule found over what the store has.
        held=held | foreign_prices(record, base) | (local.unsent if local else frozenset()),
        is_forced=is_forced,
    )


def _with_raw_status(order: Order, base: Record | None, settings: StoreSettings) -> Order:
    """The store's own word, where its settings have one; else the provider finds it."""
    if isinstance(base, Order) and base.status == order.status:
        return order
    word = settings.order_status_map.get(order.status.value, "")
    return order.model_copy(update={"raw_status": word})
