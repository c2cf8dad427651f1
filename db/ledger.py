"""The rows of the ledger: locked, handed to `domain.ledger`, written back.

The order of locks is that of `db.write_levels`: stores' accounts first, then levels, each by
variant.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from sqlalchemy.ext.asyncio import AsyncConnection

from db.ledger_rows import (
    ACCOUNTS,
    FACTS,
    OWE,
    SAVE_ACCOUNTS,
    SAVE_MOVEMENTS,
    SAVE_SHELVES,
    SHELVES,
    TOUCH,
)
from db.outlets import Outlet, has_local_outlet, load_outlets, open_levels
from domain.ledger import Account, Shelf
from domain.money import ZERO

StoreVariant = tuple[int, int]
VariantWarehouse = tuple[int, int]


@dataclass(slots=True)
class Books:
    """The ledger's rows of some stores and variants, locked until the transaction ends.

    Attributes:
        shelves: every level of the variants, by variant and warehouse.
        accounts: by store and variant; a store that never told a number has none.
        outlets: how the stores take part.
        is_split: whether it matters in which warehouse stock is: a store shows one alone.
    """

    tenant_id: int
    now: datetime
    default_warehouse: int
    backorders: frozenset[int]
    outlets: Mapping[int, Outlet]
    is_split: bool
    accounts: dict[StoreVariant, Account]
    shelves: dict[VariantWarehouse, Shelf]
    _places: dict[int, list[VariantWarehouse]] = field(default_factory=dict)
    _saved: dict[Any, tuple[Any, ...]] = field(default_factory=dict)
    _movements: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    async def open(
        cls,
        connection: AsyncConnection,
        tenant_id: int,
        store_ids: Collection[int],
        variant_ids: Collection[int],
    ) -> Self:
        """Lock and read the rows of these stores and variants."""
        named = {
            "tenant": tenant_id,
            "stores": sorted(set(store_ids)),
            "variants": sorted(set(variant_ids)),
        }
        outlets = await load_outlets(connection, tenant_id, store_ids)
        is_split = await has_local_outlet(connection, tenant_id)
        accounts = {
            (row.store_id, row.variant_id): Account(
                row.agreed,
                row.unexplained,
                row.pushing,
                row.told_at,
                _counts(outlets.get(row.store_id)),
                row.told_version,
            )
            for row in await connection.execute(ACCOUNTS, named)
        }
        await open_levels(connection, tenant_id, outlets, variant_ids)
        shelves = {
            (variant_id, warehouse_id): Shelf(on_hand, reserved)
            for variant_id, warehouse_id, on_hand, reserved in await connection.execute(
                SHELVES, named
            )
        }
        now, warehouse_id, backorders = (await connection.execute(FACTS, named)).one()
        books = cls(
            tenant_id,
            now,
            warehouse_id,
            frozenset(backorders),
            outlets,
            is_split,
            accounts,
            shelves,
        )
        for place in shelves:
            books._places.setdefault(place[0], []).append(place)
        books._saved = books._state()
        return books

    def available(self, variant_id: int, store_id: int | None = None) -> Decimal | None:
        """What can be sold of a variant: in all warehouses, or where this store sells from alone,
        if that is its setting. None: its stock is not counted."""
        outlet = self.outlets.get(store_id) if store_id is not None else None
        here = [
            one.available
            for (variant, warehouse), one in self.shelves.items()
            if variant == variant_id
            and (outlet is None or not outlet.is_local or outlet.warehouse_id == warehouse)
        ]
        return sum(here, ZERO) if here else None

    def number_for(self, store_id: int, variant_id: int) -> Decimal | None:
        """What a store should show: not less than nothing unless it takes backorders."""
        available = self.available(variant_id, store_id)
        if available is None or variant_id in self.backorders:
            return available
        return max(ZERO, available)

    def open_account(self, store_id: int, variant_id: int, agreed: Decimal) -> Account:
        """The account of a store that told, or was told, its first number."""
        account = Account(agreed, counts=_counts(self.outlets.get(store_id)))
        self.accounts[store_id, variant_id] = account
        return account

    def shelf_of(
        self, store_id: int, variant_id: int, quantity: Decimal = ZERO
    ) -> tuple[int, Shelf] | None:
        """Where a store takes from: the warehouse it sells from, or else the one that has most; it
        is never another one where the store shows that one alone."""
        outlet = self.outlets.get(store_id)
        usual = self.default_warehouse if outlet is None else outlet.warehouse_id
        own = self.shelves.get((variant_id, usual))
        is_local = outlet is not None and outlet.is_local
        if own is not None and (is_local or own.available >= quantity):
            return usual, own
        there = self._places.get(variant_id)
        if not there:
            return None
        place = max(there, key=lambda one: (self.shelves[one].available, -one[1]))
        if own is not None and self.shelves[place].available < quantity:
            return usual, own
        return place[1], self.shelves[place]

    def book(
        self, place: VariantWarehouse, *, store_id: int | None, order_id: int | None = None
    ) -> None:
        """Write down what moved on a shelf since it was last booked."""
        shelf = self.shelves[place]
        self._movements += [
            {
                "tenant": self.tenant_id,
                "variant": place[0],
                "warehouse": place[1],
                "kind": cause.value,
                "quantity": quantity,
                "balance": balance,
                "store": store_id,
                "order": order_id,
            }
            for cause, quantity, balance in shelf.movements
        ]
        shelf.movements.clear()

    async def save(self, connection: AsyncConnection, *, owes: bool) -> None:
        """Write back what changed, and touch the variants of which more or less can be sold.

        Args:
            owes: whether a store whose number is not the hub's is to be corrected by a push.
        """
        changed = {key for key, state in self._state().items() if self._saved.get(key) != state}
        shelves = sorted(key[1] for key in changed if key[0] == "shelf")
        accounts = sorted(key[1] for key in changed if key[0] == "account")
        if shelves:
            await self._save_shelves(connection, shelves)
        if accounts:
            await self._save_accounts(connection, accounts)
        if self._movements:
            await connection.execute(SAVE_MOVEMENTS, self._movements)
        touched = sorted(self._resold())
        if touched:
            await connection.execute(TOUCH, {"variants": touched})
        if owes:
            moved = {key for key in self.accounts if key[1] in touched}
            await self._owe(connection, sorted({*accounts, *moved}))
        self._movements = []
        self._saved = self._state()

    def _state(self) -> dict[Any, tuple[Any, ...]]:
        shelves = {("shelf", key): (one.on_hand, one.reserved) for key, one in self.shelves.items()}
        accounts = {
            ("account", key): (
                *(one.agreed, one.unexplained, one.pushing),
                *(one.told_at, one.told_version),
            )
            for key, one in self.accounts.items()
        }
        return {**shelves, **accounts}

    def _resold(self) -> set[int]:
        before: defaultdict[int, Decimal] = defaultdict(Decimal)
        moved: set[int] = set()
        for (kind, key), state in self._saved.items():
            if kind == "shelf":
                before[key[0]] += state[0] - state[1]
                if self.is_split and self.shelves[key].available != state[0] - state[1]:
                    moved.add(key[0])
        return moved | {
            variant_id for variant_id, was in before.items() if self.available(variant_id) != was
        }

    async def _save_shelves(
        self, connection: AsyncConnection, keys: list[VariantWarehouse]
    ) -> None:
        shelves = [self.shelves[key] for key in keys]
        values = {
            "tenant": self.tenant_id,
            "variants": [key[0] for key in keys],
            "warehouses": [key[1] for key in keys],
            "on_hand": [one.on_hand for one in shelves],
            "reserved": [one.reserved for one in shelves],
        }
        await connection.execute(SAVE_SHELVES, values)

    async def _save_accounts(self, connection: AsyncConnection, keys: list[StoreVariant]) -> None:
        accounts = [self.accounts[key] for key in keys]
        values = {
            "tenant": self.tenant_id,
            "stores": [key[0] for key in keys],
            "variants": [key[1] for key in keys],
            "agreed": [one.agreed for one in accounts],
            "unexplained": [one.unexplained for one in accounts],
            "pushing": [one.pushing for one in accounts],
            "told_at": [one.told_at for one in accounts],
            "told_versions": [one.told_version for one in accounts],
        }
        await connection.execute(SAVE_ACCOUNTS, values)

    async def _owe(self, connection: AsyncConnection, keys: list[StoreVariant]) -> None:
        owed = [
            (store_id, variant_id)
            for store_id, variant_id in keys
            if (outlet := self.outlets.get(store_id)) is not None
            and outlet.pushes
            and self.number_for(store_id, variant_id)
            not in (None, self.accounts[store_id, variant_id].agreed)
        ]
        if owed:
            values = {"stores": [one[0] for one in owed], "variants": [one[1] for one in owed]}
            await connection.execute(OWE, {"tenant": self.tenant_id, **values})


def _counts(outlet: Outlet | None) -> bool:
    return outlet is not None and outlet.pulls
