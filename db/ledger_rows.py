"""The statements that read, lock and write the rows of the ledger."""

from sqlalchemy import text

from db.due_again import DUE_AGAIN

ACCOUNTS = text("""
select b.store_id, b.variant_id, b.agreed, b.unexplained, b.pushing, b.told_at, b.told_version
from store_levels b
where b.tenant_id = :tenant and b.store_id = any(:stores) and b.variant_id = any(:variants)
order by b.variant_id, b.store_id
for update
""")

SHELVES = text("""
select i.variant_id, i.warehouse_id, i.on_hand, i.reserved
from inventory_levels i
where i.tenant_id = :tenant and i.variant_id = any(:variants)
order by i.variant_id, i.warehouse_id
for update
""")

FACTS = text("""
select clock_timestamp(), w.id,
  array(select v.id from product_variants v
        where v.tenant_id = :tenant and v.id = any(:variants) and v.allows_backorder)
from warehouses w where w.tenant_id = :tenant and w.is_default
""")

SAVE_SHELVES = text("""
update inventory_levels i set on_hand = x.on_hand, reserved = x.reserved, updated_at = now()
from unnest(cast(:variants as bigint[]), cast(:warehouses as bigint[]),
            cast(:on_hand as numeric[]), cast(:reserved as numeric[]))
  as x(variant_id, warehouse_id, on_hand, reserved)
where i.tenant_id = :tenant and i.variant_id = x.variant_id and i.warehouse_id = x.warehouse_id
""")

SAVE_ACCOUNTS = text("""
insert into store_levels
  (tenant_id, store_id, variant_id, agreed, unexplained, pushing, told_at, told_version)
select :tenant, x.store_id, x.variant_id, x.agreed, x.unexplained, x.pushing, x.told_at,
       x.told_version
from unnest(cast(:stores as bigint[]), cast(:variants as bigint[]), cast(:agreed as numeric[]),
            cast(:unexplained as numeric[]), cast(:pushing as numeric[]),
            cast(:told_at as timestamptz[]), cast(:told_versions as timestamptz[]))
  as x(store_id, variant_id, agreed, unexplained, pushing, told_at, told_version)
order by x.variant_id, x.store_id
on conflict (tenant_id, store_id, variant_id) do update
  set agreed = excluded.agreed, unexplained = excluded.unexplained, pushing = excluded.pushing,
      told_at = excluded.told_at, told_version = excluded.told_version, updated_at = now()
""")

SAVE_MOVEMENTS = text("""
insert into inventory_movements
  (tenant_id, variant_id, warehouse_id, kind, quantity, balance, store_id, order_id)
values (:tenant, :variant, :warehouse, :kind, :quantity, :balance, :store, :order)
""")

TOUCH = text("""
insert into touched (entity, key, record_id, action)
select 'inventory', null, x.id, 'updated' from unnest(cast(:variants as bigint[])) as x(id)
""")

OWE = text(
    """
insert into pushes (tenant_id, store_id, entity, record_id)
select :tenant, x.store_id, 'inventory', x.variant_id
from unnest(cast(:stores as bigint[]), cast(:variants as bigint[])) as x(store_id, variant_id)
order by x.store_id, x.variant_id
"""
    + DUE_AGAIN
)
