"""`apply`: the one way in for records from outside.

It takes a page of canonical records and where they came from, and inside the caller's transaction
decides for each (`domain.reconcile`), writes the record, its link and its row of `changes`. Run
twice with the same page it changes nothing the second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from psycopg import errors
from sqlalchemy.ext.asyncio import AsyncConnection

from db import write_catalogue, write_levels, write_sales
from db.staging import CONFIRM, PUBLISH, TOMBSTONE, Batch, Origin, Statements
from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.guests import buyer_key, guest_of
from domain.pages import Page, Pulled, Rejected
from domain.reconcile import Incoming, Plan, latest, prepare, reconcile
from domain.records import Order, Record

UNKEEPABLE = (
    errors.DataError,
    errors.IntegrityError,
    errors.CardinalityViolation,
    errors.ProgramLimitExceeded,
)
"""What PostgreSQL raises for a value it cannot keep. One record is to blame, never its page."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a page."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: tuple[Rejected, ...] = ()

    def __add__(self, other: "Applied") -> "Applied":
        return Applied(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.deleted + other.deleted,
            self.rejected + other.rejected,
        )


async def apply(
    connection: AsyncConnection,
    origin: Origin,
    entity: Entity,
    page: Page[Record],
    *,
    careful: bool = False,
) -> Applied:
    """Take in one page. The caller commits.

    With `careful` a record that PostgreSQL cannot keep is set aside and the others go in, at the
    price of savepoints; without it such a record raises one of `UNKEEPABLE`.
    `db.session.LostRaceError` and deadlocks mean that the transaction has to run again.
    """
    guests = _guests_of(page) if entity is Entity.ORDERS else None
    if careful:
        if guests is not None:
            await _apply_or_split(connection, origin, Entity.CUSTOMERS, guests)
        applied = await _apply_or_split(connection, origin, entity, page)
    else:
        if guests is not None:
            # Published with the orders: who took the tenant's counter must not wait for links.
            await _apply_whole(connection, origin, Entity.CUSTOMERS, guests, publishes=False)
        applied = await _apply_whole(connection, origin, entity, page)
    return replace(applied, rejected=page.rejected + applied.rejected)


def _guests_of(page: Page[Record]) -> Page[Record] | None:
    orders = cast("Sequence[Pulled[Order]]", page.records)
    guests = [guest for order in orders if (guest := guest_of(order)) is not None]
    return Page(records=tuple(cast("list[Pulled[Record]]", guests))) if guests else None


async def _apply_or_split(
    connection: AsyncConnection, origin: Origin, entity: Entity, page: Page[Record]
) -> Applied:
    """Try the page whole; when PostgreSQL refuses a value, halve it until the culprit is alone."""
    try:
        async with connection.begin_nested():
            return await _apply_whole(connection, origin, entity, page)
    except UNKEEPABLE as error:
        if not page.records:
            raise
        if len(page.records) == 1 and not page.tombstones:
            return Applied(rejected=(_set_aside(page.records[0], error),))
    middle = (len(page.records) + 1) // 2
    halves: tuple[Page[Record], ...] = (
        Page(records=page.records[:middle]),
        Page(records=page.records[middle:]),
        Page(tombstones=page.tombstones),
    )
    total = Applied()
    for half in halves:
        if half.records or half.tombstones:
            total += await _apply_or_split(connection, origin, entity, half)
    return total


def _set_aside(pulled: Pulled[Record], error: Exception) -> Rejected:
    reason = str(error).partition("\n")[0][:300]
    return Rejected(pulled.external_id, 0, f"the database cannot keep it: {reason}")


async def _apply_whole(
    connection: AsyncConnection,
    origin: Origin,
    entity: Entity,
    page: Page[Record],
    *,
    publishes: bool = True,
) -> Applied:
    batch = await Batch.open(connection, origin, entity)
    records = latest(page.records)
    incoming, rejected = _prepare(tuple(records.values()))
    keys = {one.external_id for one in incoming} | set(page.tombstones)
    links = await batch.look(keys)
    plan = reconcile(incoming, page.tombstones, links)
    if plan.contested:
        links |= await batch.lock(plan.contested)
        plan = reconcile(incoming, page.tombstones, links)
    statements = _statements(entity, plan)
    for key in (*plan.stale, *(one.external_id for one in rejected)):
        records.pop(key or "", None)
    has_levels = write_levels.add_levels(statements, records.values())
    if plan.writes:
        await batch.stage(plan.writes, links)
    if publishes:
        statements.add(PUBLISH)
    if plan.contested or plan.created or has_levels or (publishes and batch.has_unpublished):
        await batch.write(statements, created=len(plan.created), updated=len(plan.updated))
    return Applied(
        created=len(plan.created),
        updated=len(plan.updated),
        unchanged=len(plan.unchanged) + len(plan.confirmed) + len(plan.stale),
        deleted=len(plan.deleted),
        rejected=rejected,
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    """The statements of one entity: for what is written, after an update, and for what is gone."""

    write: Sequence[str]
    after_update: Sequence[str]
    drop: Sequence[str]


_WRITERS = {
    Entity.CATEGORIES: _Writer(
        write_catalogue.WRITE_CATEGORIES, (), write_catalogue.DROP_CATEGORIES
    ),
    Entity.PRODUCTS: _Writer(
        write_catalogue.WRITE_PRODUCTS,
        (*write_catalogue.DROP_LOST_VARIANTS, *write_levels.WITHDRAW_LEVELS),
        (*write_catalogue.DROP_PRODUCTS, *write_levels.WITHDRAW_LEVELS),
    ),
    Entity.CUSTOMERS: _Writer(write_sales.WRITE_CUSTOMERS, (), write_sales.DROP_CUSTOMERS),
    Entity.ORDERS: _Writer(
        write_sales.WRITE_ORDERS, write_sales.DROP_LOST_LINES, write_sales.DROP_ORDERS
    ),
}


def _statements(entity: Entity, plan: Plan) -> Statements:
    writer, statements = _WRITERS[entity], Statements()
    if plan.writes:
        statements.add(*writer.write)
    if plan.updated:
        statements.add(*writer.after_update)
    if plan.deleted:
        statements.add(TOMBSTONE, *writer.drop, gone=list(plan.deleted))
    if plan.confirmed:
        statements.add(
            CONFIRM,
            confirmed=[one.external_id for one in plan.confirmed],
            versions=[one.version for one in plan.confirmed],
        )
    return statements


def _prepare(
    records: Sequence[Pulled[Record]],
) -> tuple[list[Incoming], tuple[Rejected, ...]]:
    incoming: list[Incoming] = []
    rejected: list[Rejected] = []
    for position, pulled in enumerate(records):
        buyer = buyer_key(pulled.record) if isinstance(pulled.record, Order) else None
        try:
            incoming.append(prepare(pulled, buyer=buyer))
        except InvalidRecordError as error:
            rejected.append(Rejected(pulled.external_id, position, str(error)))
    return incoming, tuple(rejected)
