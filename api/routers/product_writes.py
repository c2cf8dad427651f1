"""Writing products with their variants: every store that wants them is told."""

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api import problems
from api.auth import RecordsWriter
from api.hub_writing import Written, created, show_product, write, write_once
from api.idempotency import Idempotent
from api.params import JSON_BODY, RecordId
from api.record_bodies import (
    changed_product,
    check_categories,
    new_product,
    new_variant,
    variant_write,
)
from api.schemas.catalogue import ProductAnswer
from api.schemas.product_writes import ChangeProductBody, CreateProductBody
from api.services import Services
from db import hub_writes_products

router = APIRouter(prefix="/api")

_NO_CURRENCY = (
    "say the currency (ISO 4217): your stores do not have one in common from which it could be "
    "taken"
)


@router.post(
    "/products",
    tags=["products"],
    status_code=201,
    dependencies=JSON_BODY,
    response_model=ProductAnswer,
    summary="Make a product",
)
async def create_product(
    body: CreateProductBody, caller: RecordsWriter, services: Services, idempotency: Idempotent
) -> Response:
    """With its variants and their opening stock. Stores that take products get it too; one that
    has the SKUs already is matched, not doubled."""

    async def work(connection: AsyncConnection) -> Written[ProductAnswer]:
        await check_categories(connection, "/categoryIds", body.category_ids)
        currency = body.currency or await hub_writes_products.currency_of_stores(
            connection, caller.tenant_id
        )
        if currency is None:
            raise problems.invalid("/currency", _NO_CURRENCY)
        made = await hub_writes_products.create_product(
            connection,
            caller.tenant_id,
            new_product(body, currency),
            [new_variant(one) for one in body.variants],
        )
        return Written(await show_product(connection, made.record_id), [made])

    return await write_once(
        services, caller, idempotency, work, lambda made: created(made, "/api/products")
    )


@router.patch(
    "/products/{record_id}", tags=["products"], dependencies=JSON_BODY, summary="Change a product"
)
async def change_product(
    record_id: RecordId, body: ChangeProductBody, caller: RecordsWriter, services: Services
) -> ProductAnswer:
    """What is left out stays as it is. Of the variants, those with an id are changed (or taken
    away with `remove`), those without are added, the others stay."""

    async def work(connection: AsyncConnection) -> Written[ProductAnswer]:
        known = await show_product(connection, record_id)
        await check_categories(connection, "/categoryIds", body.category_ids or ())
        touches = await hub_writes_products.change_product(
            connection,
            caller.tenant_id,
            record_id,
            changed_product(body, known.images),
            [variant_write(one) for one in body.variants],
        )
        return Written(await show_product(connection, record_id), touches)

    return await write(services, caller.tenant_id, work)


@router.delete(
    "/products/{record_id}", tags=["products"], status_code=204, summary="Delete a product"
)
async def delete_product(
    record_id: RecordId, caller: RecordsWriter, services: Services
) -> Response:
    """With its variants and their stock. Stores that have it take it off sale."""

    async def work(connection: AsyncConnection) -> Written[None]:
        return Written(
            None,
            await hub_writes_products.delete_product(connection, caller.tenant_id, record_id),
        )

    await write(services, caller.tenant_id, work)
    return Response(status_code=204)
