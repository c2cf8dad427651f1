"""What orders do to stock: reserve, release, consume; each order once, whatever comes how often."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.alerts import AlertKind, NewAlert, raise_alert, resolve_alerts
from db.ledger import Books
from db.oversold import MESSAGE, TITLE
from db.staging import Origin
from db.waiting_orders import serve_waiting
from domain.ledger import Counter, Hold, Phase, phase_of
from domain.money import ZERO
from domain.statuses import OrderStatus

_ORDERS = text("""
select o.id, o.store_id, o.number, o.status, o.deleted_at is not null as is_gone, o.placed_at,
       o.oversold,
       coalesce(s.settings -> 'syncDirections' ->> 'inventory', 'pull') <> 'off' as shares_stock,
       coalesce(cast(s.settings ->> 'reservePending' as boolean), false) as reserves_pending,
       coalesce(cast(s.settings ->> 'restocksCancelled' as boolean), true) as restocks,
       exists (select from touched t
               where t.entity = 'orders' and t.action = 'created' and t.record_id = o.id) as is_new
from orders o
join stores s on s.tenant_id = o.tenant_id and s.id = o.store_id
where o.tenant_id = :tenant and o.id = any(:orders)
order by o.id
for update of o
""")

_WANTED = text("""
select i.order_id, i.variant_id, sum(greatest(i.quantity, 0)) as quantity
from order_lines i
where i.tenant_id = :tenant and i.order_id = any(:orders) and i.variant_id is not null
group by 1, 2
""")

_HOLDS = text("""
select r.order_id, r.variant_id, r.warehouse_id, r.quantity, r.reserved, r.status
from reservations r where r.tenant_id = :tenant and r.order_id = any(:orders)
""")

_SAVE_HOLD = text("""
insert into reservations
  (tenant_id, order_id, variant_id, warehouse_id, quantity, reserved, status)
values (:tenant, :order, :variant, :warehouse, :quantity, :reserved, :status)
on conflict (tenant_id, order_id, variant_id) do update
  set quantity = excluded.quantity, reserved = excluded.reserved, status = excluded.status,
      updated_at = now()
""")

_FLAG = text("""
update orders set oversold = :oversold, updated_at = now() where tenant_id = :tenant and id = :order
""")


@dataclass(slots=True)
class _Kept:
    """A row of `reservations`."""

    warehouse_id: int
    hold: Hold


@dataclass(slots=True)
class _Sale:
    """An order that takes part: what it wants and holds, by variant."""

    id: int
    store_id: int
    number: str
    status: OrderStatus
    is_gone: bool
    placed_at: datetime | None
    oversold: bool
    reserves_pending: bool
    restocks: bool
    wanted: Mapping[int, Decimal]
    kept: dict[int, _Kept]
    changed: set[int] = field(default_factory=set)

    def phase_after(self, before: Phase) -> Phase:
        """A deleted order holds nothing; what it took with it does not come back."""
        status = OrderStatus.REFUNDED if self.is_gone else self.status
        return phase_of(status, before, reserves_pending=self.reserves_pending)

    @property
    def is_oversold(self) -> bool:
        """Whether it lacks anything."""
        return any(one.hold.is_oversold for one in self.kept.values())


async def settle_orders(
    connection: AsyncConnection, origin: Origin, order_ids: Collection[int]
) -> None:
    """Reserve, release or consume the stock of orders that were written in this transaction.

    Between the statements that write orders and those of `db.publishing`; not for bulk imports:
    the numbers a store tells at its import have its old orders in them. An order takes part when
    `touched` calls it new, or when it did before. Running it twice changes nothing.
    """
    sales = await _load(connection, origin.tenant_id, order_ids)
    variant_ids = {one for sale in sales for one in (*sale.wanted, *sale.kept)}
    if not variant_ids:
        return
    stores = {sale.store_id for sale in sales}
    books = await Books.open(connection, origin.tenant_id, stores, variant_ids)
    # Whoever had the levels before may have served these orders, or taken back from them.
    held = await _load_holds(connection, origin.tenant_id, [sale.id for sale in sales])
    for sale in sales:
        sale.kept = held[sale.id]
        for variant_id in sorted({*sale.wanted, *sale.kept}):
            _settle(books, sale, variant_id)
    await books.save(connection, owes=True)
    for sale in sales:
        await _save(connection, origin.tenant_id, sale)
    await serve_waiting(connection, origin.tenant_id)


async def _load(
    connection: AsyncConnection, tenant_id: int, order_ids: Collection[int]
) -> list[_Sale]:
    named = {"tenant": tenant_id, "orders": sorted(set(order_ids))}
    if not named["orders"]:
        return []
    orders = (await connection.execute(_ORDERS, named)).mappings().all()
    wanted: defaultdict[int, dict[int, Decimal]] = defaultdict(dict)
    for order_id, variant_id, quantity in await connection.execute(_WANTED, named):
        wanted[order_id][variant_id] = quantity
    kept = await _load_holds(connection, tenant_id, order_ids)
    return [
        _sale(order, wanted[order["id"]], kept[order["id"]])
        for order in orders
        if order["id"] in kept or (order["is_new"] and order["shares_stock"])
    ]


async def _load_holds(
    connection: AsyncConnection, tenant_id: int, order_ids: Collection[int]
) -> defaultdict[int, dict[int, _Kept]]:
    kept: defaultdict[int, dict[int, _Kept]] = defaultdict(dict)
    named = {"tenant": tenant_id, "orders": sorted(set(order_ids))}
    for row in await connection.execute(_HOLDS, named):
        hold = Hold(row.quantity, row.reserved, Phase(row.status))
        kept[row.order_id][row.variant_id] = _Kept(row.warehouse_id, hold)
    return kept


def _sale(order: Mapping[Any, Any], wanted: dict[int, Decimal], kept: dict[int, _Kept]) -> _Sale:
    return _Sale(
        id=order["id"],
        store_id=order["store_id"],
        number=order["number"],
        status=OrderStatus(order["status"]),
        is_gone=order["is_gone"],
        placed_at=order["placed_at"],
        oversold=order["oversold"],
        reserves_pending=order["reserves_pending"],
        restocks=order["restocks"],
        wanted=wanted,
        kept=kept,
    )


def _settle(books: Books, sale: _Sale, variant_id: int) -> None:
    kept = sale.kept.get(variant_id)
    wanted = sale.wanted.get(variant_id, ZERO)
    if kept is not None and kept.hold.phase is Phase.WITHDRAWN:
        return
    if kept is None:
        place = books.shelf_of(sale.store_id, variant_id, wanted)
        if place is None:  # nobody counts it
            return
        kept = _Kept(place[0], Hold())
        sale.changed.add(variant_id)
    shelf = books.shelves.get((variant_id, kept.warehouse_id))
    if shelf is None:
        return
    outlet = books.outlets.get(sale.store_id)
    # A store that shows one warehouse alone sells nothing that is in another.
    is_alone = outlet is not None and outlet.is_local
    total = shelf.available if is_alone else books.available(variant_id) or ZERO
    counter = Counter(
        shelf,
        books.accounts.get((sale.store_id, variant_id)),
        now=books.now,
        placed_at=sale.placed_at,
        elsewhere=total - shelf.available,
        backorders=variant_id in books.backorders,
        restocks=sale.restocks,
    )
    hold = counter.settle(kept.hold, wanted, sale.phase_after(kept.hold.phase))
    if hold != kept.hold:
        sale.changed.add(variant_id)
    sale.kept[variant_id] = _Kept(kept.warehouse_id, hold)
    books.book((variant_id, kept.warehouse_id), store_id=sale.store_id, order_id=sale.id)


async def _save(connection: AsyncConnection, tenant_id: int, sale: _Sale) -> None:
    for variant_id in sorted(sale.changed):
        kept = sale.kept[variant_id]
        await connection.execute(
            _SAVE_HOLD,
            {
                "tenant": tenant_id,
                "order": sale.id,
                "variant": variant_id,
                "warehouse": kept.warehouse_id,
                "quantity": kept.hold.quantity,
                "reserved": kept.hold.reserved,
                "status": kept.hold.phase.value,
            },
        )
    if sale.is_oversold == sale.oversold:
        return
    await connection.execute(
        _FLAG, {"tenant": tenant_id, "order": sale.id, "oversold": sale.is_oversold}
    )
    if sale.is_oversold:
        await raise_alert(connection, _alert(tenant_id, sale))
    else:
        await resolve_alerts(connection, kind=AlertKind.OVERSOLD, subject=f"order/{sale.id}")


def _alert(tenant_id: int, sale: _Sale) -> NewAlert:
    lacking = {
        str(variant_id): str(one.hold.quantity - one.hold.reserved)
        for variant_id, one in sorted(sale.kept.items())
        if one.hold.is_oversold
    }
    return NewAlert(
        tenant_id=tenant_id,
        store_id=sale.store_id,
        kind=AlertKind.OVERSOLD,
        subject=f"order/{sale.id}",
        title=TITLE.format(number=sale.number),
        message=MESSAGE.format(number=sale.number, variants=len(lacking), order=sale.id),
        details={"orderId": sale.id, "lacking": lacking},
    )
