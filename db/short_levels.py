"""Orders give up what they hold and is not there any more, the newest first.

The other way round of `db.waiting_orders`. A level falls short when a store's number moves it below
what orders hold. Usually that number is a sale whose order is still to come, so what the stores'
numbers moved within `EXPLAINED_FOR` and no order has explained is waited for; the rest is taken
back. Whoever lost something is oversold, and first in turn when something comes.
"""

from typing import Any, Final, cast

from psycopg import AsyncConnection as Driver
from sqlalchemy.ext.asyncio import AsyncConnection

from db.due_again import DUE_AGAIN
from db.outlets import IS_LOCAL, WAREHOUSE_OF
from db.oversold import MESSAGE, TITLE
from db.publishing import publish
from domain.ledger import EXPLAINED_FOR

_TOUCHED: Final = (
    "select distinct t.record_id as variant_id from touched t where entity = 'inventory'"
)

_ALL: Final = """
select distinct i.variant_id from inventory_levels i
where i.tenant_id = %(tenant)s and i.on_hand < i.reserved
"""

_SAID_TITLE: Final = TITLE.format(number="' || o.number || '")
_SAID_MESSAGE: Final = MESSAGE.format(
    number="' || o.number || '", variants="' || k.variants || '", order="' || o.id || '"
)

_SHORT: Final = """
select t.variant_id
from (CANDIDATES) t
cross join lateral (
  select from inventory_levels i
  where i.tenant_id = %(tenant)s and i.variant_id = t.variant_id and i.on_hand < i.reserved
  limit 1) low
cross join lateral (
  select from product_variants v
  where v.tenant_id = %(tenant)s and v.id = t.variant_id and not v.allows_backorder limit 1) counted
"""

_LOCK: Final = f"""
with short as materialized ({_SHORT}),
locked as (
  select i.variant_id from inventory_levels i
  where i.tenant_id = %(tenant)s and i.variant_id = any(array(select variant_id from short))
  order by i.variant_id, i.warehouse_id
  for update)
"""  # noqa: S608 - constants

# What the order of a store that shows one warehouse alone (`is_local`) holds has to be there; what
# the others hold may be anywhere, so of them is taken only what all warehouses together lack, from
# the levels that are short. `coming` is what orders have still to explain.
_TAKE_BACK: Final = f"""
with sellers as materialized (
  select s.id, {WAREHOUSE_OF} as warehouse_id, {IS_LOCAL} as is_local,
         s.deleted_at is null and coalesce(
           s.settings -> 'syncDirections' ->> 'inventory', 'pull') in ('pull', 'both') as counts
  from stores s where s.tenant_id = %(tenant)s),
short as materialized ({_SHORT}),
coming as materialized (
  select s.variant_id, seller.warehouse_id, sum(b.quantity) as quantity
  from short s
  cross join sellers seller
  cross join lateral (
    select -k.unexplained as quantity from store_levels k
    where k.tenant_id = %(tenant)s and k.store_id = seller.id and k.variant_id = s.variant_id
      and k.unexplained < 0 and k.told_at > now() - %(explained_for)s limit 1) b
  where seller.counts
  group by 1, 2),
shelves as materialized (
  select s.variant_id, i.warehouse_id, i.on_hand, i.available, coalesce((
    select c.quantity from coming c
    where c.variant_id = s.variant_id and c.warehouse_id = i.warehouse_id), 0) as coming
  from short s
  cross join lateral (
    select k.warehouse_id, k.on_hand, k.on_hand - k.reserved as available
    from inventory_levels k
    where k.tenant_id = %(tenant)s and k.variant_id = s.variant_id offset 0) i),
held as materialized (
  select r.order_id, r.variant_id, r.warehouse_id, r.reserved, seller.is_local
  from short s
  cross join lateral (
    select k.* from reservations k
    where k.variant_id = s.variant_id and k.tenant_id = %(tenant)s and k.status = 'held'
      and k.reserved > 0 offset 0) r
  cross join lateral (
    select o.store_id from orders o
    where o.tenant_id = %(tenant)s and o.id = r.order_id offset 0) sold_at
  join sellers seller on seller.id = sold_at.store_id),
local as materialized (
  select h.order_id, h.variant_id, h.warehouse_id, h.reserved, s.on_hand,
         case when h.is_local then least(h.reserved, greatest(0, sum(h.reserved) over (
           partition by h.variant_id, h.warehouse_id, h.is_local order by h.order_id)
           - s.on_hand - s.coming)) else 0 end as lost
  from held h
  join shelves s on s.variant_id = h.variant_id and s.warehouse_id = h.warehouse_id),
left_over as materialized (
  select l.*, least(l.reserved - l.lost, greatest(0, sum(l.reserved - l.lost) over (
    partition by l.variant_id, l.warehouse_id order by l.order_id) - l.on_hand)) as beyond
  from local l),
lacking as materialized (
  select s.variant_id, -sum(s.available)
    - coalesce((select sum(l.lost) from local l where l.variant_id = s.variant_id), 0)
    - coalesce((select sum(c.quantity) from coming c where c.variant_id = s.variant_id), 0)
    as quantity
  from shelves s group by s.variant_id),
lost as materialized (
  select * from (
    select l.order_id, l.variant_id, l.warehouse_id,
           l.lost + least(l.beyond, greatest(0, x.quantity - sum(l.beyond) over (
             partition by l.variant_id order by l.order_id desc) + l.beyond)) as quantity
    from left_over l
    join lacking x on x.variant_id = l.variant_id) one
  where quantity > 0),
freed as (
  update reservations r set reserved = r.reserved - l.quantity, updated_at = now()
  from lost l
  where r.tenant_id = %(tenant)s and r.order_id = l.order_id and r.variant_id = l.variant_id),
lowered as (
  update inventory_levels i set reserved = i.reserved - x.quantity, updated_at = now()
  from (select variant_id, warehouse_id, sum(quantity) as quantity from lost group by 1, 2) x
  where i.tenant_id = %(tenant)s and i.variant_id = x.variant_id
    and i.warehouse_id = x.warehouse_id),
noted as (
  insert into touched (entity, key, record_id, action)
  select 'inventory', null, x.variant_id, 'updated'
  from (select distinct variant_id from lost) x
  where not exists (
    select from touched t where t.entity = 'inventory' and t.record_id = x.variant_id)),
owed as (
  insert into pushes (tenant_id, store_id, entity, record_id)
  select %(tenant)s, b.store_id, 'inventory', b.variant_id
  from (
    select l.variant_id, sum(l.quantity) + (
      select sum(s.available) from shelves s where s.variant_id = l.variant_id) as available
    from lost l group by 1) x
  cross join stores s
  cross join store_levels b
  where s.tenant_id = %(tenant)s and s.deleted_at is null
    and s.settings -> 'syncDirections' ->> 'inventory' in ('push', 'both')
    and b.tenant_id = %(tenant)s and b.store_id = s.id and b.variant_id = x.variant_id
    and (b.agreed <> greatest(x.available, 0) or {IS_LOCAL})
  order by b.store_id, b.variant_id
{DUE_AGAIN}),
flagged as (
  update orders o set oversold = true, updated_at = now()
  from (select distinct order_id from lost) l
  where o.tenant_id = %(tenant)s and o.id = l.order_id
  returning o.id, o.store_id, o.number),
raised as (
  insert into alerts (tenant_id, store_id, kind, subject, event, title, message, details)
  select %(tenant)s, o.store_id, 'oversold', 'order/' || o.id, 'alert.raised',
         left('{_SAID_TITLE}', 2000), left('{_SAID_MESSAGE}', 2000),
         jsonb_build_object('orderId', o.id, 'lacking', k.lacking)
  from flagged o
  cross join lateral (
    select count(*) as variants, jsonb_object_agg(r.variant_id, r.lacking::text) as lacking
    from (
      select k.variant_id, k.quantity - k.reserved + coalesce((
        select sum(l.quantity) from lost l
        where l.order_id = k.order_id and l.variant_id = k.variant_id), 0) as lacking
      from reservations k
      where k.tenant_id = %(tenant)s and k.order_id = o.id and k.status in ('held', 'consumed')) r
    where r.lacking > 0) k
  order by o.id
  on conflict (tenant_id, kind, subject) where status = 'open' do update
    set count = alerts.count + 1, message = excluded.message, details = excluded.details,
        updated_at = now()
  returning id, count)
insert into alert_messages (tenant_id, alert_id, channel_id)
select %(tenant)s, r.id, c.id
from raised r
cross join lateral (
  select null::bigint as id
  union all
  select a.id from alert_channels a where a.tenant_id = %(tenant)s and a.is_active) c
where r.count = 1
"""  # noqa: S608 - constants

LOCK_SHORT: Final = (
    _LOCK.replace("CANDIDATES", _TOUCHED)
    + """
insert into touched (entity, key, record_id, action)
select 'inventory', null, variant_id, 'updated' from locked where variant_id < 0
"""
)
"""Lock every level of the touched variants that are short, for whoever wrote one of them alone.
Inserts nothing: a statement without an answer. Parameter: tenant."""

TAKE_BACK: Final = _TAKE_BACK.replace("CANDIDATES", _TOUCHED)
"""For the variants whose inventory was touched, after their levels were written and locked, and
before `SERVE_WAITING`: it leaves nothing to be served to those it took from. Once done, it finds
nothing to do. Parameters: tenant, explained_for."""

_LOCK_ALL: Final = _LOCK.replace("CANDIDATES", _ALL) + "select count(*) from locked"  # noqa: S608 - constants
_TAKE_BACK_ALL: Final = _TAKE_BACK.replace("CANDIDATES", _ALL)


async def take_back_overdue(connection: AsyncConnection, tenant_id: int) -> frozenset[int]:
    """Take back what no order has explained in time, which happens without anything moving.

    Returns:
        The stores that have something to be pushed now: their push lanes want waking.
    """
    raw = await connection.get_raw_connection()
    driver = cast("Driver[Any]", raw.driver_connection)
    params = {"tenant": tenant_id, "explained_for": EXPLAINED_FOR}
    locked = await (await driver.execute(_LOCK_ALL, params)).fetchone()
    if locked is None or not locked[0]:
        return frozenset()
    await driver.execute(_TAKE_BACK_ALL, params)
    return await publish(connection, tenant_id, ())
