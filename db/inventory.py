"""Reading the ledger: levels and the movements that explain them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.records import INVENTORY_LEVELS, INVENTORY_MOVEMENTS


@dataclass(frozen=True, slots=True)
class Level:
    """What a warehouse has of a variant."""

    variant_id: int
    warehouse_id: int
    on_hand: Decimal
    reserved: Decimal
    updated_at: datetime

    @property
    def available(self) -> Decimal:
        """What can still be sold."""
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One movement; `balance` is what was on hand after it."""

    id: int
    variant_id: int
    warehouse_id: int
    kind: str
    quantity: Decimal
    balance: Decimal
    store_id: int | None
    order_id: int | None
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StockFilter:
    """Of which variant and warehouse; None: of all."""

    variant_id: int | None = None
    warehouse_id: int | None = None


async def list_levels(
    connection: AsyncConnection, wanted: StockFilter, *, after: tuple[int, int], limit: int
) -> Sequence[Level]:
    """Levels by variant and warehouse, behind `after`."""
    columns = INVENTORY_LEVELS.c
    query = (
        select(*(columns[name] for name in Level.__dataclass_fields__))
        .where(tuple_(columns.variant_id, columns.warehouse_id) > tuple_(*after))
        .order_by(columns.variant_id, columns.warehouse_id)
        .limit(limit)
    )
    rows = await connection.execute(_filtered(query, columns, wanted))
    return [Level(**row) for row in rows.mappings()]


async def list_movements(
    connection: AsyncConnection, wanted: StockFilter, *, before: int, limit: int
) -> Sequence[LedgerEntry]:
    """Movements, the newest first, with an id below `before`."""
    columns = INVENTORY_MOVEMENTS.c
    query = _entries().where(columns.id < before).order_by(columns.id.desc()).limit(limit)
    rows = await connection.execute(_filtered(query, columns, wanted))
    return [LedgerEntry(**row) for row in rows.mappings()]


async def find_movements(connection: AsyncConnection, ids: Sequence[int]) -> Sequence[LedgerEntry]:
    """These movements, in the order they were made."""
    columns = INVENTORY_MOVEMENTS.c
    rows = await connection.execute(_entries().where(columns.id.in_(ids)).order_by(columns.id))
    return [LedgerEntry(**row) for row in rows.mappings()]


def _entries() -> Select[Any]:
    return select(*(INVENTORY_MOVEMENTS.c[name] for name in LedgerEntry.__dataclass_fields__))


def _filtered(query: Select[Any], columns: Any, wanted: StockFilter) -> Select[Any]:
    if wanted.variant_id is not None:
        query = query.where(columns.variant_id == wanted.variant_id)
    if wanted.warehouse_id is not None:
        query = query.where(columns.warehouse_id == wanted.warehouse_id)
    return query
