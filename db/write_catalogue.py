"""The statements that write categories and products with their variants from a staged batch."""

from db.staging import drop_touched

# Every look-up in `links` is a lateral subquery with a limit: the planner cannot turn it round into
# a scan of a tenant's links, whatever its statistics were when the plan was made.

_CATEGORIES = """
insert into categories (tenant_id, id, name, slug, parent_id, description, position, extra)
select %(tenant)s, t.record_id, b.name, coalesce(b.slug, ''), parent.record_id,
       coalesce(b.description, ''), coalesce(b.position, 0), coalesce(b.extra, '{}')
from stage s
cross join lateral (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'categories'
    and l.external_id = s.key limit 1) t
cross join lateral jsonb_to_record(s.base) as b(
  name text, slug text, parent_external_id text, description text, position int, extra jsonb)
left join lateral (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'categories'
    and l.external_id = b.parent_external_id limit 1) parent on true
on conflict (tenant_id, id) do update set
  name = excluded.name, slug = excluded.slug, parent_id = excluded.parent_id,
  description = excluded.description, position = excluded.position, extra = excluded.extra,
  updated_at = now(), deleted_at = null
"""

_PRODUCTS = """
insert into products
  (tenant_id, id, title, slug, status, raw_status, kind, description, short_description, currency,
   category_ids, tags, images, options, listed_at, extra)
select %(tenant)s, t.record_id, b.title, coalesce(b.slug, ''), b.status, coalesce(b.raw_status, ''),
       coalesce(b.kind, 'simple'), coalesce(b.description, ''), coalesce(b.short_description, ''),
       b.currency,
       coalesce((select array_agg(c.record_id order by x.place)
                 from unnest(b.category_external_ids) with ordinality as x(id, place)
                 cross join lateral (
                   select l.record_id from links l
                   where l.tenant_id = %(tenant)s and l.store_id = %(store)s
                     and l.entity = 'categories' and l.external_id = x.id limit 1) c), '{}'),
       coalesce(b.tags, '{}'), coalesce(b.images, '[]'), coalesce(b.options, '[]'), b.created_at,
       coalesce(b.extra, '{}')
from stage s
cross join lateral (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'products'
    and l.external_id = s.key limit 1) t
cross join lateral jsonb_to_record(s.base) as b(
  title text, slug text, status text, raw_status text, kind text, description text,
  short_description text, currency text, category_external_ids text[], tags text[], images jsonb,
  options jsonb, created_at timestamptz, extra jsonb)
on conflict (tenant_id, id) do update set
  title = excluded.title, slug = excluded.slug, status = excluded.status,
  raw_status = excluded.raw_status, kind = excluded.kind, description = excluded.description,
  short_description = excluded.short_description, currency = excluded.currency,
  category_ids = excluded.category_ids, tags = excluded.tags, images = excluded.images,
  options = excluded.options, listed_at = excluded.listed_at, extra = excluded.extra,
  updated_at = now(), deleted_at = null
"""

# A variant that was deleted is taken back, with whichever product it returns.
_VARIANT_LINKS = """
insert into links (tenant_id, store_id, entity, external_id, record_id)
select %(tenant)s, %(store)s, 'variants', v.key, nextval('product_variants_id_seq')
from (select distinct x.doc ->> 'external_id' as key
      from stage s cross join lateral jsonb_array_elements(s.base -> 'variants') as x(doc)) v
left join lateral (
  select true as is_linked from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'variants'
    and l.external_id = v.key and l.deleted_at is null limit 1) known on true
where known.is_linked is null
order by v.key
on conflict (tenant_id, store_id, entity, external_id)
do update set deleted_at = null, updated_at = now() where links.deleted_at is not null
"""

_VARIANTS = """
insert into product_variants
  (tenant_id, id, product_id, position, title, sku, barcode, price, compare_at_price, currency,
   option_values, tracks_stock, in_stock, allows_backorder, weight, is_active, extra)
select %(tenant)s, l.record_id, t.record_id, x.place, coalesce(v.title, ''), coalesce(v.sku, ''),
       coalesce(v.barcode, ''), v.price, v.compare_at_price, s.base ->> 'currency',
       coalesce(v.option_values, '{}'), coalesce(v.tracks_stock, false), coalesce(v.in_stock, true),
       coalesce(v.allows_backorder, false), v.weight, coalesce(v.is_active, true),
       coalesce(v.extra, '{}')
from stage s
cross join lateral (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'products'
    and l.external_id = s.key limit 1) t
cross join lateral jsonb_array_elements(s.base -> 'variants') with ordinality as x(doc, place)
cross join lateral jsonb_to_record(x.doc) as v(
  external_id text, title text, sku text, barcode text, price numeric, compare_at_price numeric,
  option_values jsonb, tracks_stock boolean, in_stock boolean, allows_backorder boolean,
  weight numeric, is_active boolean, extra jsonb)
cross join lateral (
  select k.record_id from links k
  where k.tenant_id = %(tenant)s and k.store_id = %(store)s and k.entity = 'variants'
    and k.external_id = v.external_id limit 1) l
on conflict (tenant_id, id) do update set
  product_id = excluded.product_id, position = excluded.position, title = excluded.title,
  sku = excluded.sku, barcode = excluded.barcode, price = excluded.price,
  compare_at_price = excluded.compare_at_price, currency = excluded.currency,
  option_values = excluded.option_values, tracks_stock = excluded.tracks_stock,
  in_stock = excluded.in_stock, allows_backorder = excluded.allows_backorder,
  weight = excluded.weight, is_active = excluded.is_active, extra = excluded.extra,
  updated_at = now(), deleted_at = null
"""

# A variation that left its product, or went with it. By key, not by place: a row that somebody in
# the hub changes at the same moment is elsewhere afterwards, and would silently stay.
_DROP_VARIANTS = """
with gone as (
  update product_variants v set deleted_at = now(), updated_at = now()
  from touched t
  cross join lateral (
    select h.id from product_variants h
    where h.product_id = t.record_id and h.tenant_id = %(tenant)s and h.deleted_at is null
    offset 0) held
  where t.entity = 'products' and t.action <> 'created'
    and v.tenant_id = %(tenant)s and v.id = held.id
    and not exists (
      select from stage s
      cross join lateral jsonb_array_elements(s.base -> 'variants') as x(doc)
      cross join lateral (
        select k.record_id from links k
        where k.tenant_id = %(tenant)s and k.store_id = %(store)s and k.entity = 'variants'
          and k.external_id = x.doc ->> 'external_id' limit 1) l
      where s.key = t.key and l.record_id = held.id)
  returning v.id)
insert into touched (entity, key, record_id, action)
select 'variants', null, id, 'deleted' from gone
"""

_DROP_VARIANT_LINKS = """
update links l set deleted_at = now(), updated_at = now()
from touched t
cross join lateral (
  select h.external_id from links h
  where h.record_id = t.record_id and h.entity = 'variants' and h.tenant_id = %(tenant)s
    and h.store_id = %(store)s offset 0) held
where t.entity = 'variants' and t.action = 'deleted' and l.tenant_id = %(tenant)s
  and l.store_id = %(store)s and l.entity = 'variants' and l.external_id = held.external_id
"""

WRITE_CATEGORIES = (_CATEGORIES,)
"""Write the staged categories. A parent that is not known yet is filled in at the end of a run."""

WRITE_PRODUCTS = (_PRODUCTS, _VARIANT_LINKS, _VARIANTS)
"""Write the staged products with their variants."""

DROP_LOST_VARIANTS = (_DROP_VARIANTS, _DROP_VARIANT_LINKS)
"""After an update: delete the variants that a product no longer has."""

DROP_CATEGORIES = (drop_touched("categories"),)
"""Delete the categories that the batch touched as deleted."""

DROP_PRODUCTS = (drop_touched("products"), _DROP_VARIANTS, _DROP_VARIANT_LINKS)
"""Delete the products that the batch touched as deleted, with their variants."""
