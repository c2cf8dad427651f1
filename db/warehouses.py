"""Warehouses: where stock is. Stores that name none sell from the default one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.records import INVENTORY_LEVELS, WAREHOUSES
from db.tables.stores import STORES
from domain.errors import ConflictError, NotFoundError

# Warehouses are few and seldom written: one writer at a time keeps one default and unique codes.
_ONE_WRITER = text(
    "select pg_advisory_xact_lock(hashtextextended('warehouses', cast(:tenant as bigint)))"
)


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A warehouse of the tenant."""

    id: int
    name: str
    code: str | None
    is_active: bool
    is_default: bool
    created_at: datetime
    updated_at: datetime


async def list_warehouses(
    connection: AsyncConnection, *, after: int, limit: int
) -> Sequence[Warehouse]:
    """Warehouses by id, from the first one after `after`."""
    query = _warehouses().where(WAREHOUSES.c.id > after).order_by(WAREHOUSES.c.id).limit(limit)
    return [Warehouse(**row) for row in (await connection.execute(query)).mappings()]


async def create_warehouse(
    connection: AsyncConnection, tenant_id: int, values: Mapping[str, Any]
) -> Warehouse:
    """Make a warehouse.

    Raises:
        ConflictError: another one has the code.
    """
    await connection.execute(_ONE_WRITER, {"tenant": tenant_id})
    await _check_code(connection, values.get("code"), but=0)
    if values.get("is_default"):
        await _unset_default(connection)
    made = await connection.execute(
        insert(WAREHOUSES).values(**values, tenant_id=tenant_id).returning(WAREHOUSES.c.id)
    )
    return await _get(connection, made.scalar_one())


async def change_warehouse(
    connection: AsyncConnection, tenant_id: int, warehouse_id: int, values: Mapping[str, Any]
) -> Warehouse:
    """Set columns of a warehouse. To make it the default takes that from the one that is.

    Raises:
        NotFoundError: no such warehouse.
        ConflictError: the code is taken; there would be no active default; it is switched off with
            stock in it; or a store sells from it, and it is switched off or gets another code.
    """
    await connection.execute(_ONE_WRITER, {"tenant": tenant_id})
    held = await _get(connection, warehouse_id)
    await _check_code(connection, values.get("code"), but=warehouse_id)
    is_default = values.get("is_default", held.is_default)
    is_active = values.get("is_active", held.is_active)
    if held.is_default and not is_default:
        raise ConflictError("one warehouse is the default: make another one it instead")
    if is_default and not is_active:
        raise ConflictError("the default warehouse has to be active: make another one it first")
    if not is_active or values.get("code", held.code) != held.code:
        await _check_unused(connection, held)
    if held.is_active and not is_active:
        await _check_empty(connection, warehouse_id)
    if is_default and not held.is_default:
        await _unset_default(connection)
    if values:
        await connection.execute(
            update(WAREHOUSES)
            .where(WAREHOUSES.c.id == warehouse_id)
            .values(**values, updated_at=func.now())
        )
    return await _get(connection, warehouse_id)


async def hold_warehouse(connection: AsyncConnection, tenant_id: int, code: str) -> None:
    """Keep the warehouse of this code as it is until the transaction ends, which makes a store
    sell from it.

    Raises:
        NotFoundError: no active warehouse has the code.
    """
    await connection.execute(_ONE_WRITER, {"tenant": tenant_id})
    columns = WAREHOUSES.c
    found = await connection.execute(
        select(exists().where(columns.code == code, columns.is_active))
    )
    if not found.scalar_one():
        raise NotFoundError(f"there is no active warehouse with the code {code!r}")


async def _check_unused(connection: AsyncConnection, warehouse: Warehouse) -> None:
    """Stores name it by its code."""
    if warehouse.code is None:
        return
    columns = STORES.c
    users = await connection.execute(
        select(columns.id, columns.name)
        .where(
            columns.deleted_at.is_(None),
            columns.settings["stockWarehouse"].astext == warehouse.code,
        )
        .order_by(columns.id)
    )
    told = [f"{store_id} ({name})" for store_id, name in users]
    if told:
        raise ConflictError(
            f"warehouse {warehouse.id} is where these stores sell from: {', '.join(told[:20])}. "
            "Give them another settings.stockWarehouse first (PATCH /api/stores/{id})"
        )


async def _get(connection: AsyncConnection, warehouse_id: int) -> Warehouse:
    row = await connection.execute(_warehouses().where(WAREHOUSES.c.id == warehouse_id))
    found = row.mappings().one_or_none()
    if found is None:
        raise NotFoundError(
            f"there is no warehouse {warehouse_id}. GET /api/warehouses lists those there are"
        )
    return Warehouse(**found)


async def _unset_default(connection: AsyncConnection) -> None:
    await connection.execute(
        update(WAREHOUSES)
        .where(WAREHOUSES.c.is_default)
        .values(is_default=False, updated_at=func.now())
    )


async def _check_code(connection: AsyncConnection, code: str | None, *, but: int) -> None:
    if code is None:
        return
    columns = WAREHOUSES.c
    taken = await connection.execute(
        select(exists().where(columns.code == code, columns.id != but))
    )
    if taken.scalar_one():
        raise ConflictError(f"another warehouse has the code {code!r}")


async def _check_empty(connection: AsyncConnection, warehouse_id: int) -> None:
    """Locks the levels, so that nobody moves anything in meanwhile."""
    columns = INVENTORY_LEVELS.c
    full = await connection.execute(
        select(columns.on_hand, columns.reserved)
        .where(columns.warehouse_id == warehouse_id)
        .order_by(columns.variant_id)
        .with_for_update()
    )
    filled = sum(1 for on_hand, reserved in full if on_hand or reserved)
    if filled:
        raise ConflictError(
            f"warehouse {warehouse_id} has stock of {filled} variant(s): transfer it first "
            "(POST /api/inventory/movements)"
        )


def _warehouses() -> Select[Any]:
    return select(*(WAREHOUSES.c[name] for name in Warehouse.__dataclass_fields__))
