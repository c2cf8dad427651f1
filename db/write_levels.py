"""The statements that write what a store says it has in stock; movements explain every level."""

from collections.abc import Iterable

from db.staging import Statements
from domain.pages import Pulled
from domain.records import Record

_LEVELS = """
with said as (
  select l.record_id as variant_id, x.available
  from unnest(%(level_keys)s::text[], %(available)s::text[]::numeric[]) as x(key, available)
  cross join lateral (
    select k.record_id from links k
    where k.tenant_id = %(tenant)s and k.store_id = %(store)s and k.entity = 'variants'
      and k.external_id = x.key and k.deleted_at is null limit 1) l),
place as (
  select id from warehouses where tenant_id = %(tenant)s and is_default),
moved as (
  insert into inventory_movements
    (tenant_id, variant_id, warehouse_id, kind, quantity, balance, store_id)
  select %(tenant)s, said.variant_id, place.id,
         case when held.variant_id is null then 'opening' else 'correction' end,
         said.available - coalesce(held.on_hand, 0), said.available, %(store)s
  from said cross join place
  left join lateral (
    select h.variant_id, h.on_hand from inventory_levels h
    where h.tenant_id = %(tenant)s and h.variant_id = said.variant_id
      and h.warehouse_id = place.id limit 1) held on true
  where held.variant_id is null or held.on_hand <> said.available
  returning variant_id, warehouse_id, balance),
levelled as (
  insert into inventory_levels (tenant_id, variant_id, warehouse_id, on_hand)
  select %(tenant)s, variant_id, warehouse_id, balance from moved order by variant_id
  on conflict (tenant_id, variant_id, warehouse_id)
  do update set on_hand = excluded.on_hand, updated_at = now()
  returning variant_id)
insert into touched (entity, key, record_id, action)
select 'inventory', null, variant_id, 'updated' from levelled
"""

# Stock that is no longer counted: the variant is gone, or the shop stopped tracking it.
_WITHDRAW = """
with gone as (
  delete from inventory_levels v
  using touched t
  cross join lateral (
    select h.ctid as place from product_variants p
    cross join lateral (
      select i.ctid from inventory_levels i
      where i.tenant_id = %(tenant)s and i.variant_id = p.id offset 0) h
    where p.product_id = t.record_id and p.tenant_id = %(tenant)s
      and (p.deleted_at is not null or not p.tracks_stock) offset 0) held
  where t.entity = 'products' and t.action <> 'created' and v.ctid = held.place
  returning v.variant_id, v.warehouse_id, v.on_hand),
moved as (
  insert into inventory_movements
    (tenant_id, variant_id, warehouse_id, kind, quantity, balance, store_id)
  select %(tenant)s, variant_id, warehouse_id, 'withdrawal', -on_hand, 0, %(store)s from gone
  returning variant_id)
insert into touched (entity, key, record_id, action)
select 'inventory', null, variant_id, 'deleted' from moved
"""

WITHDRAW_LEVELS = (_WITHDRAW,)
"""Take out the stock of variants that are gone or no longer tracked."""


def add_levels(statements: Statements, pulled: Iterable[Pulled[Record]]) -> bool:
    """Bring the default warehouse to what the store says. False when it says nothing of stock."""
    levels = {level.variant_external_id: level for one in pulled for level in one.levels}
    if not levels:
        return False
    statements.add(
        _LEVELS,
        level_keys=list(levels),
        available=[str(level.available) for level in levels.values()],
    )
    return True
