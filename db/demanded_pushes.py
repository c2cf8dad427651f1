"""The outbox, filled because somebody asked: which records are meant, and what became of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.due_again import DUE_AGAIN
from db.outlets import OUTLET, SHOWN
from db.ranges import RangeCounts, RangeKey, advance_range, load_range
from db.session import Database
from domain.entities import Entity
from domain.errors import InvalidRecordError


@dataclass(frozen=True, slots=True)
class Demanded:
    """What somebody asked for.

    Attributes:
        record_ids: of the hub; of `INVENTORY` its products', whose variants are meant.
        modified_since: changed in the hub at or after, where no records are named.
        all_records: every record of the entity, where nothing else is said.
        limit: how many at most; of stock that is not named or forced, of what the store is not
            known to show: what comes next is the next call's.
        force: the hub wins, and what is alike is written too.
    """

    entity: Entity
    record_ids: Sequence[int] = ()
    modified_since: datetime | None = None
    all_records: bool = False
    limit: int | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class PushProgress:
    """What became of a run's pushes of one entity, see `activities.demand_models.PushCounts`.
    `due_at` is when the first of those that wait is tried; None: it is due."""

    queued: int = 0
    sent: int = 0
    held: int = 0
    waiting: int = 0
    failed: int = 0
    passed_on: int = 0
    skipped: int = 0
    paused: str | None = None
    due_at: datetime | None = None


# `fits`: whether the store can be sent the record at all.
_MEANT: Final[Mapping[Entity, str]] = {
    Entity.CATEGORIES: """
select r.id, true as fits from categories r
where r.deleted_at is null and {records} and {since}
""",
    Entity.PRODUCTS: """
select r.id, true as fits from products r
where r.deleted_at is null and {records} and {since}
""",
    Entity.CUSTOMERS: """
select r.id, not r.is_guest as fits from customers r
where r.deleted_at is null and {records} and {since}
""",
    Entity.INVENTORY: """
select v.id, r.has_levels and exists (
         select from links l where l.record_id = v.id and l.entity = 'variants'
           and l.store_id = :store and l.deleted_at is null) as fits
from product_variants v
cross join lateral (
  select count(*) > 0 as has_levels, max(i.updated_at) as updated_at from inventory_levels i
  where i.variant_id = v.id) r
where v.deleted_at is null and {since}
  and (cast(:ids as bigint[]) is null and r.has_levels or v.product_id = any(:ids))
  and (not :lacking or {lacking})
""",
    Entity.ORDERS: """
select r.id, r.store_id = :store as fits from orders r
where r.deleted_at is null and {records} and {since}
  and (r.store_id = :store or cast(:ids as bigint[]) is not null)
  and (:force or cast(:ids as bigint[]) is not null or exists (
    select from links l where l.record_id = r.id and l.entity = 'orders'
      and l.store_id = :store and l.differs and l.deleted_at is null))
""",
}
"""Of orders only those whose status may not be the store's, unless they are named or it is forced:
a shop has many, and next to none of them differs."""

_LACKING: Final = f"""exists (
    with outlet as ({OUTLET})
    select from outlet
    left join store_levels b on b.store_id = :store and b.variant_id = v.id
    where b.agreed is distinct from {SHOWN})
  and not exists (
    select from pushes p where p.store_id = :store and p.entity = 'inventory'
      and p.record_id = v.id and p.status <> 'pending')"""  # noqa: S608 - constants
"""Of stock what the store does not show as far as is known, and that was not given up."""

_MOST_AT_ONCE: Final = 10_000
"""Rows of one transaction: a million would take longer than one may."""

_PIECE: Final = "enqueue"

_RECORDS: Final = "(cast(:ids as bigint[]) is null or r.id = any(:ids))"
_SINCE: Final = "(cast(:since as timestamptz) is null or r.updated_at >= :since)"

# Nobody else may give the same rows to another run in between.
_ONE_AT_A_TIME = text(
    "select pg_advisory_xact_lock(hashtextextended('demanded pushes', cast(:store as bigint)))"
)

_TAKE_OVER = text("""
with held as (
  select p.run_id from pushes p
  where p.store_id = :store and p.entity = :entity and p.run_id <> :run
    and p.record_id = any(:records)
  order by p.id for update)
update run_pushes r set passed_on = r.passed_on + x.rows
from (select run_id, count(*) as rows from held group by run_id) x
where r.run_id = x.run_id and r.entity = :entity
""")

_ENQUEUE = text(
    """
insert into pushes (tenant_id, store_id, entity, record_id, run_id)
select :tenant, :store, cast(:entity as varchar), x.id, :run
from unnest(cast(:records as bigint[])) as x(id)
order by x.id
"""
    + DUE_AGAIN
    + ", run_id = excluded.run_id"
)

_SENDABLE: Final = (
    "select meant.id from ({meant}) meant where meant.fits and meant.id > :after"
    " order by meant.id limit :limit"
)
_UNSENDABLE: Final = "select count(*) from ({meant}) meant where not meant.fits"

_NOTE = text("""
insert into run_pushes as r (tenant_id, run_id, entity, queued, skipped, is_forced)
values (:tenant, :run, :entity, :queued, :skipped, :force)
on conflict (tenant_id, run_id, entity) do update set queued = r.queued + excluded.queued
""")

_FORESEEN = text("""
insert into run_pushes as r (tenant_id, run_id, entity, queued, sent, held, skipped, is_forced)
values (:tenant, :run, :entity, :queued, :sent, :held, :skipped, :force)
on conflict (tenant_id, run_id, entity) do update set queued = excluded.queued,
  sent = excluded.sent, held = excluded.held, skipped = excluded.skipped
""")

_COUNT = text("""
select r.entity, r.queued, r.sent, r.held, r.passed_on, r.skipped, p.waiting,
       r.queued - r.sent - r.held - r.passed_on - p.waiting as failed, p.due_at
from run_pushes r
cross join lateral (
  select count(*) as waiting,
         case when count(*) = count(p.next_attempt_at) then min(p.next_attempt_at) end as due_at
  from pushes p
  where p.run_id = r.run_id and p.entity = r.entity and p.status = 'pending') p
where r.run_id = :run and (cast(:entity as text) is null or r.entity = :entity)
""")

_LANE = text("""
select case when not s.is_active or s.deleted_at is not null
         then 'The store is not active: nothing is sent until it is activated again.'
         else l.paused_reason end as paused,
       l.next_attempt_at
from stores s
left join lanes l on l.tenant_id = s.tenant_id and l.kind = 'push' and l.key = s.id
where s.id = :store
""")


async def enqueue(
    database: Database, tenant_id: int, store_id: int, run_id: int, demanded: Demanded
) -> None:
    """Make what is meant due under this run, and remember how much that is; once, however often.

    It is done a part at a time, and goes on where a call before was killed. A row that another run
    asked for goes over to this one, and is counted there as passed on. The store's push lane wants
    waking then.
    """
    key = RangeKey(tenant_id, run_id, demanded.entity, _PIECE)
    async with database.tenant(tenant_id) as connection:
        skipped = await count_skipped(connection, store_id, demanded)

    async def work(connection: AsyncConnection) -> bool:
        await connection.execute(_ONE_AT_A_TIME, {"store": store_id})
        state = await load_range(connection, key)
        if state.is_done:
            return True
        last, queued = map(int, json.loads(state.resume or "[0, 0]"))
        size = _MOST_AT_ONCE
        if demanded.limit is not None:
            size = min(size, demanded.limit - queued)
        ids = await list_meant(connection, store_id, demanded, after=last, limit=size)
        params = {**_params(tenant_id, store_id, run_id, demanded), "records": list(ids)}
        await connection.execute(_TAKE_OVER, params)
        await connection.execute(_ENQUEUE, params)
        await connection.execute(_NOTE, {**params, "queued": len(ids), "skipped": skipped})
        resume = json.dumps([ids[-1] if ids else last, queued + len(ids)])
        is_done = len(ids) < _MOST_AT_ONCE
        await advance_range(connection, key, resume=resume, is_done=is_done, step=RangeCounts())
        return is_done

    while not await database.transact(tenant_id, work):
        pass


async def note_foreseen(
    connection: AsyncConnection,
    tenant_id: int,
    run_id: int,
    demanded: Demanded,
    progress: PushProgress,
) -> None:
    """Remember what a dry run counts so far: what is neither sent nor held would fail."""
    params = {"tenant": tenant_id, "run": run_id, "entity": demanded.entity.value}
    counts = {name: getattr(progress, name) for name in ("queued", "sent", "held", "skipped")}
    await connection.execute(_FORESEEN, {**params, **counts, "force": demanded.force})


async def count(
    connection: AsyncConnection, store_id: int, run_id: int, entity: Entity
) -> PushProgress:
    """What became of the run's pushes so far. Nothing was asked for: all zero."""
    found = await connection.execute(_COUNT, {"run": run_id, "entity": entity.value})
    row = found.mappings().one_or_none()
    if row is None:
        return PushProgress()
    progress = _progress(row)
    if not progress.waiting:
        return progress
    lane = (await connection.execute(_LANE, {"store": store_id})).one()
    moments = [one for one in (progress.due_at, lane.next_attempt_at) if one is not None]
    return replace(progress, paused=lane.paused, due_at=max(moments, default=None))


async def count_all(connection: AsyncConnection, run_id: int) -> Mapping[str, PushProgress]:
    """What became of a run's pushes, by entity; those it has none of are left out."""
    rows = await connection.execute(_COUNT, {"run": run_id, "entity": None})
    return {row["entity"]: _progress(row) for row in rows.mappings()}


async def list_meant(
    connection: AsyncConnection, store_id: int, demanded: Demanded, *, after: int, limit: int
) -> Sequence[int]:
    """The ids of what would be made due, in their order, above `after`. Nothing is written."""
    statement = _SENDABLE.replace("{meant}", _meant(demanded.entity))
    params = {**_params(0, store_id, 0, demanded), "after": after, "limit": limit}
    return [row.id for row in await connection.execute(text(statement), params)]


async def count_skipped(connection: AsyncConnection, store_id: int, demanded: Demanded) -> int:
    """How much of what is meant is none of the records the store can have."""
    statement = _UNSENDABLE.replace("{meant}", _meant(demanded.entity))
    left = await connection.execute(text(statement), _params(0, store_id, 0, demanded))
    return int(left.scalar_one())


def _progress(row: RowMapping) -> PushProgress:
    return PushProgress(**{name: value for name, value in row.items() if name != "entity"})


def _meant(entity: Entity) -> str:
    meant = _MEANT[entity].replace("{records}", _RECORDS).replace("{since}", _SINCE)
    return meant.replace("{lacking}", _LACKING)


def _params(tenant_id: int, store_id: int, run_id: int, demanded: Demanded) -> dict[str, Any]:
    is_named = bool(demanded.record_ids)
    if not (is_named or demanded.all_records or demanded.modified_since):
        raise InvalidRecordError("a demand names records, a time, or all of them")
    return {
        "tenant": tenant_id,
        "store": store_id,
        "run": run_id,
        "entity": demanded.entity.value,
        "ids": sorted(set(demanded.record_ids)) if is_named else None,
        "since": None if is_named else demanded.modified_since,
        "force": demanded.force,
        "limit": demanded.limit,
        "lacking": demanded.limit is not None and not is_named and not demanded.force,
    }
