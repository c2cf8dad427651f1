"""Invoices written outside: each takes its lines out of stock, once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.movements import Movement, check_warehouses, move_stock
from db.tables.records import WAREHOUSES
from db.tables.stock import INVOICE_LINES, INVOICES
from domain.errors import ConflictError

KIND = "invoice"


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """An invoice to book; `lines` maps variants to quantities."""

    number: str
    lines: Mapping[int, Decimal]
    warehouse_id: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """A booked invoice."""

    id: int
    number: str
    warehouse_id: int
    note: str
    lines: Mapping[int, Decimal]
    created_at: datetime


async def book_invoice(connection: AsyncConnection, tenant_id: int, new: NewInvoice) -> Invoice:
    """Book an invoice, or find it booked as it is. The caller publishes.

    Raises:
        NotFoundError: a variant or the warehouse is not there.
        ConflictError: the number belongs to another invoice, or the stock of a variant is not
            counted.
        NotEnoughStockError: for some lines there is not enough; none is booked.
    """
    warehouse_id = new.warehouse_id or await _default_warehouse(connection)
    await check_warehouses(connection, tenant_id, [warehouse_id])
    made = await connection.execute(
        upsert(INVOICES)
        .values(tenant_id=tenant_id, number=new.number, warehouse_id=warehouse_id, note=new.note)
        .on_conflict_do_nothing(index_elements=["tenant_id", "number"])
        .returning(INVOICES.c.id)
    )
    invoice_id = made.scalar_one_or_none()
    if invoice_id is None:
        return await _known(connection, new)
    await move_stock(
        connection,
        tenant_id,
        [
            Movement(variant_id, KIND, -quantity, warehouse_id, f"invoice {new.number}")
            for variant_id, quantity in new.lines.items()
        ],
    )
    await connection.execute(
        insert(INVOICE_LINES),
        [
            {
                "tenant_id": tenant_id,
                "invoice_id": invoice_id,
                "variant_id": variant_id,
                "quantity": quantity,
            }
            for variant_id, quantity in sorted(new.lines.items())
        ],
    )
    (booked,) = await find_invoices(connection, [invoice_id])
    return booked


async def find_invoices(connection: AsyncConnection, ids: Sequence[int]) -> Sequence[Invoice]:
    """These invoices, by id."""
    lines: dict[int, dict[int, Decimal]] = {one: {} for one in ids}
    columns = INVOICE_LINES.c
    found = await connection.execute(
        select(columns.invoice_id, columns.variant_id, columns.quantity)
        .where(columns.invoice_id.in_(ids))
        .order_by(columns.variant_id)
    )
    for invoice_id, variant_id, quantity in found:
        lines[invoice_id][variant_id] = quantity
    rows = await connection.execute(
        select(INVOICES).where(INVOICES.c.id.in_(ids)).order_by(INVOICES.c.id)
    )
    return [
        Invoice(row.id, row.number, row.warehouse_id, row.note, lines[row.id], row.created_at)
        for row in rows
    ]


async def list_invoices(
    connection: AsyncConnection, *, after: int, limit: int
) -> Sequence[Invoice]:
    """Invoices by id, from the first one after `after`."""
    ids = await connection.execute(
        select(INVOICES.c.id).where(INVOICES.c.id > after).order_by(INVOICES.c.id).limit(limit)
    )
    return await find_invoices(connection, ids.scalars().all())


async def _known(connection: AsyncConnection, new: NewInvoice) -> Invoice:
    found = await connection.execute(select(INVOICES.c.id).where(INVOICES.c.number == new.number))
    (known,) = await find_invoices(connection, [found.scalar_one()])
    same_place = new.warehouse_id in (None, known.warehouse_id)
    if dict(known.lines) != dict(new.lines) or not same_place or known.note != new.note:
        raise ConflictError(
            f"invoice {new.number!r} was booked before with other content, as invoice {known.id}"
        )
    return known


async def _default_warehouse(connection: AsyncConnection) -> int:
    found = await connection.execute(select(WAREHOUSES.c.id).where(WAREHOUSES.c.is_default))
    return int(found.scalar_one())
