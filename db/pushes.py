"""The outbox: what stores have still to be told, one row per record, always of its latest state.

A row is claimed with its version and settled at that version: a record that changes while it is in
flight raises the version, and its row stays due. Moments are handed in; SQL's clock decides
nothing here.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.due_again import DUE_AGAIN
from domain.entities import Entity
from domain.sync_settings import PUSHED

PENDING: Final = "pending"
FAILED: Final = "failed"
UNSUPPORTED: Final = "unsupported"

STATUSES: Final = (PENDING, FAILED, UNSUPPORTED)
"""`failed` waits for a person. `unsupported` is what the store cannot be told at all: it is not
tried again until the record changes, and is never counted as success."""

_LONGEST_ERROR: Final = 2_000


@dataclass(frozen=True, slots=True)
class Push:
    """A row that is due, as it was when it was claimed.

    Attributes:
        creating_since: when a create was sent whose outcome nobody knows yet.
        run_id: the run of a person who asked for it.
        is_forced: whether they said that the hub wins, whatever the store has.
    """

    id: int
    entity: Entity
    record_id: int
    version: int
    attempts: int = 0
    creating_since: datetime | None = None
    run_id: int | None = None
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class Setback:
    """What becomes of a row whose record the store did not take.

    `next_attempt_at` None with status `pending`: at once.
    """

    push: Push
    status: str
    error: str
    attempts: int
    next_attempt_at: datetime | None = None


_FIRST_ENTITY = text("""
select e.entity
from unnest(cast(:entities as text[])) with ordinality as e(entity, place)
where exists (
  select from pushes p
  where p.store_id = :store and p.entity = e.entity and p.status = 'pending'
    and (p.next_attempt_at is null or p.next_attempt_at <= :now))
order by e.place limit 1
""")

_IS_FORCED: Final = """coalesce((
    select r.is_forced from run_pushes r
    where r.tenant_id = p.tenant_id and r.run_id = p.run_id and r.entity = p.entity), false)"""

_CLAIM = text(f"""
select p.id, p.record_id, p.version, p.attempts, p.creating_since, p.run_id,
       {_IS_FORCED} as is_forced
from pushes p
where p.store_id = :store and p.entity = :entity and p.status = 'pending'
  and (p.next_attempt_at is null or p.next_attempt_at <= :now)
  and (not :unasked or p.run_id is null)
order by p.id limit :limit
""")  # noqa: S608 - constants

# A category waits for its parent's row, so that it can be put below it. The first rows of the
# order decide: a circle of parents, which nothing should make, is not waited for.
_CLAIM_CATEGORIES = text(f"""
with due as (
  select p.id, p.record_id, p.version, p.attempts, p.creating_since, p.run_id,
         {_IS_FORCED} as is_forced, exists (
           select from categories c
           join pushes q on q.tenant_id = c.tenant_id and q.record_id = c.parent_id
             and q.entity = 'categories' and q.store_id = p.store_id and q.status = 'pending'
             and (q.next_attempt_at is null or q.next_attempt_at <= :now)
           where c.tenant_id = p.tenant_id and c.id = p.record_id) as waits
  from pushes p
  where p.store_id = :store and p.entity = :entity and p.status = 'pending'
    and (p.next_attempt_at is null or p.next_attempt_at <= :now)
    and (not :unasked or p.run_id is null)
  order by waits, p.id limit :limit)
select id, record_id, version, attempts, creating_since, run_id, is_forced from due
where waits = (select bool_and(waits) from due)
order by id
""")  # noqa: S608 - constants

_SETTLE = text("""
with given as (
  select * from unnest(cast(:ids as bigint[]), cast(:versions as bigint[]),
                       cast(:held as boolean[])) as x(id, version, is_held)),
settled as (
  delete from pushes p using given
  where p.id = given.id and p.version = given.version and p.store_id = :store
  returning p.run_id, p.entity, given.is_held),
counted as (
  update run_pushes r set sent = r.sent + x.rows - x.held, held = r.held + x.held
  from (select run_id, entity, count(*) as rows, count(*) filter (where is_held) as held
        from settled where run_id is not null
        group by run_id, entity) x
  where r.run_id = x.run_id and r.entity = x.entity)
update pushes p set creating_since = null
from given
where p.id = given.id and p.store_id = :store and p.creating_since is not null
  and p.version <> given.version
""")

_SET_BACK = text("""
update pushes p
set status = case when p.version = x.version then x.status else p.status end,
    attempts = case when p.version = x.version then x.attempts else p.attempts end,
    next_attempt_at = case when p.version = x.version then x.next_at else p.next_attempt_at end,
    last_error = case when p.version = x.version then x.error else p.last_error end,
    creating_since = null, updated_at = now()
from unnest(cast(:ids as bigint[]), cast(:versions as bigint[]), cast(:statuses as text[]),
            cast(:attempts as int[]), cast(:next as timestamptz[]), cast(:errors as text[]))
  as x(id, version, status, attempts, next_at, error)
where p.id = x.id and p.store_id = :store
""")

_DEFER = text("""
update pushes p set next_attempt_at = x.until
from unnest(cast(:ids as bigint[]), cast(:until as timestamptz[])) as x(id, until)
where p.id = x.id and p.store_id = :store
""")

_MARK = text("""
update pushes set creating_since = cast(:at as timestamptz)
where store_id = :store and id = any(:ids)
""")

_CHILDREN = text(
    """
insert into pushes (tenant_id, store_id, entity, record_id)
select l.tenant_id, l.store_id, l.entity, l.record_id
from (
  select 'categories' as entity, c.id from categories c
  where c.parent_id = any(:ids) and c.deleted_at is null
  union all
  select 'products', p.id from products p
  where p.category_ids && cast(:ids as bigint[]) and p.deleted_at is null) lower
join links l on l.entity = lower.entity and l.record_id = lower.id and l.store_id = :store
  and l.deleted_at is null
order by l.entity, l.record_id
"""  # noqa: S608 - constants
    + DUE_AGAIN
)


_STOCK = text(
    """
insert into pushes (tenant_id, store_id, entity, record_id)
select distinct v.tenant_id, :store, 'inventory', v.id
from product_variants v
where v.product_id = any(:ids) and v.deleted_at is null
  and exists (select from inventory_levels i where i.variant_id = v.id)
  and exists (select from links l where l.record_id = v.id and l.entity = 'variants'
    and l.store_id = :store and l.deleted_at is null)
order by v.id
"""  # noqa: S608 - constants
    + DUE_AGAIN
)


async def first_due(connection: AsyncConnection, store_id: int, *, now: datetime) -> Entity | None:
    """Which entity is to be pushed next: what others refer to comes first. None: nothing is due."""
    found = await connection.execute(
        _FIRST_ENTITY,
        {"store": store_id, "now": now, "entities": [entity.value for entity in PUSHED]},
    )
    name = found.scalar_one_or_none()
    return None if name is None else Entity(name)


async def claim_due(
    connection: AsyncConnection,
    store_id: int,
    entity: Entity,
    *,
    now: datetime,
    limit: int,
    unasked: bool = False,
) -> Sequence[Push]:
    """The next rows of an entity that are due, parents before their children.

    Args:
        unasked: only those that follow from a change, and that no person asked for.
    """
    statement = _CLAIM_CATEGORIES if entity is Entity.CATEGORIES else _CLAIM
    rows = await connection.execute(
        statement,
        {
            "store": store_id,
            "entity": entity.value,
            "now": now,
            "limit": limit,
            "unasked": unasked,
        },
    )
    return [Push(entity=entity, **row) for row in rows.mappings()]


async def settle(
    connection: AsyncConnection,
    store_id: int,
    pushes: Iterable[Push],
    *,
    held: Collection[int] = (),
) -> None:
    """The store has what was claimed. A row that changed since stays due, with its doubt gone.

    Args:
        held: ids of rows of which at least a field waits for a person: the store has the rest.
    """
    done = list(pushes)
    if done:
        are_held = [one.id in held for one in done]
        params = {"store": store_id, **_claimed(done), "held": are_held}
        await connection.execute(_SETTLE, params)


async def set_back(connection: AsyncConnection, store_id: int, setbacks: Sequence[Setback]) -> None:
    """The store answered, and it was no. A row that changed since is due for its new content."""
    if not setbacks:
        return
    await connection.execute(
        _SET_BACK,
        {
            "store": store_id,
            **_claimed([one.push for one in setbacks]),
            "statuses": [one.status for one in setbacks],
            "attempts": [one.attempts for one in setbacks],
            "next": [one.next_attempt_at for one in setbacks],
            "errors": [one.error[:_LONGEST_ERROR] for one in setbacks],
        },
    )


async def defer(
    connection: AsyncConnection, store_id: int, until: Iterable[tuple[Push, datetime]]
) -> None:
    """Leave rows alone until then; no attempt is spent."""
    held = list(until)
    if held:
        ids, moments = [push.id for push, _ in held], [moment for _, moment in held]
        await connection.execute(_DEFER, {"store": store_id, "ids": ids, "until": moments})


async def mark_creating(
    connection: AsyncConnection, store_id: int, pushes: Iterable[Push], at: datetime | None
) -> None:
    """Remember, before it is sent, that a create is under way; None: it was not sent after all."""
    ids = [push.id for push in pushes]
    await connection.execute(_MARK, {"store": store_id, "ids": ids, "at": at})


async def enqueue_children(
    connection: AsyncConnection, store_id: int, category_ids: Sequence[int]
) -> None:
    """Categories are in the store now: what was sent before without them has to be told."""
    if category_ids:
        await connection.execute(_CHILDREN, {"store": store_id, "ids": list(category_ids)})


async def enqueue_stock(
    connection: AsyncConnection, store_id: int, product_ids: Sequence[int]
) -> None:
    """Products are in the store now: how many there are of their variants has to be told."""
    if product_ids:
        await connection.execute(_STOCK, {"store": store_id, "ids": list(product_ids)})


def _claimed(pushes: Sequence[Push]) -> dict[str, Any]:
    return {"ids": [one.id for one in pushes], "versions": [one.version for one in pushes]}
