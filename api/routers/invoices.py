"""Invoices written elsewhere: their lines leave the stock, and stores are told."""

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api import problems
from api.answers import json_answer
from api.auth import RecordsReader, RecordsWriter
from api.hub_writing import Written, write_once
from api.idempotency import Idempotent
from api.paging import Cursor, Limit, after_id, next_cursor
from api.params import JSON_BODY, RecordId
from api.problems import FieldProblem, ProblemError
from api.schemas.inventory import (
    CreateInvoiceBody,
    InvoiceAnswer,
    InvoiceLineAnswer,
    InvoiceListAnswer,
)
from api.services import Services
from db.invoices import Invoice, NewInvoice, book_invoice, find_invoices, list_invoices
from db.movements import NotEnoughStockError

router = APIRouter(prefix="/api/invoices", tags=["invoices"])


@router.post(
    "",
    status_code=201,
    response_model=InvoiceAnswer,
    responses={404: {}},
    dependencies=JSON_BODY,
    summary="Book an invoice",
)
async def create_invoice(
    body: CreateInvoiceBody, caller: RecordsWriter, services: Services, idempotency: Idempotent
) -> Response:
    """All lines leave the stock, or none (409, naming those that lack it).

    The number stands for the invoice: the same again is answered the same and booked once.
    """
    new = NewInvoice(
        number=body.number,
        lines={one.variant_id: one.quantity for one in body.lines},
        warehouse_id=body.warehouse_id,
        note=body.note,
    )

    async def work(connection: AsyncConnection) -> Written[Invoice]:
        try:
            return Written(await book_invoice(connection, caller.tenant_id, new))
        except NotEnoughStockError as error:
            raise _lacking(error) from None

    def render(booked: Invoice) -> Response:
        location = {"Location": f"/api/invoices/{booked.id}"}
        return json_answer(_view(booked), status_code=201, headers=location)

    return await write_once(services, caller, idempotency, work, render)


@router.get("", summary="List invoices")
async def list_of_invoices(
    caller: RecordsReader, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> InvoiceListAnswer:
    """Invoices by id."""
    after = after_id("invoices", cursor)
    async with services.database.tenant(caller.tenant_id) as connection:
        rows = await list_invoices(connection, after=after, limit=limit + 1)
    page = rows[:limit]
    return InvoiceListAnswer(
        data=[_view(one) for one in page],
        next_cursor=next_cursor("invoices", rows, limit),
    )


@router.get("/{record_id}", summary="Show an invoice")
async def show_invoice(
    record_id: RecordId, caller: RecordsReader, services: Services
) -> InvoiceAnswer:
    """An invoice with its lines."""
    async with services.database.tenant(caller.tenant_id) as connection:
        found = await find_invoices(connection, [record_id])
    if not found:
        raise problems.not_found(f"invoice {record_id}", "/api/invoices")
    return _view(found[0])


def _view(invoice: Invoice) -> InvoiceAnswer:
    return InvoiceAnswer(
        id=invoice.id,
        number=invoice.number,
        warehouse_id=invoice.warehouse_id,
        note=invoice.note,
        lines=[
            InvoiceLineAnswer(variant_id=variant_id, quantity=quantity)
            for variant_id, quantity in invoice.lines.items()
        ],
        created_at=invoice.created_at,
    )


def _lacking(error: NotEnoughStockError) -> ProblemError:
    return ProblemError(
        problems.CONFLICT,
        "There is not enough stock, so nothing was booked. Book in what came "
        "(POST /api/inventory/movements), or take these lines out.",
        errors=[
            FieldProblem(
                pointer=f"/lines/{one.position}",
                detail=(
                    f"variant {one.variant_id} has {one.available.normalize():f} to give, "
                    f"{one.wanted.normalize():f} are wanted"
                ),
            )
            for one in error.shortages[:50]
        ],
    )
