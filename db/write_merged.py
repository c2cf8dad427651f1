"""The statements that write what came of a merge, by the hub's own ids.

Records come as one JSON array of documents in the hub's terms (`docs`). Their rows are locked.
"""

from collections.abc import Mapping
from typing import Final

from db.due_again import DUE_AGAIN
from db.write_levels import WITHDRAW_LEVELS
from domain.entities import Entity

_CATEGORIES: Final = """
update categories c set name = d.name, slug = d.slug, parent_id = d.parent_id,
  description = d.description, position = d.position, extra = d.extra, updated_at = now(),
  deleted_at = null
from jsonb_to_recordset(%(docs)s::jsonb) as d(
  id bigint, name text, slug text, parent_id bigint, description text, position int, extra jsonb)
where c.tenant_id = %(tenant)s and c.id = d.id
"""

_CUSTOMERS: Final = """
update customers c set email = d.email, phone = d.phone, first_name = d.first_name,
  last_name = d.last_name, is_guest = d.is_guest, is_paying = d.is_paying, billing = d.billing,
  shipping = d.shipping, registered_at = d.created_at, extra = d.extra, updated_at = now(),
  deleted_at = null
from jsonb_to_recordset(%(docs)s::jsonb) as d(
  id bigint, email text, phone text, first_name text, last_name text, is_guest boolean,
  is_paying boolean, billing jsonb, shipping jsonb, created_at timestamptz, extra jsonb)
where c.tenant_id = %(tenant)s and c.id = d.id
"""

_ORDERS: Final = """
update orders o set status = d.status, updated_at = now()
from jsonb_to_recordset(%(docs)s::jsonb) as d(id bigint, status text)
where o.tenant_id = %(tenant)s and o.id = d.id and o.status <> d.status
"""

_PRODUCTS: Final = """
update products p set title = d.title, slug = d.slug, status = d.status,
  raw_status = d.raw_status, kind = d.kind, description = d.description,
  short_description = d.short_description, currency = d.currency,
  category_ids = coalesce(d.category_ids, '{}'), tags = coalesce(d.tags, '{}'), images = d.images,
  options = d.options, listed_at = d.created_at, extra = d.extra, updated_at = now(),
  deleted_at = null
from jsonb_to_recordset(%(docs)s::jsonb) as d(
  id bigint, title text, slug text, status text, raw_status text, kind text, description text,
  short_description text, currency text, category_ids bigint[], tags text[], images jsonb,
  options jsonb, created_at timestamptz, extra jsonb)
where p.tenant_id = %(tenant)s and p.id = d.id
"""

_VARIANTS: Final = """
insert into product_variants
  (tenant_id, id, product_id, position, title, sku, barcode, price, compare_at_price, currency,
   option_values, tracks_stock, in_stock, allows_backorder, weight, is_active, extra)
select %(tenant)s, v.id, (d.doc ->> 'id')::bigint, x.place, v.title, v.sku, v.barcode, v.price,
       v.compare_at_price, d.doc ->> 'currency', v.option_values, v.tracks_stock, v.in_stock,
       v.allows_backorder, v.weight, v.is_active, v.extra
from jsonb_array_elements(%(docs)s::jsonb) as d(doc)
cross join lateral jsonb_array_elements(d.doc -> 'variants') with ordinality as x(doc, place)
cross join lateral jsonb_to_record(x.doc) as v(
  id bigint, title text, sku text, barcode text, price numeric, compare_at_price numeric,
  option_values jsonb, tracks_stock boolean, in_stock boolean, allows_backorder boolean,
  weight numeric, is_active boolean, extra jsonb)
order by v.id
on conflict (tenant_id, id) do update set
  product_id = excluded.product_id, position = excluded.position, title = excluded.title,
  sku = excluded.sku, barcode = excluded.barcode, price = excluded.price,
  compare_at_price = excluded.compare_at_price, currency = excluded.currency,
  option_values = excluded.option_values, tracks_stock = excluded.tracks_stock,
  in_stock = excluded.in_stock, allows_backorder = excluded.allows_backorder,
  weight = excluded.weight, is_active = excluded.is_active, extra = excluded.extra,
  updated_at = now(), deleted_at = null
"""

_DROP_VARIANTS: Final = """
with gone as (
  update product_variants v set deleted_at = now(), updated_at = now()
  from jsonb_array_elements(%(docs)s::jsonb) as d(doc)
  where v.tenant_id = %(tenant)s and v.product_id = (d.doc ->> 'id')::bigint
    and v.deleted_at is null and not exists (
      select from jsonb_array_elements(d.doc -> 'variants') as x(doc)
      where (x.doc ->> 'id')::bigint = v.id)
  returning v.id),
unlinked as (
  update links l set deleted_at = now(), updated_at = now()
  from gone
  where l.record_id = gone.id and l.entity = 'variants' and l.tenant_id = %(tenant)s
    and l.store_id = %(store)s and l.deleted_at is null)
insert into touched (entity, key, record_id, action)
select 'variants', null, id, 'deleted' from gone
"""

TOUCH: Final = """
insert into touched (entity, key, record_id, action)
select %(entity)s, null, x.id, 'updated' from unnest(%(changed)s::bigint[]) as x(id)
"""
"""Tell that these records were changed."""

WRITE_MERGED: Final[Mapping[Entity, tuple[str, ...]]] = {
    Entity.CATEGORIES: (_CATEGORIES, TOUCH),
    Entity.PRODUCTS: (_PRODUCTS, _VARIANTS, _DROP_VARIANTS, TOUCH, *WITHDRAW_LEVELS),
    Entity.CUSTOMERS: (_CUSTOMERS, TOUCH),
    Entity.ORDERS: (_ORDERS,),
}
"""Write merged records. An order is written like any other; only its status is put right."""

# A change within two minutes of a push of ours looks like an answer to it, and one push has one
# answer; ten quiet minutes end the suspicion.
RELINK: Final = """
update links l
set base = x.base::jsonb, base_hash = x.digest, version = coalesce(x.version, l.version),
    differs = x.differs, deleted_at = null, updated_at = now(),
    bounces = case when l.updated_at < now() - interval '10 minutes' then 0
                   when x.moved and l.pushed_at > now() - interval '2 minutes' then l.bounces + 1
                   else l.bounces end,
    pushed_at = case when x.moved then null else l.pushed_at end
from unnest(%(keys)s::text[], %(bases)s::text[], %(digests)s::bytea[],
            %(versions)s::timestamptz[], %(differ)s::boolean[], %(moved)s::boolean[])
  as x(key, base, digest, version, differs, moved)
where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = %(entity)s
  and l.external_id = x.key
returning l.record_id, l.bounces
"""
"""Remember what the store said. Returns how often each record bounced."""

LINK_MATCHED: Final = """
insert into links
  (tenant_id, store_id, entity, external_id, record_id, base, base_hash, version, is_home, differs)
select %(tenant)s, %(store)s, %(entity)s, x.key, x.record_id, x.base::jsonb, x.digest, x.version,
       x.is_home, x.differs
from unnest(%(keys)s::text[], %(record_ids)s::bigint[], %(bases)s::text[], %(digests)s::bytea[],
            %(versions)s::timestamptz[], %(differ)s::boolean[], %(homes)s::boolean[])
  as x(key, record_id, base, digest, version, differs, is_home)
order by x.key
on conflict do nothing
returning external_id
"""
"""Link what was matched."""

LINK_KNOWN_VARIANTS: Final = """
insert into links (tenant_id, store_id, entity, external_id, record_id, is_home)
select %(tenant)s, %(store)s, 'variants', x.key, x.id, false
from unnest(%(keys)s::text[], %(ids)s::bigint[]) as x(key, id)
order by x.key
on conflict (tenant_id, store_id, entity, external_id) do update
set record_id = excluded.record_id, deleted_at = null, updated_at = now()
"""

LINK_NEW_VARIANTS: Final = """
insert into links (tenant_id, store_id, entity, external_id, record_id)
select %(tenant)s, %(store)s, 'variants', x.key, nextval('product_variants_id_seq')
from unnest(%(keys)s::text[]) as x(key)
order by x.key
on conflict (tenant_id, store_id, entity, external_id) do update
set deleted_at = null, updated_at = now()
returning external_id, record_id
"""

KEYS: Final = """
select external_id, record_id from links
where tenant_id = %(tenant)s and store_id = %(store)s and entity = 'categories'
  and external_id = any(%(keys)s)
"""
"""The hub's ids of a store's categories."""

OWN_PUSHES: Final = (
    """
insert into pushes (tenant_id, store_id, entity, record_id, next_attempt_at)
select %(tenant)s, %(store)s, %(entity)s, x.id,
       case when x.id = any(%(bouncing)s::bigint[]) then now() + interval '10 minutes' end
from unnest(%(lacking)s::bigint[]) as x(id)
order by x.id
"""
    + DUE_AGAIN
)
"""The store that spoke has to be told as well."""

BUMP_OWN_PUSHES: Final = """
update pushes p set version = p.version + 1, updated_at = now()
from (select distinct entity, record_id from touched) t
where p.tenant_id = %(tenant)s and p.store_id = %(store)s and p.entity = t.entity
  and p.record_id = t.record_id
"""
"""What is on its way to this store was read before the store's own change was taken in: it stays
due, or the store would be left with what it is being sent now."""
