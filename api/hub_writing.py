"""A write in the hub: one transaction that ends with its publication, then lanes are woken."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api.answers import json_answer
from api.auth import Principal
from api.idempotency import Idempotency
from api.schemas.catalogue import CategoryAnswer, ProductAnswer
from api.schemas.records import RecordAnswer
from api.schemas.sales import CustomerAnswer, OrderAnswer
from api.services import ApiServices
from db.publishing import Touch, publish
from db.record_json import read_record
from domain.entities import Entity
from domain.errors import NotFoundError
from domain.lanes import LaneKind

A = TypeVar("A")
R = TypeVar("R", bound=RecordAnswer)
A_co = TypeVar("A_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Written(Generic[A_co]):
    """What a write answers, and what has to be published of it."""

    answer: A_co
    touches: Sequence[Touch] = ()


async def write(
    services: ApiServices,
    tenant_id: int,
    work: Callable[[AsyncConnection], Awaitable[Written[A]]],
) -> A:
    """Run `work` in a transaction (again, when it loses to another one) and publish what it did."""

    async def transaction(connection: AsyncConnection) -> tuple[A, frozenset[int]]:
        written = await work(connection)
        return written.answer, await publish(connection, tenant_id, written.touches)

    answer, stores = await services.database.transact(tenant_id, transaction)
    await asyncio.gather(
        *(services.waker.wake(tenant_id, LaneKind.PUSH, store_id) for store_id in sorted(stores))
    )
    return answer


async def write_once(
    services: ApiServices,
    caller: Principal,
    idempotency: Idempotency,
    work: Callable[[AsyncConnection], Awaitable[Written[A]]],
    render: Callable[[A], Response],
) -> Response:
    """`write` under the request's key: done and answered in one transaction, or not at all."""

    async def kept(connection: AsyncConnection) -> Written[Response]:
        written = await work(connection)
        response = render(written.answer)
        await idempotency.keep(connection, response)
        return Written(response, written.touches)

    return await idempotency.run(caller, lambda: write(services, caller.tenant_id, kept))


def created(answer: RecordAnswer, listing: str) -> Response:
    """201 with the record and where it is."""
    return json_answer(answer, status_code=201, headers={"Location": f"{listing}/{answer.id}"})


async def show_category(connection: AsyncConnection, record_id: int) -> CategoryAnswer:
    """A category as GET shows it."""
    return await _show(connection, Entity.CATEGORIES, CategoryAnswer, record_id)


async def show_product(connection: AsyncConnection, record_id: int) -> ProductAnswer:
    """A product as GET shows it."""
    return await _show(connection, Entity.PRODUCTS, ProductAnswer, record_id)


async def show_customer(connection: AsyncConnection, record_id: int) -> CustomerAnswer:
    """A customer as GET shows it."""
    return await _show(connection, Entity.CUSTOMERS, CustomerAnswer, record_id)


async def show_order(connection: AsyncConnection, record_id: int) -> OrderAnswer:
    """An order as GET shows it."""
    return await _show(connection, Entity.ORDERS, OrderAnswer, record_id)


async def _show(connection: AsyncConnection, entity: Entity, answer: type[R], record_id: int) -> R:
    body = await read_record(connection, entity, record_id)
    if body is None:
        raise NotFoundError(f"there is no record {record_id}. GET /api/{entity.value} lists them")
    return answer.model_validate_json(body)
