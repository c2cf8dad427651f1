"""The statements that write customers and orders with their lines from a staged batch."""

from db.staging import drop_touched

_CUSTOMERS = """
insert into customers
  (tenant_id, id, email, phone, first_name, last_name, is_guest, is_paying, billing, shipping,
   registered_at, extra)
select %(tenant)s, t.record_id, coalesce(b.email, ''), coalesce(b.phone, ''),
       coalesce(b.first_name, ''), coalesce(b.last_name, ''), coalesce(b.is_guest, false),
       coalesce(b.is_paying, false), coalesce(b.billing, '{}'), coalesce(b.shipping, '{}'),
       b.created_at, coalesce(b.extra, '{}')
from stage s
cross join lateral (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'customers'
    and l.external_id = s.key limit 1) t
cross join lateral jsonb_to_record(s.base) as b(
  email text, phone text, first_name text, last_name text, is_guest boolean, is_paying boolean,
  billing jsonb, shipping jsonb, created_at timestamptz, extra jsonb)
on conflict (tenant_id, id) do update set
  email = excluded.email, phone = excluded.phone, first_name = excluded.first_name,
  last_name = excluded.last_name, is_guest = excluded.is_guest, is_paying = excluded.is_paying,
  billing = excluded.billing, shipping = excluded.shipping, registered_at = excluded.registered_at,
  extra = excluded.extra, updated_at = now(), deleted_at = null
"""

_ORDERS = """
insert into orders
  (tenant_id, id, store_id, number, status, raw_status, currency, subtotal, discount_total,
   shipping_total, tax_total, total, refunded_total, customer_id, customer_external_id, billing,
   shipping, payment_method, payment_title, transaction_id, customer_note, placed_at, paid_at,
   completed_at, charges, refunds, extra)
select %(tenant)s, t.record_id, %(store)s, b.number, b.status, coalesce(b.raw_status, ''),
       b.currency,
       coalesce(b.subtotal, 0), coalesce(b.discount_total, 0), coalesce(b.shipping_total, 0),
       coalesce(b.tax_total, 0), b.total,
       coalesce((select sum((r.doc ->> 'amount')::numeric)
                 from jsonb_array_elements(b.refunds) as r(doc)), 0),
       buyer.record_id, s.buyer, coalesce(b.billing, '{}'), coalesce(b.shipping, '{}'),
       coalesce(b.payment_method, ''), coalesce(b.payment_title, ''),
       coalesce(b.transaction_id, ''), coalesce(b.customer_note, ''), b.placed_at, b.paid_at,
       b.completed_at, coalesce(b.charges, '[]'), coalesce(b.refunds, '[]'), coalesce(b.extra, '{}')
from stage s
cross join lateral (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'orders'
    and l.external_id = s.key limit 1) t
cross join lateral jsonb_to_record(s.base) as b(
  number text, status text, raw_status text, currency text, subtotal numeric,
  discount_total numeric, shipping_total numeric, tax_total numeric, total numeric, billing jsonb,
  shipping jsonb, payment_method text, payment_title text, transaction_id text, customer_note text,
  placed_at timestamptz, paid_at timestamptz, completed_at timestamptz, charges jsonb,
  refunds jsonb, extra jsonb)
left join lateral (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'customers'
    and l.external_id = s.buyer limit 1) buyer on true
on conflict (tenant_id, id) do update set
  number = excluded.number, status = excluded.status, raw_status = excluded.raw_status,
  currency = excluded.currency, subtotal = excluded.subtotal,
  discount_total = excluded.discount_total, shipping_total = excluded.shipping_total,
  tax_total = excluded.tax_total, total = excluded.total, refunded_total = excluded.refunded_total,
  customer_id = excluded.customer_id, customer_external_id = excluded.customer_external_id,
  billing = excluded.billing, shipping = excluded.shipping,
  payment_method = excluded.payment_method, payment_title = excluded.payment_title,
  transaction_id = excluded.transaction_id, customer_note = excluded.customer_note,
  placed_at = excluded.placed_at, paid_at = excluded.paid_at, completed_at = excluded.completed_at,
  charges = excluded.charges, refunds = excluded.refunds, extra = excluded.extra,
  updated_at = now(), deleted_at = null
"""

_LINES = """
insert into order_lines
  (tenant_id, order_id, position, external_id, product_id, variant_id, product_external_id,
   variant_external_id, sku, title, quantity, unit_price, subtotal, discount, tax, total, extra)
select %(tenant)s, t.record_id, x.place, v.external_id, product.record_id, variant.record_id,
       v.product_external_id, v.variant_external_id, coalesce(v.sku, ''), coalesce(v.title, ''),
       v.quantity, coalesce(v.unit_price, 0), coalesce(v.subtotal, 0), coalesce(v.discount, 0),
       coalesce(v.tax, 0), coalesce(v.total, 0), coalesce(v.extra, '{}')
from stage s
cross join lateral (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'orders'
    and l.external_id = s.key limit 1) t
cross join lateral jsonb_array_elements(s.base -> 'lines') with ordinality as x(doc, place)
cross join lateral jsonb_to_record(x.doc) as v(
  external_id text, product_external_id text, variant_external_id text, sku text, title text,
  quantity numeric, unit_price numeric, subtotal numeric, discount numeric, tax numeric,
  total numeric, extra jsonb)
left join lateral (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'products'
    and l.external_id = v.product_external_id limit 1) product on true
left join lateral (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'variants'
    and l.external_id = v.variant_external_id limit 1) variant on true
on conflict (tenant_id, order_id, external_id) do update set
  position = excluded.position, product_id = excluded.product_id, variant_id = excluded.variant_id,
  product_external_id = excluded.product_external_id,
  variant_external_id = excluded.variant_external_id, sku = excluded.sku, title = excluded.title,
  quantity = excluded.quantity, unit_price = excluded.unit_price, subtotal = excluded.subtotal,
  discount = excluded.discount, tax = excluded.tax, total = excluded.total, extra = excluded.extra
"""

_DROP_LINES = """
delete from order_lines o
using stage s
cross join lateral (
  select l.record_id from links l
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = 'orders'
    and l.external_id = s.key limit 1) t
cross join lateral (
  select h.ctid as place, h.external_id from order_lines h
  where h.tenant_id = %(tenant)s and h.order_id = t.record_id offset 0) held
where not s.is_new and o.ctid = held.place
  and not exists (
    select from jsonb_array_elements(s.base -> 'lines') as x(doc)
    where x.doc ->> 'external_id' = held.external_id)
"""

WRITE_CUSTOMERS = (_CUSTOMERS,)
"""Write the staged customers."""

WRITE_ORDERS = (_ORDERS, _LINES)
"""Write the staged orders with their lines."""

DROP_LOST_LINES = (_DROP_LINES,)
"""After an update: delete the lines that an order no longer has."""

DROP_CUSTOMERS = (drop_touched("customers"),)
"""Delete the customers that the batch touched as deleted."""

DROP_ORDERS = (drop_touched("orders"),)
"""Delete the orders that the batch touched as deleted. Their lines stay with them."""
