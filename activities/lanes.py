"""What the drains of lanes share: whose turn it is, and how lanes are woken.

A drain is one activity that takes from its lane until the lane is empty. What it does with a row
is the lane's own (`Take`); when, how long and how often again is decided here.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.models import Message
from domain.lanes import LaneKind, next_attempt


class LaneRef(Message):
    """Which lane. `key` is a store's id, for an `alert` lane the tenant's."""

    tenant_id: int
    kind: LaneKind
    key: int


class Waker(Protocol):
    """Gets lanes worked on."""

    async def wake(self, tenant_id: int, kind: LaneKind, key: int) -> None:
        """After a commit: see to it that the lane is drained.

        Never raises and takes a second at most: what is not woken now is found by the sweeper.
        """
        ...


class LeftToSweeper:
    """Wakes nobody: the sweeper finds what is due."""

    async def wake(self, tenant_id: int, kind: LaneKind, key: int) -> None:
        """See `Waker`."""


async def wake_pushes(waker: Waker, tenant_id: int, stores: Collection[int]) -> None:
    """After a commit: have these stores told what is due."""
    for store_id in sorted(stores):
        await waker.wake(tenant_id, LaneKind.PUSH, store_id)


class TurnLostError(Exception):
    """The drain was replaced by another attempt, and must do nothing more."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One drain's turn on its lane.

    Attributes:
        epoch: grows with every drain; results are only written while it is still ours.
        now: the workflow's time, by which it is decided what is due.
        ladder_s: seconds before each try of a row.
    """

    lane: LaneRef
    epoch: int
    now: datetime
    ladder_s: tuple[float, ...]

    def next_attempt(self, attempts: int) -> datetime | None:
        """When a row that failed so often is tried again; None: it is dead."""
        return next_attempt(attempts, self.ladder_s, self.now)

    def hear(self) -> None:
        """The store answered: what failed before is over, and its ladder begins anew."""

    async def confirm(self, connection: AsyncConnection) -> None:
        """In the transaction that records results, and before each send.

        Raises:
            TurnLostError: another attempt has taken over; nothing may be written.
        """
        raise NotImplementedError


Take = Callable[[Turn], Awaitable[int]]
"""Claim what is due, do it, record it; how many rows were settled. 0: nothing is due.

Raises StoreError only for a failure of the whole store: the lane then goes down the ladder, and no
row has spent an attempt.
"""
