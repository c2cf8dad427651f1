"""Stock of stores: what is pushed to them, and what they were seen to show.

How a push of levels goes (`db.write_levels` does the same for what a store tells by itself):

1. one transaction: `load_targets`;
2. the store's numbers are read (`WritesStock.read_stock`);
3. one transaction: `prepare_levels` with those numbers, which counts what moved in the store since
   and remembers what is about to be written; then `db.publishing.publish(connection, tenant_id, (),
   store_id=store_id)`. What it does not return needs no write: its push is done;
4. `WritesStock.push_stock` of what it returned;
5. one transaction: `record_pushed_levels`, then `publish` as above. A variant it returns has to be
   pushed again: its push row stays due.

A write that was sent and never recorded is recognised by the number that was remembered in step 3,
so steps 2 to 5 may be killed anywhere and run again. What remains is a sale in the store between
its last answer before the write and the write itself, which the write undoes in the store: where a
store takes absolute numbers only, nobody can see it until its order comes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.ledger import Books
from db.outlets import OUTLET, SHOWN
from db.settle_orders import settle_orders
from db.waiting_orders import serve_waiting
from domain.ledger import Account, Shelf, WrittenLevel, hear, record_push
from domain.pushing import Outcome, StockPushed, StockTarget

__all__ = [
    "LevelTarget",
    "apply_store_number",
    "load_targets",
    "prepare_levels",
    "record_pushed_levels",
    "settle_orders",
]

_TENANT = text("select tenant_id from stores where id = :store")

_TARGETS = text(f"""
with outlet as ({OUTLET})
select v.id, l.external_id, coalesce(p.external_id, '') as product_external_id, v.sku,
       stock.shown as available, b.agreed
from unnest(cast(:variants as bigint[])) as x(id)
cross join outlet
join product_variants v on v.tenant_id = :tenant and v.id = x.id and v.deleted_at is null
cross join lateral (
  select k.external_id from links k
  where k.record_id = v.id and k.entity = 'variants' and k.tenant_id = :tenant
    and k.store_id = :store and k.deleted_at is null
  order by k.external_id limit 1) l
cross join lateral (select {SHOWN} as shown) stock
left join lateral (
  select k.external_id from links k
  where k.record_id = v.product_id and k.entity = 'products' and k.tenant_id = :tenant
    and k.store_id = :store and k.deleted_at is null
  order by k.external_id limit 1) p on true
left join store_levels b
  on b.tenant_id = :tenant and b.store_id = :store and b.variant_id = v.id
where stock.shown is not null
order by v.id
""")  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class LevelTarget:
    """A variant's number to bring to a store; `agreed` is what the store is known to show."""

    variant_id: int
    target: StockTarget
    agreed: Decimal | None


async def load_targets(
    connection: AsyncConnection, store_id: int, variant_ids: Collection[int]
) -> Sequence[LevelTarget]:
    """What the store should show of these variants.

    Those that the store does not have (no link), or that nobody counts (no level), are left out:
    there is nothing to push for them. Less than nothing is shown only where backorders are taken.
    """
    found = await connection.execute(
        _TARGETS,
        {
            "tenant": await _tenant_of(connection, store_id),
            "store": store_id,
            "variants": sorted(set(variant_ids)),
        },
    )
    return [
        LevelTarget(
            row.id,
            StockTarget(row.external_id, row.product_external_id, row.sku, row.available),
            row.agreed,
        )
        for row in found
    ]


async def prepare_levels(
    connection: AsyncConnection,
    store_id: int,
    told: Mapping[int, Decimal | None],
    *,
    versions: Mapping[int, datetime | None] = MappingProxyType({}),
    forced: Collection[int] = (),
) -> Sequence[LevelTarget]:
    """Count what the store shows now (by variant id) and remember what will be written.

    Args:
        versions: the store's modification times of the numbers, where it has them. They were read
            just now, and count however old they are.
        forced: variants whose number is written whatever the store shows.

    Returns:
        What is to be written: the variants whose number in the store is not the hub's. None in
        `told` means that the store does not count the variant: it is returned as well.
    """
    tenant_id = await _tenant_of(connection, store_id)
    books = await Books.open(connection, tenant_id, [store_id], told)
    for variant_id, number in told.items():
        if number is not None:
            _hear(books, store_id, variant_id, number, versions.get(variant_id))
    await books.save(connection, owes=False)
    await serve_waiting(connection, tenant_id)
    targets = await load_targets(connection, store_id, told)
    wanted = [
        one
        for one in targets
        if one.target.available != told[one.variant_id] or one.variant_id in forced
    ]
    for one in wanted:
        account = books.accounts.get((store_id, one.variant_id))
        if account is not None:
            account.pushing = one.target.available
    await books.save(connection, owes=False)
    return wanted


async def apply_store_number(
    connection: AsyncConnection,
    store_id: int,
    variant_id: int,
    told: Decimal,
    version: datetime | None = None,
) -> None:
    """Take in one number that was read from a store; the caller publishes.

    A store whose number is not the hub's afterwards gets it pushed.
    """
    tenant_id = await _tenant_of(connection, store_id)
    books = await Books.open(connection, tenant_id, [store_id], [variant_id])
    _hear(books, store_id, variant_id, told, version)
    await books.save(connection, owes=True)
    await serve_waiting(connection, tenant_id)


async def record_pushed_levels(
    connection: AsyncConnection, store_id: int, pushed: Sequence[tuple[LevelTarget, StockPushed]]
) -> frozenset[int]:
    """Remember what a store answered to a push of levels; the caller publishes.

    Returns:
        The variants whose number in the store is not the hub's now: they have to be pushed again.
    """
    tenant_id = await _tenant_of(connection, store_id)
    variant_ids = [target.variant_id for target, _ in pushed]
    books = await Books.open(connection, tenant_id, [store_id], variant_ids)
    again: set[int] = set()
    for target, answer in pushed:
        place = books.shelf_of(store_id, target.variant_id)
        if place is None:
            continue
        account = books.accounts.get((store_id, target.variant_id))
        if answer.outcome is Outcome.DONE:
            account = account or books.open_account(
                store_id, target.variant_id, target.target.available
            )
            written = _written(target, answer)
            record_push(place[1], account, written, books.now)
        elif account is not None:
            _forget_push(place[1], account, answer, books)
        books.book((target.variant_id, place[0]), store_id=store_id)
    await books.save(connection, owes=False)
    for target, answer in pushed:
        account = books.accounts.get((store_id, target.variant_id))
        wanted = books.number_for(store_id, target.variant_id)
        if answer.outcome is Outcome.DONE and account and wanted not in (None, account.agreed):
            again.add(target.variant_id)
    await serve_waiting(connection, tenant_id)
    return frozenset(again)


def _written(target: LevelTarget, answer: StockPushed) -> WrittenLevel:
    number = target.target.available
    return WrittenLevel(
        agreed=target.agreed,
        before=answer.before if target.agreed is not None else None,
        written=number,
        after=number if answer.after is None else answer.after,
        version=answer.version,
    )


def _forget_push(shelf: Shelf, account: Account, answer: StockPushed, books: Books) -> None:
    account.pushing = None
    if answer.before is not None and not account.has_heard_after(answer.version):
        hear(shelf, account, answer.before, books.now, answer.version)


def _hear(
    books: Books, store_id: int, variant_id: int, told: Decimal, version: datetime | None
) -> None:
    place = books.shelf_of(store_id, variant_id)
    if place is None:
        return
    account = books.accounts.get((store_id, variant_id))
    if account is None:
        account = books.open_account(store_id, variant_id, told)
        account.told_version = version
    else:
        hear(place[1], account, told, books.now, version)
        books.book((variant_id, place[0]), store_id=store_id)


async def _tenant_of(connection: AsyncConnection, store_id: int) -> int:
    return int((await connection.execute(_TENANT, {"store": store_id})).scalar_one())
