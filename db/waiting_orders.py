"""Oversold orders get what they lack as soon as it is there, before it is sold again."""

from typing import Any, Final, cast

from psycopg import AsyncConnection as Driver
from sqlalchemy.ext.asyncio import AsyncConnection

from db.due_again import DUE_AGAIN
from db.outlets import IS_LOCAL
from db.short_levels import TAKE_BACK
from domain.ledger import EXPLAINED_FOR

SERVE_WAITING: Final = (
    f"""
with short as materialized (
  select r.order_id, r.variant_id, r.warehouse_id, r.quantity - r.reserved as lacking,
         sold_at.warehouse_id as local_id,
         sum(r.quantity - r.reserved)
           over (partition by r.variant_id, sold_at.warehouse_id order by r.order_id) as so_far
  from (select distinct t.record_id from touched t where t.entity = 'inventory') t
  cross join lateral (
    select k.* from reservations k
    where k.variant_id = t.record_id and k.tenant_id = %(tenant)s and k.status = 'held'
      and k.reserved < k.quantity offset 0) r
  cross join lateral (
    select case when {IS_LOCAL} then r.warehouse_id end as warehouse_id
    from orders o
    join stores s on s.tenant_id = o.tenant_id and s.id = o.store_id
    where o.tenant_id = %(tenant)s and o.id = r.order_id offset 0) sold_at),
stocked as materialized (
  select s.*, stock.available, stock.here
  from short s
  cross join lateral (
    select sum(i.on_hand - i.reserved) as available,
           sum(i.on_hand - i.reserved) filter (where i.warehouse_id = s.local_id) as here
    from inventory_levels i
    where i.tenant_id = %(tenant)s and i.variant_id = s.variant_id) stock),
served as materialized (
  select s.* from stocked s where s.local_id is not null and s.so_far <= s.here
  union all
  select s.* from stocked s
  where s.local_id is null and s.so_far <= s.available - coalesce((
    select sum(x.lacking) from stocked x
    where x.variant_id = s.variant_id and x.local_id is not null and x.so_far <= x.here), 0)),
held as (
  update reservations r set reserved = r.quantity, updated_at = now()
  from served s
  where r.tenant_id = %(tenant)s and r.order_id = s.order_id and r.variant_id = s.variant_id),
taken as (
  update inventory_levels i set reserved = i.reserved + x.lacking, updated_at = now()
  from (select variant_id, warehouse_id, sum(lacking) as lacking from served group by 1, 2) x
  where i.tenant_id = %(tenant)s and i.variant_id = x.variant_id
    and i.warehouse_id = x.warehouse_id),
owed as (
  insert into pushes (tenant_id, store_id, entity, record_id)
  select %(tenant)s, b.store_id, 'inventory', b.variant_id
  from (select variant_id, max(available) - sum(lacking) as available from served group by 1) x
  cross join stores s
  cross join store_levels b
  where s.tenant_id = %(tenant)s and s.deleted_at is null
    and s.settings -> 'syncDirections' ->> 'inventory' in ('push', 'both')
    and b.tenant_id = %(tenant)s and b.store_id = s.id and b.variant_id = x.variant_id
    and (b.agreed <> x.available or {IS_LOCAL})
  order by b.store_id, b.variant_id
"""  # noqa: S608 - constants
    + DUE_AGAIN
    + """),
settled as (
  update orders o set oversold = false, updated_at = now()
  from (select distinct order_id from served) s
  where o.tenant_id = %(tenant)s and o.id = s.order_id and not exists (
    select from reservations k
    where k.tenant_id = %(tenant)s and k.order_id = o.id and k.status in ('held', 'consumed')
      and k.reserved < k.quantity
      and not exists (
        select from served x where x.order_id = k.order_id and x.variant_id = k.variant_id))
  returning o.id)
update alerts a set status = 'resolved', resolved_at = now(), updated_at = now()
from settled
where a.tenant_id = %(tenant)s and a.kind = 'oversold' and a.status = 'open'
  and a.subject = 'order/' || settled.id
"""
)
"""The oldest order first, as far as it goes, of the variants whose inventory was touched; after
the levels were written, whose locks keep others from serving the same. Orders of a store that
shows one warehouse alone get what is in theirs. Parameter: tenant."""


async def serve_waiting(connection: AsyncConnection, tenant_id: int) -> None:
    """Reserve what oversold orders lack of the variants this transaction touched; first take back
    what is there no longer."""
    raw = await connection.get_raw_connection()
    driver = cast("Driver[Any]", raw.driver_connection)
    await driver.execute(TAKE_BACK, {"tenant": tenant_id, "explained_for": EXPLAINED_FOR})
    await driver.execute(SERVE_WAITING, {"tenant": tenant_id})
