"""What follows from a change, in its transaction: who has to be told, and the public feed.

Everything reads `touched`, which says what the transaction did to which record. Who writes records
fills it, then runs `FOLLOW`, the last of whose statements takes the tenant's counter (`PUBLISH`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from psycopg import AsyncConnection as Driver
from sqlalchemy.ext.asyncio import AsyncConnection

from db.due_again import DUE_AGAIN
from db.staging import PUBLISH
from domain.entities import Entity

MARK_DIFFERING: Final = """
update links l set differs = true
from touched t
where l.record_id = t.record_id and l.entity = t.entity and l.tenant_id = %(tenant)s
  and l.store_id is distinct from %(store)s::bigint and not l.differs
  and t.entity in ('categories', 'products', 'customers', 'orders')
"""
"""The other stores' links: what those stores say next has to be merged with what is here now."""

FAN_OUT: Final = (
    """
with told as (
insert into pushes (tenant_id, store_id, entity, record_id, next_attempt_at)
select %(tenant)s, s.id, t.entity, t.record_id,
       case when exists (
         select from links k where k.tenant_id = %(tenant)s and k.store_id = %(store)s::bigint
           and k.entity = t.entity and k.record_id = t.record_id and k.bounces >= 5)
       then now() + interval '10 minutes' end
from (select distinct entity, record_id from touched
      where entity in ('categories', 'products', 'customers', 'inventory')
         or (entity = 'orders' and action = 'updated')) t
join stores s on s.tenant_id = %(tenant)s and s.deleted_at is null
  and s.id is distinct from %(store)s::bigint
where s.settings -> 'syncDirections' ->>
        (case t.entity when 'orders' then 'orderStatus' else t.entity end) in ('push', 'both')
  and (not %(bulk)s or s.settings ->> 'pushImported' = 'true')
  and (t.entity <> 'orders' or exists (
    select from orders o where o.tenant_id = %(tenant)s and o.id = t.record_id
      and o.store_id = s.id))
  and (t.entity <> 'inventory' or exists (
    select from links l where l.tenant_id = %(tenant)s and l.record_id = t.record_id
      and l.entity = 'variants' and l.store_id = s.id and l.deleted_at is null))
order by s.id, t.entity, t.record_id
"""  # noqa: S608 - constants
    + DUE_AGAIN
    + """
returning store_id)
select distinct store_id from told
union
select %(store)s::bigint where exists (
  select from pushes p where p.tenant_id = %(tenant)s and p.store_id = %(store)s::bigint
    and p.entity = 'inventory' and p.status = 'pending' and p.next_attempt_at is null)
"""
)
"""Who has something to be sent now: the store itself too, where its stock has to be put right.
Latest state once: a record that is due already stays one row, at a higher version. Inactive stores
collect rows too, and get them when they are active again. An order's status goes to the order's own
store alone. What a store keeps changing back is sent on ten minutes later (`bounces`): a loop of
two stores is slowed down, and nothing is lost."""

FOLLOW: Final = (MARK_DIFFERING, FAN_OUT, PUBLISH)
"""In this order. Parameters: tenant, store (None: changed in the hub), bulk."""


_HAS_OWN: Final = """
update tenant_counters set has_own_records = true
where tenant_id = %(tenant)s and not has_own_records
"""


@dataclass(frozen=True, slots=True)
class Touch:
    """What was done to a record: `action` is `created`, `updated` or `deleted`."""

    entity: Entity
    record_id: int
    action: str


async def publish(
    connection: AsyncConnection,
    tenant_id: int,
    touches: Sequence[Touch],
    *,
    store_id: int | None = None,
) -> frozenset[int]:
    """Tell of changes made by statements of one's own. The caller commits, and does nothing else.

    Returns:
        The stores that have something to be pushed now: their push lanes want waking.
    """
    raw = await connection.get_raw_connection()
    driver = cast("Driver[Any]", raw.driver_connection)
    params = {"tenant": tenant_id, "store": store_id, "bulk": False}
    async with driver.cursor() as cursor:
        await cursor.executemany(
            "insert into touched (entity, key, record_id, action) values (%s, null, %s, %s)",
            [(one.entity.value, one.record_id, one.action) for one in touches],
        )
    if store_id is None and any(one.action == "created" for one in touches):
        await driver.execute(_HAS_OWN, params)
    await driver.execute(MARK_DIFFERING, params)
    told = await driver.execute(FAN_OUT, params)
    stores = frozenset(row[0] for row in await told.fetchall())
    await driver.execute(PUBLISH, params)
    return stores
