"""Moving stock in the hub itself: receipts, adjustments, transfers, invoices, openings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.ledger import Books
from db.tables.records import PRODUCT_VARIANTS
from db.waiting_orders import serve_waiting
from domain.errors import ConflictError, NotFoundError
from domain.ledger import Shelf
from domain.money import ZERO

_DEFAULT = text("select id from warehouses where tenant_id = :tenant and is_default")

_KNOWN = text(
    "select id from warehouses where tenant_id = :tenant and is_active and id = any(:ids)"
)

_OPEN = text("""
insert into inventory_levels (tenant_id, variant_id, warehouse_id, on_hand)
select :tenant, x.variant_id, x.warehouse_id, 0
from unnest(cast(:variants as bigint[]), cast(:warehouses as bigint[]))
  as x(variant_id, warehouse_id)
order by 1, 2, 3
on conflict do nothing
returning variant_id
""")

_WRITE = text("""
insert into inventory_movements
  (tenant_id, variant_id, warehouse_id, kind, quantity, balance, note)
values (:tenant, :variant, :warehouse, :kind, :quantity, :balance, :note)
returning id
""")

_TOUCH = text("""
insert into touched (entity, key, record_id, action)
select 'inventory', null, x.id, 'updated' from unnest(cast(:variants as bigint[])) as x(id)
where not exists (select from touched t where t.entity = 'inventory' and t.record_id = x.id)
""")


@dataclass(frozen=True, slots=True)
class Movement:
    """Stock that comes (positive) or goes; `warehouse_id` None: the default warehouse."""

    variant_id: int
    kind: str
    quantity: Decimal
    warehouse_id: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A movement that wants more than there is; `position` counts from 0."""

    position: int
    variant_id: int
    wanted: Decimal
    available: Decimal


class NotEnoughStockError(ConflictError):
    """Some movements want more than there is, and none was made."""

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        told = ", ".join(
            f"variant {one.variant_id} has {one.available.normalize():f} to give,"
            f" {one.wanted.normalize():f} are wanted"
            for one in shortages[:20]
        )
        super().__init__(f"there is not enough stock: {told}")
        self.shortages = tuple(shortages)


async def move_stock(
    connection: AsyncConnection, tenant_id: int, movements: Sequence[Movement]
) -> Sequence[int]:
    """Make all movements or none; their ids. The variants are touched; the caller publishes.

    Raises:
        NotFoundError: a variant or an active warehouse is not there.
        ConflictError: the stock of a variant is not counted.
        NotEnoughStockError: more would go than is there and not reserved by orders.
    """
    default = (await connection.execute(_DEFAULT, {"tenant": tenant_id})).scalar_one()
    places = [(one.variant_id, one.warehouse_id or default) for one in movements]
    await _check(connection, tenant_id, movements, default)
    named = {
        "tenant": tenant_id,
        "variants": [place[0] for place in places],
        "warehouses": [place[1] for place in places],
    }
    opened = (await connection.execute(_OPEN, named)).scalars().all()
    books = await Books.open(connection, tenant_id, [], {place[0] for place in places})
    rows = _move(books, list(zip(movements, places, strict=True)))
    await books.save(connection, owes=False)
    if opened:
        await connection.execute(_TOUCH, {"variants": sorted(set(opened))})
    ids = [
        (await connection.execute(_WRITE, {"tenant": tenant_id, **row})).scalar_one()
        for row in rows
    ]
    await serve_waiting(connection, tenant_id)
    return ids


def _move(
    books: Books, movements: Sequence[tuple[Movement, tuple[int, int]]]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    shortages: list[Shortage] = []
    for position, (movement, place) in enumerate(movements):
        shelf = books.shelves[place]
        if movement.quantity < 0 and _spare(shelf) < -movement.quantity:
            shortages.append(
                Shortage(position, place[0], -movement.quantity, max(ZERO, _spare(shelf)))
            )
            continue
        shelf.on_hand += movement.quantity
        rows.append(
            {
                "variant": place[0],
                "warehouse": place[1],
                "kind": movement.kind,
                "quantity": movement.quantity,
                "balance": shelf.on_hand,
                "note": movement.note,
            }
        )
    if shortages:
        raise NotEnoughStockError(shortages)
    return rows


def _spare(shelf: Shelf) -> Decimal:
    """What may go: what is there, and no order holds."""
    return min(shelf.on_hand, shelf.available)


async def _check(
    connection: AsyncConnection, tenant_id: int, movements: Sequence[Movement], default: int
) -> None:
    columns = PRODUCT_VARIANTS.c
    wanted = sorted({one.variant_id for one in movements})
    rows = await connection.execute(
        select(columns.id, columns.tracks_stock)
        .where(columns.id.in_(wanted), columns.deleted_at.is_(None))
        .order_by(columns.id)
        .with_for_update(read=True)
    )
    tracked = {row.id: row.tracks_stock for row in rows}
    for variant_id in wanted:
        if variant_id not in tracked:
            raise NotFoundError(f"there is no variant {variant_id}. GET /api/products shows them")
        if not tracked[variant_id]:
            raise ConflictError(
                f"the stock of variant {variant_id} is not counted: set its tracksStock first "
                "(PATCH /api/products/{id})"
            )
    await check_warehouses(
        connection, tenant_id, {one.warehouse_id or default for one in movements}
    )


async def check_warehouses(
    connection: AsyncConnection, tenant_id: int, ids: Collection[int]
) -> None:
    """Raise NotFoundError for the first that is not there, or not active."""
    known = await connection.execute(_KNOWN, {"tenant": tenant_id, "ids": sorted(ids)})
    for missing in sorted(set(ids) - set(known.scalars())):
        raise NotFoundError(
            f"there is no active warehouse {missing}. GET /api/warehouses lists those there are"
        )
