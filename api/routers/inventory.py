"""Warehouses, the levels of stock, and the movements that explain them."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.answers import json_answer
from api.auth import RecordsReader, RecordsWriter
from api.hub_writing import Written, write_once
from api.idempotency import Idempotent
from api.paging import (
    Cursor,
    Limit,
    after_id,
    decode_cursor,
    encode_cursor,
    next_cursor,
    read_id,
)
from api.params import JSON_BODY, RecordId
from api.schemas.base import MAX_ID
from api.schemas.inventory import (
    ChangeWarehouseBody,
    CreateMovementBody,
    CreateWarehouseBody,
    LevelAnswer,
    LevelListAnswer,
    MadeMovementsAnswer,
    MovementAnswer,
    MovementListAnswer,
    WarehouseAnswer,
    WarehouseListAnswer,
)
from api.services import Services
from db import warehouses
from db.inventory import StockFilter, find_movements, list_levels, list_movements
from db.movements import Movement, move_stock

router = APIRouter(prefix="/api", tags=["inventory"])

OfVariant = Annotated[int | None, Query(alias="variantId", ge=1, le=MAX_ID)]
OfWarehouse = Annotated[int | None, Query(alias="warehouseId", ge=1, le=MAX_ID)]


@router.get("/warehouses", summary="List warehouses")
async def list_of_warehouses(
    caller: RecordsReader, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> WarehouseListAnswer:
    """Warehouses by id, inactive ones among them."""
    after = after_id("warehouses", cursor)
    async with services.database.tenant(caller.tenant_id) as connection:
        rows = await warehouses.list_warehouses(connection, after=after, limit=limit + 1)
    page = rows[:limit]
    return WarehouseListAnswer(
        data=[WarehouseAnswer.model_validate(one) for one in page],
        next_cursor=next_cursor("warehouses", rows, limit),
    )


@router.post(
    "/warehouses",
    status_code=201,
    response_model=WarehouseAnswer,
    dependencies=JSON_BODY,
    summary="Make a warehouse",
)
async def create_warehouse(
    body: CreateWarehouseBody, caller: RecordsWriter, services: Services, idempotency: Idempotent
) -> Response:
    """A place where stock is."""

    async def work(connection: AsyncConnection) -> Written[WarehouseAnswer]:
        made = await warehouses.create_warehouse(connection, caller.tenant_id, body.model_dump())
        return Written(WarehouseAnswer.model_validate(made))

    return await write_once(
        services, caller, idempotency, work, lambda made: json_answer(made, status_code=201)
    )


@router.patch("/warehouses/{record_id}", dependencies=JSON_BODY, summary="Change a warehouse")
async def change_warehouse(
    record_id: RecordId, body: ChangeWarehouseBody, caller: RecordsWriter, services: Services
) -> WarehouseAnswer:
    """One warehouse is the default, and only an empty one can be switched off."""

    async def work(connection: AsyncConnection) -> WarehouseAnswer:
        changed = await warehouses.change_warehouse(
            connection, caller.tenant_id, record_id, body.named()
        )
        return WarehouseAnswer.model_validate(changed)

    return await services.database.transact(caller.tenant_id, work)


@router.get("/inventory/levels", summary="List levels of stock")
async def list_of_levels(
    caller: RecordsReader,
    services: Services,
    variant_id: OfVariant = None,
    warehouse_id: OfWarehouse = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> LevelListAnswer:
    """What each warehouse has of each variant whose stock is counted."""
    after = decode_cursor("levels", cursor, _read_place) or (0, 0)
    wanted = StockFilter(variant_id, warehouse_id)
    async with services.database.tenant(caller.tenant_id) as connection:
        rows = await list_levels(connection, wanted, after=after, limit=limit + 1)
    page = rows[:limit]
    following = None
    if len(rows) > limit:
        following = encode_cursor("levels", page[-1].variant_id, page[-1].warehouse_id)
    return LevelListAnswer(
        data=[LevelAnswer.model_validate(one) for one in page], next_cursor=following
    )


@router.get("/inventory/movements", summary="List movements of stock")
async def list_of_movements(
    caller: RecordsReader,
    services: Services,
    variant_id: OfVariant = None,
    warehouse_id: OfWarehouse = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MovementListAnswer:
    """The newest first. The movements of a variant in a warehouse add up to its level."""
    before = after_id("movements", cursor) or MAX_ID
    wanted = StockFilter(variant_id, warehouse_id)
    async with services.database.tenant(caller.tenant_id) as connection:
        rows = await list_movements(connection, wanted, before=before, limit=limit + 1)
    page = rows[:limit]
    return MovementListAnswer(
        data=[MovementAnswer.model_validate(one) for one in page],
        next_cursor=next_cursor("movements", rows, limit),
    )


@router.post(
    "/inventory/movements",
    status_code=201,
    response_model=MadeMovementsAnswer,
    responses={404: {}},
    dependencies=JSON_BODY,
    summary="Move stock",
)
async def create_movement(
    body: CreateMovementBody, caller: RecordsWriter, services: Services, idempotency: Idempotent
) -> Response:
    """A receipt, an adjustment, a damage, a return, or a transfer between warehouses.

    Stores that take inventory are told. What comes in goes to oversold orders first. 409 when more
    would go than is there and not reserved.
    """

    async def work(connection: AsyncConnection) -> Written[MadeMovementsAnswer]:
        ids = await move_stock(connection, caller.tenant_id, _movements(body))
        made = await find_movements(connection, ids)
        return Written(
            MadeMovementsAnswer(data=[MovementAnswer.model_validate(one) for one in made])
        )

    return await write_once(
        services, caller, idempotency, work, lambda made: json_answer(made, status_code=201)
    )


def _movements(body: CreateMovementBody) -> list[Movement]:
    """What goes first: it may be refused."""
    here = Movement(body.variant_id, body.kind, body.quantity, body.warehouse_id, body.note)
    if body.to_warehouse_id is None:
        return [here]
    away = Movement(body.variant_id, body.kind, -body.quantity, body.warehouse_id, body.note)
    return [
        away,
        Movement(body.variant_id, body.kind, body.quantity, body.to_warehouse_id, body.note),
    ]


def _read_place(parts: Sequence[object]) -> tuple[int, int]:
    variant_id, warehouse_id = parts
    return read_id([variant_id]), read_id([warehouse_id])
