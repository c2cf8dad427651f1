"""A million products in the hub and, whole, on the floor's one table: written by SQL alone."""

from typing import Final

import psycopg

from bench.rig import BenchDatabase, Rig
from db.keys import NewKey, create_key
from db.session import Database
from db.tenants import create_tenant
from runtime.embedded.postgres import SUPERUSER

_STORE: Final = 1
"""The id of the store they come from: products are 1 to N, their variants too."""

_ROWS: Final = (
    """
insert into products (tenant_id, id, title, slug, status, raw_status, kind, description,
                      short_description, currency, category_ids, tags, images, options, listed_at)
overriding system value
select %(tenant)s, n, 'Ceylon black tea no. ' || n, 'ceylon-black-tea-' || n, 'active', 'publish',
       'simple', repeat('A tea from the hills, picked by hand. ', 8), 'A tea from the hills',
       'LKR', array[n %% 20 + 1], array['tea', 'ceylon'],
       jsonb_build_array(jsonb_build_object(
         'src', 'https://shop.example.com/tea-' || n || '.jpg', 'external_id', n::text,
         'name', 'tea', 'alt', '')),
       '[]', now()
from generate_series(1, %(products)s) n
""",
    """
insert into product_variants (tenant_id, id, product_id, position, title, sku, barcode, price,
                              currency, tracks_stock, in_stock, allows_backorder, weight, is_active)
overriding system value
select %(tenant)s, n, n, 0, '', 'TEA-' || n, '', 100 + n %% 900, 'LKR', true, true, false, 0.25,
       true
from generate_series(1, %(products)s) n
""",
    """
insert into inventory_levels (tenant_id, variant_id, warehouse_id, on_hand, reserved)
select %(tenant)s, n, w.id, n %% 100, n %% 3
from generate_series(1, %(products)s) n
cross join (select id from warehouses where tenant_id = %(tenant)s) w
""",
    """
insert into links (tenant_id, store_id, entity, external_id, record_id)
select %(tenant)s, %(store)s, entity, n::text, n
from unnest(array['products', 'variants']) entity, generate_series(1, %(products)s) n
""",
)

_SHELF: Final = """
create table shelf as
select p.id, p.title, p.slug, p.status, p.raw_status, p.kind, p.description, p.short_description,
       p.currency, p.category_ids, p.tags, p.images, p.options, p.listed_at, p.extra,
       p.created_at, p.updated_at,
       jsonb_build_array(jsonb_build_object('storeId', 1, 'externalId', p.id::text))
         as external_references,
       jsonb_build_array(to_jsonb(v) - 'tenant_id' - 'product_id' - 'deleted_at'
         || jsonb_build_object(
              'on_hand', i.on_hand, 'available', i.on_hand - i.reserved,
              'external_references',
              jsonb_build_array(jsonb_build_object('storeId', 1, 'externalId', v.id::text))))
         as variants
from products p
join product_variants v on v.tenant_id = p.tenant_id and v.product_id = p.id
join inventory_levels i on i.tenant_id = v.tenant_id and i.variant_id = v.id
"""


async def make_caller(database: BenchDatabase) -> tuple[int, dict[str, str]]:
    """A tenant, and the headers of its key."""
    owner, app = Database(database.owner_url, pool_size=1), Database(database.app_url, pool_size=1)
    try:
        async with owner.lookup() as connection:
            tenant = await create_tenant(connection, "reads")
        async with app.tenant(tenant.id) as connection:
            key, secret = await create_key(connection, tenant.id, NewKey(name="reads"))
    finally:
        await app.close()
        await owner.close()
    return tenant.id, {"X-API-Key": key, "X-API-Secret": secret.get_secret_value()}


def fill(rig: Rig, database: BenchDatabase, tenant_id: int, products: int) -> None:
    """Write the catalogue of one store, as a superuser without foreign keys being checked."""
    with psycopg.connect(rig.postgres.url(SUPERUSER, database.name)) as connection:
        connection.execute("set session_replication_role = replica")
        named = {"tenant": tenant_id, "store": _STORE, "products": products}
        for statement in _ROWS:
            connection.execute(statement, named)
        connection.execute(_SHELF)
        connection.execute("alter table shelf add primary key (id)")
        connection.execute("grant select on shelf to public")
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze")
