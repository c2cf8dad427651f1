"""Putting right, at the end of a run, what order of arrival left open.

A record may come before what it refers to, and a guest's profile is that of an order which may be
gone by now. Both are settled by statements over what is there, so running them twice is the same.
"""

from typing import Any, Final, cast

from psycopg import AsyncConnection as Driver
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.apply import apply
from db.publishing import FAN_OUT, MARK_DIFFERING
from db.staging import Origin
from domain.entities import Entity
from domain.guests import GUEST_PREFIX, guest_of
from domain.pages import Page, Pulled
from domain.records import Order, Record

REFERENCES = (
    """
    with settled as (
    update categories c set parent_id = p.record_id, updated_at = now()
    from links l join links p
      on p.tenant_id = l.tenant_id and p.store_id = l.store_id and p.entity = 'categories'
      and p.external_id = l.base ->> 'parent_external_id'
    where l.store_id = :store and l.entity = 'categories' and l.deleted_at is null
      and not l.differs and c.tenant_id = l.tenant_id and c.id = l.record_id and c.parent_id is null
    returning c.id)
    insert into touched (entity, key, record_id, action)
    select 'categories', null, id, 'updated' from settled
    """,
    """
    with settled as (
    update products p set category_ids = found.ids, updated_at = now()
    from links l
    cross join lateral (
      select array_agg(c.record_id order by x.place) as ids
      from jsonb_array_elements_text(l.base -> 'category_external_ids')
        with ordinality as x(id, place)
      join links c on c.tenant_id = l.tenant_id and c.store_id = l.store_id
        and c.entity = 'categories' and c.external_id = x.id) found
    where l.store_id = :store and l.entity = 'products' and l.deleted_at is null
      and not l.differs
      and p.tenant_id = l.tenant_id and p.id = l.record_id
      and cardinality(p.category_ids) < jsonb_array_length(
        coalesce(l.base -> 'category_external_ids', '[]'))
      and found.ids is not null and p.category_ids <> found.ids
    returning p.id)
    insert into touched (entity, key, record_id, action)
    select 'products', null, id, 'updated' from settled
    """,
    """
    update orders o set customer_id = l.record_id, updated_at = now()
    from links l
    where o.store_id = :store and o.customer_id is null and o.customer_external_id is not null
      and l.tenant_id = o.tenant_id and l.store_id = o.store_id and l.entity = 'customers'
      and l.external_id = o.customer_external_id
    """,
    """
    update order_lines i set
      product_id = coalesce(i.product_id, (
        select l.record_id from links l
        where l.tenant_id = o.tenant_id and l.store_id = o.store_id and l.entity = 'products'
          and l.external_id = i.product_external_id)),
      variant_id = coalesce(i.variant_id, (
        select l.record_id from links l
        where l.tenant_id = o.tenant_id and l.store_id = o.store_id and l.entity = 'variants'
          and l.external_id = i.variant_external_id))
    from orders o
    where o.store_id = :store and i.tenant_id = o.tenant_id and i.order_id = o.id
      and ((i.product_id is null and exists (
              select from links l
              where l.tenant_id = o.tenant_id and l.store_id = o.store_id
                and l.entity = 'products' and l.external_id = i.product_external_id))
        or (i.variant_id is null and exists (
              select from links l
              where l.tenant_id = o.tenant_id and l.store_id = o.store_id
                and l.entity = 'variants' and l.external_id = i.variant_external_id)))
    """,
)
"""Each in a transaction of its own: a large store would outlast the limit of one."""

_CREATED = text("select coalesce(sum(created), 0) from sync_ranges where run_id = :run")

# Where the application may not analyze (before PostgreSQL 17), PostgreSQL warns and goes on.
_ANALYZE = text("""
analyze (skip_locked) links (tenant_id, store_id, entity, external_id, record_id, deleted_at),
  orders (tenant_id, id, store_id, customer_id, customer_external_id),
  order_lines (tenant_id, id, order_id, product_id, variant_id),
  products (tenant_id, id), product_variants (tenant_id, id, product_id), customers (tenant_id, id)
""")

_TELL_STORES: Final = (MARK_DIFFERING, FAN_OUT)
_MANY = 500

# A guest's link has the time of the order its profile was taken from, with the digits of the
# order's id as microseconds. It is out of date when that is not the newest order there is.
_STALE_GUESTS = text("""
select g.external_id, newest.external_id, newest.base
from links g
left join lateral (
  select l.external_id, l.base, coalesce(o.placed_at, 'epoch')
    + (coalesce(nullif(right(regexp_replace(l.external_id, '[^0-9]', '', 'g'), 6), ''), '0')
       || ' microseconds')::interval as version
  from orders o
  join links l on l.record_id = o.id and l.entity = 'orders' and l.tenant_id = o.tenant_id
    and l.store_id = o.store_id
  where o.customer_external_id = g.external_id and o.store_id = g.store_id
    and o.tenant_id = g.tenant_id and o.deleted_at is null
  order by 3 desc nulls last limit 1) newest on true
where g.store_id = :store and g.entity = 'customers' and starts_with(g.external_id, :guests)
  and g.deleted_at is null
  and (newest.external_id is null or newest.version is distinct from g.version)
limit 500
""")

_MOVE_VERSIONS = text("""
update links l set version = x.version
from unnest(cast(:keys as text[]), cast(:versions as timestamptz[])) as x(key, version)
where l.store_id = :store and l.entity = 'customers' and l.external_id = x.key
""")


async def refresh_statistics(connection: AsyncConnection, run_id: int) -> None:
    """Take statistics after a run that created many records.

    PostgreSQL takes them by itself within a minute or so. Until then its plans are made for
    tables that were empty: settling 10,000 orders took 44 s with those.
    """
    created = await connection.execute(_CREATED, {"run": run_id})
    if created.scalar_one() >= _MANY:
        await connection.execute(_ANALYZE)


async def settle_references(connection: AsyncConnection, origin: Origin, statement: str) -> None:
    """Fill in one kind of reference whose target came later: one of `REFERENCES`.

    Other stores that have the record are told. The feed is not: it tells of a run as a whole.
    """
    await connection.execute(text(statement), {"store": origin.store_id})
    raw = await connection.get_raw_connection()
    driver = cast("Driver[Any]", raw.driver_connection)
    params = {"tenant": origin.tenant_id, "store": origin.store_id, "bulk": origin.bulk}
    for follow in _TELL_STORES:
        await driver.execute(follow, params)


async def settle_guests(connection: AsyncConnection, origin: Origin) -> int:
    """Bring guests to their newest living order, or remove those that have none.

    Returns:
        How many were out of date, at most 500: call again until it is 0.
    """
    rows = (
        await connection.execute(_STALE_GUESTS, {"store": origin.store_id, "guests": GUEST_PREFIX})
    ).all()
    if not rows:
        return 0
    gone = tuple(key for key, newest_id, _ in rows if newest_id is None)
    profiles: list[Pulled[Record]] = []
    for _, newest_id, base in rows:
        if newest_id is not None:
            guest = guest_of(Pulled(newest_id, Order.model_validate(base)))
            if guest is not None:
                profiles.append(guest)
    await connection.execute(
        _MOVE_VERSIONS,
        {
            "store": origin.store_id,
            "keys": [one.external_id for one in profiles],
            "versions": [one.version for one in profiles],
        },
    )
    await apply(
        connection, origin, Entity.CUSTOMERS, Page(records=tuple(profiles), tombstones=gone)
    )
    return len(rows)
