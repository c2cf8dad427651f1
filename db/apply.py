"""`apply`: the one way in for records from outside.

It takes a page of canonical records and where they came from, and inside the caller's transaction
decides for each (`domain.reconcile`), writes the record, its link and its row of `changes`. Run
twice with the same page it changes nothing the second time.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db import write_catalogue, write_levels, write_sales
from db.exchange import FOLLOW_STORE, Parties, set_apart, write_exchange
from db.link_marks import CONFIRM, TOMBSTONE
from db.merged_writes import Written
from db.publishing import FAN_OUT
from db.staging import PUBLISH, Batch, Origin, Statements
from db.stock import settle_orders
from db.unkeepable import UNKEEPABLE, is_unkeepable
from db.unknown_statuses import tell_of_unknown_statuses
from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.guests import buyer_key, guest_of
from domain.pages import Page, Pulled, Rejected
from domain.reconcile import Incoming, LinkState, Plan, latest, prepare, reconcile
from domain.records import Order, Record


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a page.

    Attributes:
        pushes: the stores that have something to be sent now: their push lanes want waking.
        conflicts: records with fields that wait for a person.
        ambiguous: external ids that were not written, see `strict` of `apply`.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: tuple[Rejected, ...] = ()
    pushes: frozenset[int] = frozenset()
    conflicts: int = 0
    ambiguous: tuple[str, ...] = ()

    def __add__(self, other: "Applied") -> "Applied":
        return Applied(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.deleted + other.deleted,
            self.rejected + other.rejected,
            self.pushes | other.pushes,
            self.conflicts + other.conflicts,
            self.ambiguous + other.ambiguous,
        )


async def apply(
    connection: AsyncConnection,
    origin: Origin,
    entity: Entity,
    page: Page[Record],
    *,
    careful: bool = False,
    strict: bool = False,
) -> Applied:
    """Take in one page. The caller commits.

    Args:
        strict: another content at the version we have, or without a version, is not written, for
            nobody can tell which came later: it is named in `ambiguous`, to be read again by id
            and applied without `strict`.

    With `careful` a record that PostgreSQL cannot keep is set aside and the others go in, at the
    price of savepoints; without it such a record raises what `is_unkeepable` knows.
    `db.session.LostRaceError` and deadlocks mean that the transaction has to run again.
    """
    guests = _guests_of(page) if entity is Entity.ORDERS else None
    buyers = Applied()
    if careful:
        if guests is not None:
            buyers = await _apply_or_split(connection, origin, Entity.CUSTOMERS, guests)
        applied = await _apply_or_split(connection, origin, entity, page, strict=strict)
    else:
        if guests is not None:
            # Published with the orders: who took the tenant's counter must not wait for links.
            buyers = await _apply_whole(
                connection, origin, Entity.CUSTOMERS, guests, publishes=False
            )
        applied = await _apply_whole(connection, origin, entity, page, strict=strict)
    return replace(
        applied,
        rejected=page.rejected + applied.rejected,
        pushes=applied.pushes | buyers.pushes,
        conflicts=applied.conflicts + buyers.conflicts,
    )


def _guests_of(page: Page[Record]) -> Page[Record] | None:
    orders = cast("Sequence[Pulled[Order]]", page.records)
    guests = [guest for order in orders if (guest := guest_of(order)) is not None]
    return Page(records=tuple(cast("list[Pulled[Record]]", guests))) if guests else None


async def _apply_or_split(
    connection: AsyncConnection,
    origin: Origin,
    entity: Entity,
    page: Page[Record],
    *,
    strict: bool = False,
) -> Applied:
    """Try the page whole; when PostgreSQL refuses a value, halve it until the culprit is alone."""
    try:
        async with connection.begin_nested():
            return await _apply_whole(connection, origin, entity, page, strict=strict)
    except (*UNKEEPABLE, DBAPIError) as error:
        if not page.records or not is_unkeepable(error):
            raise
        if len(page.records) == 1 and not page.tombstones:
            cause = error.orig if isinstance(error, DBAPIError) else error
            return Applied(rejected=(_set_aside(page.records[0], cause or error),))
    middle = (len(page.records) + 1) // 2
    halves: tuple[Page[Record], ...] = (
        Page(records=page.records[:middle]),
        Page(records=page.records[middle:]),
        Page(tombstones=page.tombstones),
    )
    total = Applied()
    for half in halves:
        if half.records or half.tombstones:
            total += await _apply_or_split(connection, origin, entity, half, strict=strict)
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
    strict: bool = False,
    publishes: bool = True,
) -> Applied:
    batch = await Batch.open(connection, origin, entity)
    judged = await _judge(batch, origin, page, strict=strict)
    plan = judged.plan
    parties = Parties(connection, batch, origin, entity)
    exchange = await set_apart(parties, plan, judged.links, judged.records)
    fast = exchange.plan
    statements = _statements(entity, fast)
    created, updated = len(fast.created), len(fast.updated)
    if fast.writes:
        await batch.stage(fast.writes, judged.links)
    written = Written()
    settles = entity is Entity.ORDERS and not origin.bulk and bool(fast.writes or fast.deleted)
    if settles or not exchange.is_empty:
        await batch.write(statements, created=created, updated=updated)
        written = await write_exchange(parties, exchange)
        statements, created, updated = Statements(), 0, 0
        if settles:
            order_ids = await batch.touched_ids()
            await settle_orders(connection, origin, order_ids)
            await tell_of_unknown_statuses(connection, origin.tenant_id, order_ids)
    has_levels = write_levels.add_levels(statements, judged.heard(exchange.deaf), origin)
    if publishes:
        statements.add(*(FOLLOW_STORE if batch.is_two_way else (PUBLISH,)))
    told: list[tuple[Any, ...]] = []
    has_changes = plan.contested or plan.created or has_levels
    if has_changes or (publishes and batch.has_unpublished):
        told = await batch.write(statements, created=created, updated=updated, returning=FAN_OUT)
    own = {origin.store_id} if written.is_lacking else set()
    is_order = entity is Entity.ORDERS
    farewells = exchange.farewells
    return Applied(
        created=len(fast.created),
        updated=len(fast.updated) + (0 if is_order else written.updated),
        unchanged=len(plan.unchanged)
        + len(plan.confirmed)
        + len(plan.stale)
        + len(exchange.skipped)
        + (0 if is_order else written.unchanged),
        deleted=len(plan.deleted) - len(farewells.held) - len(farewells.again),
        pushes=frozenset(row[0] for row in told) | own,
        conflicts=written.conflicts,
        ambiguous=plan.ambiguous,
        rejected=judged.rejected,
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """A page, compared with what its links remember."""

    plan: Plan
    links: dict[str, LinkState]
    records: dict[str, Pulled[Record]]
    rejected: tuple[Rejected, ...]

    def heard(self, deaf: Collection[str]) -> Iterable[Pulled[Record]]:
        """The records whose stock counts: those that are taken in, and no history."""
        left_out = {*self.plan.stale, *self.plan.ambiguous, *deaf}
        left_out |= {one.external_id or "" for one in self.rejected}
        return [one for key, one in self.records.items() if key not in left_out]


async def _judge(batch: Batch, origin: Origin, page: Page[Record], *, strict: bool) -> _Judged:
    records = latest(page.records)
    incoming, rejected = _prepare(tuple(records.values()))
    keys = {one.external_id for one in incoming} | set(page.tombstones)
    links = await batch.look(keys)
    judge = partial(
        reconcile,
        incoming,
        page.tombstones,
        strict=strict,
        force=origin.force,
        read_at=origin.read_at,
    )
    plan = judge(links)
    if plan.contested:
        links |= await batch.lock({key: links[key] for key in plan.contested})
        plan = judge(links)
    return _Judged(plan, links, records, rejected)


@dataclass(frozen=True, slots=True)
class Writer:
    """The statements of one entity: for what is written, after an update, and for what is gone."""

    write: Sequence[str]
    after_update: Sequence[str]
    drop: Sequence[str]


WRITERS = {
    Entity.CATEGORIES: Writer(
        write_catalogue.WRITE_CATEGORIES, (), write_catalogue.DROP_CATEGORIES
    ),
    Entity.PRODUCTS: Writer(
        write_catalogue.WRITE_PRODUCTS,
        (*write_catalogue.DROP_LOST_VARIANTS, *write_levels.WITHDRAW_LEVELS),
        (*write_catalogue.DROP_PRODUCTS, *write_levels.WITHDRAW_LEVELS),
    ),
    Entity.CUSTOMERS: Writer(write_sales.WRITE_CUSTOMERS, (), write_sales.DROP_CUSTOMERS),
    Entity.ORDERS: Writer(
        write_sales.WRITE_ORDERS, write_sales.DROP_LOST_LINES, write_sales.DROP_ORDERS
    ),
}


def _statements(entity: Entity, plan: Plan) -> Statements:
    writer, statements = WRITERS[entity], Statements()
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
