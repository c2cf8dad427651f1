"""The arithmetic of stock between a store and the hub. Pure; tested by properties.

The hub keeps what is there (`Shelf`), and per store what that store shows (`Account`). A store's
sale reaches us twice, as its lowered number and as its order, in either order; it counts once:

- a number that moved by itself moves the shelf with it, and stays `unexplained`;
- an order first explains what moved before it, and only the rest is taken from what is available.
  For that rest the store has lowered its number, or is about to: `agreed` goes down with it, so
  that the number, when it is told, is no news.

As long as nothing is sold that is not there, a lone store's number is what the shelf has available.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from domain.money import ZERO
from domain.statuses import OrderStatus

EXPLAINED_FOR: Final = timedelta(days=1)
"""How long a number that moved waits for the order that explains it. Then a person moved it."""

CLOCKS_APART: Final = timedelta(minutes=10)
"""How far a store's clock may be behind or before ours: it dates the order, we date the number."""


class Phase(StrEnum):
    """What an order does to stock: `WITHDRAWN` when the stock of the variant is not counted now."""

    HELD = "held"
    CONSUMED = "consumed"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


class Cause(StrEnum):
    """Why what is on hand changed; the kinds of movements that follow from stores and orders."""

    CORRECTION = "correction"
    EXPLAINED = "explained"
    SHIPMENT = "shipment"
    RETURN = "return"


# A sale that waits for its payment holds nothing: a shop that has lowered its number for it is
# believed by its number. Goods of an order that was refunded come back as a number or a receipt.
_PHASES: Final = {
    OrderStatus.PENDING: Phase.RELEASED,
    OrderStatus.PROCESSING: Phase.HELD,
    OrderStatus.ON_HOLD: Phase.HELD,
    OrderStatus.SHIPPED: Phase.CONSUMED,
    OrderStatus.COMPLETED: Phase.CONSUMED,
    OrderStatus.CANCELLED: Phase.RELEASED,
    OrderStatus.FAILED: Phase.RELEASED,
}
_HOLDING: Final = (Phase.HELD, Phase.CONSUMED)


def phase_of(status: OrderStatus, before: Phase, *, reserves_pending: bool = False) -> Phase:
    """The phase an order in this status is in. `UNKNOWN` changes nothing.

    Args:
        reserves_pending: whether a pending order is a sale like any other in its store.
    """
    if status is OrderStatus.PENDING and reserves_pending:
        return Phase.HELD
    if status is OrderStatus.REFUNDED:
        return Phase.CONSUMED if before is Phase.CONSUMED else Phase.RELEASED
    return _PHASES.get(status, before)


@dataclass(slots=True)
class Shelf:
    """A variant in a warehouse. `movements` collects what changed `on_hand`, and why."""

    on_hand: Decimal
    reserved: Decimal = ZERO
    movements: list[tuple[Cause, Decimal, Decimal]] = field(default_factory=list)

    @property
    def available(self) -> Decimal:
        """What can still be sold."""
        return self.on_hand - self.reserved

    def move(self, cause: Cause, quantity: Decimal) -> None:
        """Change what is on hand."""
        if quantity:
            self.on_hand += quantity
            self.movements.append((cause, quantity, self.on_hand))


@dataclass(slots=True)
class Account:
    """What a store shows of a variant.

    Attributes:
        agreed: the number we know.
        unexplained: what it moved by itself and no order has accounted for.
        pushing: a number that was sent and may have arrived.
        told_at: when it last moved by itself.
        counts: whether the store's own movements move the shelf (its stock is pulled).
        told_version: the store's modification time of the last number heard or written, if any.
    """

    agreed: Decimal
    unexplained: Decimal = ZERO
    pushing: Decimal | None = None
    told_at: datetime | None = None
    counts: bool = True
    told_version: datetime | None = None

    def has_heard_after(self, version: datetime | None) -> bool:
        """Whether a newer number than one of this version was heard, by the store's clock."""
        known = self.told_version
        return version is not None and known is not None and version < known

    def expect(self, quantity: Decimal) -> None:
        """The store moves its number by this, or has done so, for a reason we know."""
        self.agreed += quantity
        if self.pushing is not None:
            self.pushing += quantity


@dataclass(frozen=True, slots=True)
class Hold:
    """What an order holds of a variant. What it holds beyond `reserved` is oversold."""

    quantity: Decimal = ZERO
    reserved: Decimal = ZERO
    phase: Phase = Phase.RELEASED

    @property
    def is_oversold(self) -> bool:
        """Whether more was ordered than there was."""
        return self.phase in _HOLDING and self.reserved < self.quantity


@dataclass(frozen=True, slots=True)
class WrittenLevel:
    """A write of a number: what we knew, what was there before, what was sent, what is there.

    `version` is the store's modification time of what is there, if it has one.
    """

    agreed: Decimal | None
    before: Decimal | None
    written: Decimal
    after: Decimal
    version: datetime | None = None


def hear(
    shelf: Shelf,
    account: Account,
    told: Decimal,
    now: datetime,
    version: datetime | None = None,
) -> None:
    """The store says its number. The nearer of what we knew and what we sent is what moved.

    What it says counts, however old its `version`: `Account.has_heard_after` tells history.
    """
    account.told_version = version or account.told_version
    if told == account.agreed:
        return
    sent = account.pushing
    base = account.agreed
    if sent is not None and abs(told - sent) <= abs(told - base):
        base, account.pushing = sent, None
    account.agreed = told
    _moved_by_itself(shelf, account, told - base, now)


def record_push(shelf: Shelf, account: Account, push: WrittenLevel, now: datetime) -> None:
    """A number was written to the store: what moved just before it, and just after.

    Where the echo of the write was faster, the number before is compared with what was known when
    the write was prepared. Where a newer number was faster than the answer, that one stands.
    """
    was_heard = account.pushing is None
    if push.before is not None:
        known = push.agreed if was_heard and push.agreed is not None else account.agreed
        _moved_by_itself(shelf, account, push.before - known, now)
    if not was_heard:
        account.agreed, account.pushing = push.written, None
    if not account.has_heard_after(push.version):
        hear(shelf, account, push.after, now, push.version)


def _moved_by_itself(shelf: Shelf, account: Account, quantity: Decimal, now: datetime) -> None:
    if not quantity:
        return
    if not _is_fresh(account, now):
        account.unexplained = ZERO
    account.unexplained += quantity
    account.told_at = now
    if account.counts:
        shelf.move(Cause.CORRECTION, quantity)


def _is_fresh(account: Account, now: datetime) -> bool:
    return account.told_at is not None and account.told_at > now - EXPLAINED_FOR


@dataclass(slots=True)
class Counter:
    """Where an order is settled: a shelf, the store's account if it ever told a number.

    Attributes:
        elsewhere: what is available of the variant in other warehouses.
        backorders: whether more may be sold than there is.
        restocks: whether the store puts back by itself what an order gives back.
    """

    shelf: Shelf
    account: Account | None
    now: datetime
    placed_at: datetime | None = None
    elsewhere: Decimal = ZERO
    backorders: bool = False
    restocks: bool = True

    def settle(self, hold: Hold, wanted: Decimal, phase: Phase) -> Hold:
        """Bring what an order holds to what it should hold; the same again changes nothing."""
        if phase is hold.phase and (wanted == hold.quantity or phase not in _HOLDING):
            return Hold(wanted, hold.reserved, phase)
        if hold.phase is Phase.CONSUMED:
            self._ship(-hold.reserved, Cause.RETURN)
        held = hold.quantity if hold.phase in _HOLDING else ZERO
        goal = wanted if phase in _HOLDING else ZERO
        reserved = hold.reserved
        if goal > held:
            reserved += self._take(goal - held)
        elif goal < held:
            freed = max(ZERO, reserved - goal)
            self._give_back(held - goal, freed)
            reserved -= freed
        if phase is Phase.CONSUMED:
            self._ship(reserved, Cause.SHIPMENT)
        return Hold(wanted, reserved, phase)

    def _take(self, quantity: Decimal) -> Decimal:
        """Account for a sale; how much of it could be reserved: all that was not told, or none."""
        explained = self._explain(quantity, sold=True)
        if self.account is not None:
            self.account.expect(explained - quantity)
        counted = explained if self.account is None or self.account.counts else ZERO
        available = self.shelf.available + self.elsewhere
        self.shelf.move(Cause.EXPLAINED, counted)
        short = ZERO if self.backorders else min(counted, max(ZERO, -available))
        rest = quantity - counted
        fits = self.backorders or available >= rest
        reserved = counted - short + (rest if fits else ZERO)
        self.shelf.reserved += reserved
        return reserved

    def _give_back(self, quantity: Decimal, reserved: Decimal) -> None:
        if not self.restocks:
            self.shelf.reserved -= reserved
            return
        explained = self._explain(quantity, sold=False)
        if self.account is not None:
            self.account.expect(quantity - explained)
            if self.account.counts:
                self.shelf.move(Cause.EXPLAINED, -explained)
        self.shelf.reserved -= reserved

    def _explain(self, quantity: Decimal, *, sold: bool) -> Decimal:
        """How much of it the store's number has told already; that much is explained now."""
        account = self.account
        if account is None or not _is_fresh(account, self.now):
            return ZERO
        if sold and not self._may_be_told(account):
            return ZERO
        moved = -account.unexplained if sold else account.unexplained
        explained = min(quantity, max(ZERO, moved))
        account.unexplained += explained if sold else -explained
        return explained

    def _may_be_told(self, account: Account) -> bool:
        """An order that was placed after the number moved is no reason for it."""
        told_at = account.told_at
        if self.placed_at is None or told_at is None:
            return True
        return self.placed_at <= told_at + CLOCKS_APART

    def _ship(self, reserved: Decimal, cause: Cause) -> None:
        self.shelf.move(cause, -reserved)
        self.shelf.reserved -= reserved
