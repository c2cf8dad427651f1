"""Reading the records back."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.auth import Principal, RecordsReader
from api.caching import REVALIDATED
from api.paging import Cursor, Limit, after_id, encode_cursor
from api.params import RecordId
from api.schemas.base import Answer
from api.schemas.catalogue import (
    CategoryAnswer,
    CategoryListAnswer,
    ProductAnswer,
    ProductListAnswer,
)
from api.schemas.sales import CustomerAnswer, CustomerListAnswer, OrderAnswer, OrderListAnswer
from api.services import ApiServices, Services
from db.record_json import read_page, read_record
from db.revisions import read_revision
from domain.entities import Entity

Route = TypeVar("Route", bound=Callable[..., Awaitable[Response]])

router = APIRouter(prefix="/api")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request for records of one kind, and who asks."""

    request: Request
    caller: Principal
    services: ApiServices
    entity: Entity


def _reads(path: str, summary: str, answer: type[Answer]) -> Callable[[Route], Route]:
    return router.get(
        path,
        tags=[path.split("/")[1]],
        summary=summary,
        response_model=answer,
        responses=REVALIDATED,
    )


@_reads("/categories", "List categories", CategoryListAnswer)
async def list_categories(
    request: Request,
    caller: RecordsReader,
    services: Services,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Categories by id; deleted ones are left out."""
    return await _list(_Asked(request, caller, services, Entity.CATEGORIES), limit, cursor)


@_reads("/categories/{record_id}", "Show a category", CategoryAnswer)
async def show_category(
    request: Request, record_id: RecordId, caller: RecordsReader, services: Services
) -> Response:
    """A category with its outside ids."""
    return await _show(_Asked(request, caller, services, Entity.CATEGORIES), "category", record_id)


@_reads("/products", "List products", ProductListAnswer)
async def list_products(
    request: Request,
    caller: RecordsReader,
    services: Services,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Products by id with their variants and stock; deleted ones are left out."""
    return await _list(_Asked(request, caller, services, Entity.PRODUCTS), limit, cursor)


@_reads("/products/{record_id}", "Show a product", ProductAnswer)
async def show_product(
    request: Request, record_id: RecordId, caller: RecordsReader, services: Services
) -> Response:
    """A product with its variants, stock and outside ids."""
    return await _show(_Asked(request, caller, services, Entity.PRODUCTS), "product", record_id)


@_reads("/customers", "List customers", CustomerListAnswer)
async def list_customers(
    request: Request,
    caller: RecordsReader,
    services: Services,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Customers by id, guests among them; deleted ones are left out."""
    return await _list(_Asked(request, caller, services, Entity.CUSTOMERS), limit, cursor)


@_reads("/customers/{record_id}", "Show a customer", CustomerAnswer)
async def show_customer(
    request: Request, record_id: RecordId, caller: RecordsReader, services: Services
) -> Response:
    """A customer with its outside ids."""
    return await _show(_Asked(request, caller, services, Entity.CUSTOMERS), "customer", record_id)


@_reads("/orders", "List orders", OrderListAnswer)
async def list_orders(
    request: Request,
    caller: RecordsReader,
    services: Services,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Orders by id with their lines, charges and refunds; deleted ones are left out."""
    return await _list(_Asked(request, caller, services, Entity.ORDERS), limit, cursor)


@_reads("/orders/{record_id}", "Show an order", OrderAnswer)
async def show_order(
    request: Request, record_id: RecordId, caller: RecordsReader, services: Services
) -> Response:
    """An order with its lines, charges, refunds and outside ids."""
    return await _show(_Asked(request, caller, services, Entity.ORDERS), "order", record_id)


async def _list(asked: _Asked, limit: int, cursor: str | None) -> Response:
    listing = asked.entity.value
    after = after_id(listing, cursor)

    async def make(connection: AsyncConnection) -> bytes:
        page = await read_page(connection, asked.entity, after=after, limit=limit)
        following = None if page.last_id is None else encode_cursor(listing, page.last_id)
        records = ",".join(page.records)
        return f'{{"data":[{records}],"nextCursor":{json.dumps(following)}}}'.encode()

    return await _kept(asked, make)


async def _show(asked: _Asked, noun: str, record_id: int) -> Response:
    async def make(connection: AsyncConnection) -> bytes:
        body = await read_record(connection, asked.entity, record_id)
        if body is None:
            raise problems.not_found(f"{noun} {record_id}", f"/api/{asked.entity.value}")
        return body.encode()

    return await _kept(asked, make)


async def _kept(asked: _Asked, make: Callable[[AsyncConnection], Awaitable[bytes]]) -> Response:
    """What is kept under the tenant's revision of now, or made: at least as new as that is.

    The cache may be on another machine: no connection to the database is held meanwhile.
    """
    services, caller, version = asked.services, asked.caller, ""

    async def make_now() -> bytes:
        async with services.database.tenant(caller.tenant_id) as connection:
            return await make(connection)

    ttl_s = services.config.cache_records_s
    if ttl_s:
        async with services.database.tenant(caller.tenant_id) as connection:
            version = await read_revision(connection)
    return await services.cache.cached(
        asked.request, caller, name=asked.entity.value, ttl_s=ttl_s, version=version, make=make_now
    )
