"""Reading the records back."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from api import problems
from api.auth import Principal, RecordsReader
from api.paging import Cursor, Limit, after_id, next_cursor
from api.params import RecordId
from api.record_views import category_views, customer_views, order_views, product_views
from api.schemas.catalogue import (
    CategoryAnswer,
    CategoryListAnswer,
    ProductAnswer,
    ProductListAnswer,
)
from api.schemas.records import RecordAnswer
from api.schemas.sales import CustomerAnswer, CustomerListAnswer, OrderAnswer, OrderListAnswer
from api.services import ApiServices, Services
from db.read_records import Row, find_record, list_records
from domain.entities import Entity

router = APIRouter(prefix="/api")

A = TypeVar("A", bound=RecordAnswer)


@dataclass(frozen=True, slots=True)
class _Kind(Generic[A]):
    """A kind of record: what it is called, and how its rows become bodies."""

    entity: Entity
    noun: str
    view: Callable[[AsyncConnection, Sequence[Row]], Awaitable[list[A]]]


_CATEGORIES = _Kind(Entity.CATEGORIES, "category", category_views)
_PRODUCTS = _Kind(Entity.PRODUCTS, "product", product_views)
_CUSTOMERS = _Kind(Entity.CUSTOMERS, "customer", customer_views)
_ORDERS = _Kind(Entity.ORDERS, "order", order_views)


@router.get("/categories", tags=["categories"], summary="List categories")
async def list_categories(
    caller: RecordsReader, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> CategoryListAnswer:
    """Categories by id; deleted ones are left out."""
    data, following = await _list(caller, services, _CATEGORIES, limit, cursor)
    return CategoryListAnswer(data=data, next_cursor=following)


@router.get("/categories/{record_id}", tags=["categories"], summary="Show a category")
async def show_category(
    record_id: RecordId, caller: RecordsReader, services: Services
) -> CategoryAnswer:
    """A category with its outside ids."""
    return await _show(caller, services, _CATEGORIES, record_id)


@router.get("/products", tags=["products"], summary="List products")
async def list_products(
    caller: RecordsReader, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> ProductListAnswer:
    """Products by id with their variants and stock; deleted ones are left out."""
    data, following = await _list(caller, services, _PRODUCTS, limit, cursor)
    return ProductListAnswer(data=data, next_cursor=following)


@router.get("/products/{record_id}", tags=["products"], summary="Show a product")
async def show_product(
    record_id: RecordId, caller: RecordsReader, services: Services
) -> ProductAnswer:
    """A product with its variants, stock and outside ids."""
    return await _show(caller, services, _PRODUCTS, record_id)


@router.get("/customers", tags=["customers"], summary="List customers")
async def list_customers(
    caller: RecordsReader, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> CustomerListAnswer:
    """Customers by id, guests among them; deleted ones are left out."""
    data, following = await _list(caller, services, _CUSTOMERS, limit, cursor)
    return CustomerListAnswer(data=data, next_cursor=following)


@router.get("/customers/{record_id}", tags=["customers"], summary="Show a customer")
async def show_customer(
    record_id: RecordId, caller: RecordsReader, services: Services
) -> CustomerAnswer:
    """A customer with its outside ids."""
    return await _show(caller, services, _CUSTOMERS, record_id)


@router.get("/orders", tags=["orders"], summary="List orders")
async def list_orders(
    caller: RecordsReader, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> OrderListAnswer:
    """Orders by id with their lines, charges and refunds; deleted ones are left out."""
    data, following = await _list(caller, services, _ORDERS, limit, cursor)
    return OrderListAnswer(data=data, next_cursor=following)


@router.get("/orders/{record_id}", tags=["orders"], summary="Show an order")
async def show_order(record_id: RecordId, caller: RecordsReader, services: Services) -> OrderAnswer:
    """An order with its lines, charges, refunds and outside ids."""
    return await _show(caller, services, _ORDERS, record_id)


async def _list(
    caller: Principal, services: ApiServices, kind: _Kind[A], limit: int, cursor: str | None
) -> tuple[list[A], str | None]:
    listing = kind.entity.value
    after = after_id(listing, cursor)
    async with services.database.tenant(caller.tenant_id) as connection:
        rows = await list_records(connection, kind.entity, after=after, limit=limit + 1)
        page = rows[:limit]
        data = await kind.view(connection, page)
    return data, next_cursor(listing, rows, limit, page[-1]["id"] if page else 0)


async def _show(caller: Principal, services: ApiServices, kind: _Kind[A], record_id: int) -> A:
    async with services.database.tenant(caller.tenant_id) as connection:
        row = await find_record(connection, kind.entity, record_id)
        if row is None:
            raise problems.not_found(f"{kind.noun} {record_id}", f"/api/{kind.entity.value}")
        (view,) = await kind.view(connection, [row])
    return view
