"""The rows of the ledger: locked, handed to `domain.ledger`, written back.

The order of locks is that of `db.write_levels`: stores' accounts first, then levels, each by
variant.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.due_again import DUE_AGAIN
from domain.ledger import Account, Shelf
from domain.money import ZERO

_PULLS: Final = ("pull", "both")
_PUSHES: Final = ("push", "both")

StoreVariant = tuple[int, int]
VariantWarehouse = tuple[int, int]

_ACCOUNTS = text("""
select b.store_id, b.variant_id, b.agreed, b.unexplained, b.pushing, b.told_at
from store_levels b
where b.tenant_id = :tenant and b.store_id = any(:stores) and b.variant_id = any(:variants)
order by b.variant_id, b.store_id
for update
""")

_STORES = text("""
select s.id, coalesce(s.settings -> 'syncDirections' ->> 'inventory', 'pull') from stores s
where s.tenant_id = :tenant and s.id = any(:stores)
""")

_SHELVES = text("""
select i.variant_id, i.warehouse_id, i.on_hand, i.reserved
from inventory_levels i
where i.tenant_id = :tenant and i.variant_id = any(:variants)
order by i.variant_id, i.warehouse_id
for update
""")

_FACTS = text("""
select clock_timestamp(), w.id,
  array(select v.id from product_variants v
        where v.tenant_id = :tenant and v.id = any(:variants) and v.allows_backorder)
from warehouses w where w.tenant_id = :tenant and w.is_default
""")

_SAVE_SHELVES = text("""
update inventory_levels i set on_hand = x.on_hand, reserved = x.reserved, updated_at = now()
from unnest(cast(:variants as bigint[]), cast(:warehouses as bigint[]),
            cast(:on_hand as numeric[]), cast(:reserved as numeric[]))
  as x(variant_id, warehouse_id, on_hand, reserved)
where i.tenant_id = :tenant and i.variant_id = x.variant_id and i.warehouse_id = x.warehouse_id
""")

_SAVE_ACCOUNTS = text("""
insert into store_levels
  (tenant_id, store_id, variant_id, agreed, unexplained, pushing, told_at)
select :tenant, x.store_id, x.variant_id, x.agreed, x.unexplained, x.pushing, x.told_at
from unnest(cast(:stores as bigint[]), cast(:variants as bigint[]), cast(:agreed as numeric[]),
            cast(:unexplained as numeric[]), cast(:pushing as numeric[]),
            cast(:told_at as timestamptz[]))
  as x(store_id, variant_id, agreed, unexplained, pushing, told_at)
order by x.variant_id, x.store_id
on conflict (tenant_id, store_id, variant_id) do update
  set agreed = excluded.agreed, unexplained = excluded.unexplained, pushing = excluded.pushing,
      told_at = excluded.told_at, updated_at = now()
""")

_SAVE_MOVEMENTS = text("""
insert into inventory_movements
  (tenant_id, variant_id, warehouse_id, kind, quantity, balance, store_id, order_id)
values (:tenant, :variant, :warehouse, :kind, :quantity, :balance, :store, :order)
""")

_TOUCH = text("""
insert into touched (entity, key, record_id, action)
select 'inventory', null, x.id, 'updated' from unnest(cast(:variants as bigint[])) as x(id)
""")

_OWE = text(
    """
insert into pushes (tenant_id, store_id, entity, record_id)
select :tenant, x.store_id, 'inventory', x.variant_id
from unnest(cast(:stores as bigint[]), cast(:variants as bigint[])) as x(store_id, variant_id)
order by x.store_id, x.variant_id
"""
    + DUE_AGAIN
)


@dataclass(slots=True)
class Books:
    """The ledger's rows of some stores and variants, locked until the transaction ends.

    Attributes:
        shelves: every level of the variants, by variant and warehouse.
        accounts: by store and variant; a store that never told a number has none.
        directions: of the stores' inventory.
    """

    tenant_id: int
    now: datetime
    default_warehouse: int
    backorders: frozenset[int]
    directions: dict[int, str]
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
        directions = {row[0]: row[1] for row in await connection.execute(_STORES, named)}
        accounts = {
            (row.store_id, row.variant_id): Account(
                row.agreed,
                row.unexplained,
                row.pushing,
                row.told_at,
                directions.get(row.store_id) in _PULLS,
            )
            for row in await connection.execute(_ACCOUNTS, named)
        }
        shelves = {
            (variant_id, warehouse_id): Shelf(on_hand, reserved)
            for variant_id, warehouse_id, on_hand, reserved in await connection.execute(
                _SHELVES, named
            )
        }
        now, warehouse_id, backorders = (await connection.execute(_FACTS, named)).one()
        books = cls(
            tenant_id, now, warehouse_id, frozenset(backorders), directions, accounts, shelves
        )
        for place in shelves:
            books._places.setdefault(place[0], []).append(place)
        books._saved = books._state()
        return books

    def available(self, variant_id: int) -> Decimal | None:
        """What can be sold of a variant, in all warehouses; None: its stock is not counted."""
        here = [
            one.available for (variant, _), one in self.shelves.items() if variant == variant_id
        ]
        return sum(here, ZERO) if here else None

    def number_for_stores(self, variant_id: int) -> Decimal | None:
        """What stores should show: no store shows less than nothing unless it takes backorders."""
        available = self.available(variant_id)
        if available is None or variant_id in self.backorders:
            return available
        return max(ZERO, available)

    def open_account(self, store_id: int, variant_id: int, agreed: Decimal) -> Account:
        """The account of a store that told, or was told, its first number."""
        account = Account(agreed, counts=self.directions.get(store_id) in _PULLS)
        self.accounts[store_id, variant_id] = account
        return account

    def shelf_of(self, variant_id: int, quantity: Decimal = ZERO) -> tuple[int, Shelf] | None:
        """Where to take from: the default warehouse, or else the one that has most."""
        own = self.shelves.get((variant_id, self.default_warehouse))
        if own is not None and own.available >= quantity:
            return self.default_warehouse, own
        there = self._places.get(variant_id)
        if not there:
            return None
        place = max(there, key=lambda one: (self.shelves[one].available, -one[1]))
        if own is not None and self.shelves[place].available < quantity:
            return self.default_warehouse, own
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
            await connection.execute(_SAVE_MOVEMENTS, self._movements)
        touched = sorted(self._resold())
        if touched:
            await connection.execute(_TOUCH, {"variants": touched})
        if owes:
            moved = {key for key in self.accounts if key[1] in touched}
            await self._owe(connection, sorted({*accounts, *moved}))
        self._movements = []
        self._saved = self._state()

    def _state(self) -> dict[Any, tuple[Any, ...]]:
        shelves = {("shelf", key): (one.on_hand, one.reserved) for key, one in self.shelves.items()}
        accounts = {
            ("account", key): (one.agreed, one.unexplained, one.pushing, one.told_at)
            for key, one in self.accounts.items()
        }
        return {**shelves, **accounts}

    def _resold(self) -> set[int]:
        before: defaultdict[int, Decimal] = defaultdict(Decimal)
        for (kind, key), state in self._saved.items():
            if kind == "shelf":
                before[key[0]] += state[0] - state[1]
        return {
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
        await connection.execute(_SAVE_SHELVES, values)

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
        }
        await connection.execute(_SAVE_ACCOUNTS, values)

    async def _owe(self, connection: AsyncConnection, keys: list[StoreVariant]) -> None:
        owed = [
            (store_id, variant_id)
            for store_id, variant_id in keys
            if self.directions.get(store_id) in _PUSHES
            and self.number_for_stores(variant_id)
            not in (None, self.accounts[store_id, variant_id].agreed)
        ]
        if owed:
            values = {"stores": [one[0] for one in owed], "variants": [one[1] for one in owed]}
            await connection.execute(_OWE, {"tenant": self.tenant_id, **values})
