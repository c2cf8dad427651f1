"""Writing categories, customers and the status of orders: every store that wants it is told."""

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.auth import RecordsWriter
from api.hub_writing import (
    Written,
    created,
    show_category,
    show_customer,
    show_order,
    write,
    write_once,
)
from api.idempotency import Idempotent
from api.params import JSON_BODY, RecordId
from api.record_bodies import addresses, check_categories
from api.schemas.catalogue import CategoryAnswer
from api.schemas.record_writes import (
    ChangeCategoryBody,
    ChangeCustomerBody,
    ChangeOrderBody,
    CreateCategoryBody,
    CreateCustomerBody,
)
from api.schemas.sales import CustomerAnswer, OrderAnswer
from api.services import Services
from db import hub_writes

router = APIRouter(prefix="/api")


@router.post(
    "/categories",
    tags=["categories"],
    status_code=201,
    dependencies=JSON_BODY,
    response_model=CategoryAnswer,
    summary="Make a category",
)
async def create_category(
    body: CreateCategoryBody, caller: RecordsWriter, services: Services, idempotency: Idempotent
) -> Response:
    """Stores that take categories get it too."""

    async def work(connection: AsyncConnection) -> Written[CategoryAnswer]:
        await check_categories(connection, "/parentId", [body.parent_id])
        made = await hub_writes.create_category(connection, caller.tenant_id, body.model_dump())
        return Written(await show_category(connection, made.record_id), [made])

    return await write_once(
        services, caller, idempotency, work, lambda made: created(made, "/api/categories")
    )


@router.patch(
    "/categories/{record_id}",
    tags=["categories"],
    dependencies=JSON_BODY,
    summary="Change a category",
)
async def change_category(
    record_id: RecordId, body: ChangeCategoryBody, caller: RecordsWriter, services: Services
) -> CategoryAnswer:
    """What is left out stays as it is; stores that have it are told."""

    async def work(connection: AsyncConnection) -> Written[CategoryAnswer]:
        await show_category(connection, record_id)
        await check_categories(connection, "/parentId", [body.parent_id])
        touches = await hub_writes.change_category(
            connection, caller.tenant_id, record_id, body.named()
        )
        return Written(await show_category(connection, record_id), touches)

    return await write(services, caller.tenant_id, work)


@router.delete(
    "/categories/{record_id}", tags=["categories"], status_code=204, summary="Delete a category"
)
async def delete_category(
    record_id: RecordId, caller: RecordsWriter, services: Services
) -> Response:
    """What is below it moves up to its parent. Stores that have it delete it."""

    async def work(connection: AsyncConnection) -> Written[None]:
        return Written(None, await hub_writes.delete_category(connection, record_id))

    await write(services, caller.tenant_id, work)
    return Response(status_code=204)


@router.post(
    "/customers",
    tags=["customers"],
    status_code=201,
    dependencies=JSON_BODY,
    response_model=CustomerAnswer,
    summary="Make a customer",
)
async def create_customer(
    body: CreateCustomerBody, caller: RecordsWriter, services: Services, idempotency: Idempotent
) -> Response:
    """Stores that take customers get it too."""
    named = body.model_dump(exclude={"billing", "shipping"})
    values = {**named, **addresses({"billing": body.billing, "shipping": body.shipping})}

    async def work(connection: AsyncConnection) -> Written[CustomerAnswer]:
        made = await hub_writes.create_customer(connection, caller.tenant_id, values)
        return Written(await show_customer(connection, made.record_id), [made])

    return await write_once(
        services, caller, idempotency, work, lambda made: created(made, "/api/customers")
    )


@router.patch(
    "/customers/{record_id}",
    tags=["customers"],
    dependencies=JSON_BODY,
    summary="Change a customer",
)
async def change_customer(
    record_id: RecordId, body: ChangeCustomerBody, caller: RecordsWriter, services: Services
) -> CustomerAnswer:
    """What is left out stays as it is, also within an address; stores that have it are told."""
    changed = addresses({"billing": body.billing, "shipping": body.shipping})
    values = {**body.named(), **changed}

    async def work(connection: AsyncConnection) -> Written[CustomerAnswer]:
        touches = await hub_writes.change_customer(connection, caller.tenant_id, record_id, values)
        return Written(await show_customer(connection, record_id), touches)

    return await write(services, caller.tenant_id, work)


@router.delete(
    "/customers/{record_id}", tags=["customers"], status_code=204, summary="Delete a customer"
)
async def delete_customer(
    record_id: RecordId, caller: RecordsWriter, services: Services
) -> Response:
    """Their orders stay."""

    async def work(connection: AsyncConnection) -> Written[None]:
        return Written(None, await hub_writes.delete_customer(connection, record_id))

    await write(services, caller.tenant_id, work)
    return Response(status_code=204)


@router.patch(
    "/orders/{record_id}", tags=["orders"], dependencies=JSON_BODY, summary="Set an order's status"
)
async def change_order(
    record_id: RecordId, body: ChangeOrderBody, caller: RecordsWriter, services: Services
) -> OrderAnswer:
    """Its own store is told. Stock it holds is sent, or given back when it is cancelled."""

    async def work(connection: AsyncConnection) -> Written[OrderAnswer]:
        touches = await hub_writes.change_order_status(
            connection, caller.tenant_id, record_id, body.status
        )
        return Written(await show_order(connection, record_id), touches)

    return await write(services, caller.tenant_id, work)
