"""The statements that write what a store says it has in stock; movements explain every level."""

from collections.abc import Iterable
from datetime import datetime

from db.due_again import DUE_AGAIN
from db.outlets import IS_LOCAL, WAREHOUSE_OF
from db.short_levels import LOCK_SHORT, TAKE_BACK
from db.staging import Origin, Statements
from db.waiting_orders import SERVE_WAITING
from domain.ledger import EXPLAINED_FOR
from domain.pages import Pulled
from domain.records import Record

# A row whose number or date moved is locked before it is compared, so that two who tell the same
# number do not both count what it moved by. What is as it was locks nothing. What inserts nothing
# here makes it a statement without an answer, as those of a batch are.
_LOCK = """
with said as materialized (
  select l.record_id as variant_id, x.told, x.version
  from unnest(%(level_keys)s::text[], %(available)s::text[]::numeric[],
              %(versions)s::timestamptz[]) as x(key, told, version)
  cross join lateral (
    select k.record_id from links k
    where k.tenant_id = %(tenant)s and k.store_id = %(store)s and k.entity = 'variants'
      and k.external_id = x.key and k.deleted_at is null limit 1) l
  order by l.record_id),
locked as (
  select held.variant_id
  from said
  cross join lateral (
    select b.variant_id from store_levels b
    where b.tenant_id = %(tenant)s and b.store_id = %(store)s
      and b.variant_id = said.variant_id
      and (b.agreed <> said.told
           or b.told_version is distinct from coalesce(said.version, b.told_version)) limit 1
    for update) held)
insert into touched (entity, key, record_id, action)
select 'inventory', null, variant_id, 'updated' from locked where variant_id < 0
"""

# `domain.ledger.hear`, for a page at once. The first number of a store opens the level where there
# is none; where there is one already, the hub's stands and the store is corrected. So it is where
# the hub had less than nothing: the store was told 0, and its next number is not the hub's either.
# A number that is older than the last one, by the store's own clock, is history and says nothing;
# but not where what was read counts, as in `domain.reconcile.decide`. One that is no news leaves
# its date, so that what was told before it is known as history.
# Movements are paired by grouping: joins are loops here, and two large sides would be looped over
# each other.
_LEVELS = (
    f"""
with place as materialized (
  select {WAREHOUSE_OF} as warehouse_id, {IS_LOCAL} as is_local,
         coalesce(s.settings -> 'syncDirections' ->> 'inventory', 'pull') as direction
  from stores s
  where s.tenant_id = %(tenant)s and s.id = %(store)s),
said as materialized (
  select distinct on (l.record_id) l.record_id as variant_id, x.told, x.version
  from unnest(%(level_keys)s::text[], %(available)s::text[]::numeric[],
              %(versions)s::timestamptz[]) as x(key, told, version)
  cross join lateral (
    select k.record_id from links k
    where k.tenant_id = %(tenant)s and k.store_id = %(store)s and k.entity = 'variants'
      and k.external_id = x.key and k.deleted_at is null limit 1) l
  order by l.record_id),
current as materialized (
  select said.*, place.*, known.agreed, known.pushing, known.told_version
  from place
  cross join said
  left join lateral (
    select b.agreed, b.pushing, b.told_version, b.updated_at from store_levels b
    where b.tenant_id = %(tenant)s and b.store_id = %(store)s
      and b.variant_id = said.variant_id limit 1) known on true
  where place.direction <> 'off'
    and (coalesce(said.version >= known.told_version, true)
         or known.updated_at < %(counts_over)s::timestamptz)),
news as materialized (
  select current.*, agreed is null as is_first,
         coalesce(abs(told - pushing) <= abs(told - agreed), false) as has_landed
  from current where agreed is distinct from told),
moves as materialized (
  select news.*, stock.available,
         told - case when has_landed then pushing else agreed end as quantity
  from news
  cross join lateral (
    select case when news.is_local and news.direction = 'push' and h.levels > 0
                then coalesce(h.available, 0) else h.available end as available
    from (
      select count(*) as levels, sum(i.on_hand - i.reserved) filter (
               where not news.is_local or i.warehouse_id = news.warehouse_id) as available
      from inventory_levels i
      where i.tenant_id = %(tenant)s and i.variant_id = news.variant_id) h) stock),
met as (
  insert into store_levels (tenant_id, store_id, variant_id, agreed, told_version)
  select %(tenant)s, %(store)s, variant_id, told, version from moves
  where is_first order by variant_id
  on conflict do nothing),
dated as (
  update store_levels b set told_version = c.version, updated_at = now()
  from current c
  cross join lateral (
    select k.ctid as place from store_levels k
    where k.tenant_id = %(tenant)s and k.store_id = %(store)s
      and k.variant_id = c.variant_id limit 1) held
  where c.agreed = c.told and c.version is distinct from c.told_version
    and c.version is not null and b.ctid = held.place),
heard as (
  update store_levels b
  set agreed = m.told, updated_at = now(),
      pushing = case when m.has_landed then null else b.pushing end,
      unexplained = case when m.quantity = 0 or b.told_at > now() - %(explained_for)s
                         then b.unexplained else 0 end + m.quantity,
      told_at = case when m.quantity = 0 then b.told_at else now() end,
      told_version = coalesce(m.version, b.told_version)
  from moves m
  cross join lateral (
    select k.ctid as place from store_levels k
    where k.tenant_id = %(tenant)s and k.store_id = %(store)s
      and k.variant_id = m.variant_id limit 1) held
  where not m.is_first and b.ctid = held.place),
opened as (
  insert into inventory_levels (tenant_id, variant_id, warehouse_id, on_hand)
  select %(tenant)s, variant_id, warehouse_id, told from moves
  where is_first and direction <> 'push' and available is null
  order by variant_id
  on conflict do nothing
  returning variant_id, warehouse_id, 'opening' as kind, on_hand as quantity, on_hand as balance),
shifted as (
  insert into inventory_levels as i (tenant_id, variant_id, warehouse_id, on_hand)
  select %(tenant)s, variant_id, warehouse_id, quantity from moves
  where not is_first and direction <> 'push' and quantity <> 0
  order by variant_id
  on conflict (tenant_id, variant_id, warehouse_id)
  do update set on_hand = i.on_hand + excluded.on_hand, updated_at = now()
  returning variant_id, warehouse_id, on_hand as balance),
moved as (
  insert into inventory_movements
    (tenant_id, variant_id, warehouse_id, kind, quantity, balance, store_id)
  select %(tenant)s, one.*, %(store)s from (
    select * from opened
    union all
    select variant_id, max(warehouse_id), 'correction', max(quantity), max(balance)
    from (select variant_id, warehouse_id, null as quantity, balance from shifted
          union all
          select variant_id, null, quantity, null from moves) both_sides
    group by variant_id having max(balance) is not null
    order by 1) one
  returning variant_id),
owed as (
  insert into pushes (tenant_id, store_id, entity, record_id)
  select %(tenant)s, %(store)s, 'inventory', variant_id from moves
  where direction in ('push', 'both') and available <> told
    and (is_first or has_landed or direction = 'push' or available < 0)
  order by variant_id
"""  # noqa: S608 - constants
    + DUE_AGAIN
    + """)
insert into touched (entity, key, record_id, action)
select 'inventory', null, variant_id, 'updated' from moved
"""
)

# Stock that is no longer counted: the variant is gone, or the shop stopped tracking it. What orders
# held of it is forgotten: the number that opens it anew has their sales in it.
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
forgotten as (
  delete from store_levels b
  using gone
  cross join lateral (
    select k.ctid as place from stores s
    cross join lateral (
      select a.ctid from store_levels a
      where a.tenant_id = %(tenant)s and a.store_id = s.id and a.variant_id = gone.variant_id
      limit 1) k
    where s.tenant_id = %(tenant)s offset 0) held
  where b.ctid = held.place),
freed as (
  update reservations r set reserved = 0, status = 'withdrawn', updated_at = now()
  from gone
  cross join lateral (
    select k.ctid as place from reservations k
    where k.variant_id = gone.variant_id and k.tenant_id = %(tenant)s offset 0) held
  where r.ctid = held.place),
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


def add_levels(
    statements: Statements, pulled: Iterable[Pulled[Record]], origin: Origin | None = None
) -> bool:
    """Count what a store says it has. False when it says nothing of stock.

    Where `origin` forces, an older number counts as well, if nothing was heard since it was read.
    """
    levels = {level.variant_external_id: level for one in pulled for level in one.levels}
    if not levels:
        return False
    counts_over: datetime | str | None = None
    if origin is not None and origin.force:
        counts_over = origin.read_at or "infinity"
    statements.add(
        _LOCK,
        _LEVELS,
        LOCK_SHORT,
        TAKE_BACK,
        SERVE_WAITING,
        explained_for=EXPLAINED_FOR,
        level_keys=list(levels),
        available=[str(level.available) for level in levels.values()],
        versions=[level.version for level in levels.values()],
        counts_over=counts_over,
    )
    return True
