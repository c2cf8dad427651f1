"""What a hub holds of a store, told without its own ids and times, so that two can be compared."""

import json
from collections.abc import Mapping
from typing import Any

import psycopg

OWN = "'{id,tenant_id,store_id,created_at,updated_at,deleted_at}'::text[]"
"""Columns that two hubs have differently (whether something is deleted is added again)."""


def _external(entity: str, record_id: str) -> str:
    """The store's id of a record of ours."""
    return (
        f"(select x.external_id from links x where x.tenant_id = l.tenant_id"
        f" and x.store_id = l.store_id and x.entity = '{entity}' and x.record_id = {record_id})"
    )


def _records(table: str, entity: str, *references: str, without: str = "") -> str:
    """All columns of a table, with references to other records as the store's ids."""
    told = ", ".join(("'deleted', t.deleted_at is not null", *references))
    return f"""
      select l.external_id,
             to_jsonb(t) - {OWN} - '{{{without}}}'::text[] || jsonb_build_object({told})
      from links l join {table} t on t.tenant_id = l.tenant_id and t.id = l.record_id
      where l.store_id = %(store)s and l.entity = '{entity}'
    """


_VARIANTS_OF_STORE = """
  links l join {table} t on t.tenant_id = l.tenant_id and t.variant_id = l.record_id
  where l.store_id = %(store)s and l.entity = 'variants'
"""

_LINE_PARTS = ", ".join(
    (
        f"'product', {_external('products', 't.product_id')}",
        f"'variant', {_external('variants', 't.variant_id')}",
    )
)

QUERIES: Mapping[str, str] = {
    "categories": _records(
        "categories",
        "categories",
        f"'parent', {_external('categories', 't.parent_id')}",
        without="parent_id",
    ),
    "products": _records(
        "products",
        "products",
        f"""'categories', (
          select jsonb_agg({_external("categories", "c.id")} order by c.place)
          from unnest(t.category_ids) with ordinality as c(id, place))""",
        without="category_ids",
    ),
    "variants": _records(
        "product_variants",
        "variants",
        f"'product', {_external('products', 't.product_id')}",
        without="product_id",
    ),
    "levels": f"""
      select l.external_id, to_jsonb(t) - {OWN} - '{{variant_id,warehouse_id}}'::text[]
      from {_VARIANTS_OF_STORE.format(table="inventory_levels")}
    """,
    "movements": f"""
      select l.external_id, jsonb_build_object('sum', sum(t.quantity))
      from {_VARIANTS_OF_STORE.format(table="inventory_movements")}
      group by l.external_id
    """,
    "customers": _records("customers", "customers"),
    "orders": _records(
        "orders",
        "orders",
        f"'customer', {_external('customers', 't.customer_id')}",
        without="customer_id",
    ),
    "lines": f"""
      select l.external_id || '/' || t.external_id,
             to_jsonb(t) - {OWN} - '{{order_id,product_id,variant_id}}'::text[]
               || jsonb_build_object({_LINE_PARTS})
      from links l join order_lines t on t.tenant_id = l.tenant_id and t.order_id = l.record_id
      where l.store_id = %(store)s and l.entity = 'orders'
    """,
    "links": f"""
      select l.entity || '/' || l.external_id,
             to_jsonb(l) - {OWN} - '{{record_id,base}}'::text[]
               || jsonb_build_object('deleted', l.deleted_at is not null, 'base', md5(l.base::text))
      from links l where l.store_id = %(store)s
    """,
}

_UNEVEN = """
  select l.entity, l.external_id,
    (select count(*) from changes c
     where c.tenant_id = l.tenant_id and c.entity = l.entity and c.record_id = l.record_id
       and c.action = 'created')
  from links l
  where l.store_id = %(store)s and l.entity <> 'variants'
"""

_SEQUENCE = """
  select count(*), count(distinct c.seq), coalesce(min(c.seq), 1), coalesce(max(c.seq), 0),
    (select max(t.seq) from tenant_counters t where t.tenant_id = any(array_agg(c.tenant_id)))
  from changes c
  where c.tenant_id = (select s.tenant_id from stores s where s.id = %(store)s)
"""

Contents = dict[str, dict[str, str]]


def read_contents(superuser_url: str, store_id: int) -> Contents:
    """For each kind of row: the store's id of it, and the row as canonical JSON."""
    contents: Contents = {}
    with psycopg.connect(superuser_url) as connection:
        for kind, query in QUERIES.items():
            rows = connection.execute(query, {"store": store_id}).fetchall()
            told = {key: json.dumps(row, sort_keys=True) for key, row in rows}
            assert len(told) == len(rows), f"{kind}: two rows for one id of the store"
            contents[kind] = told
    return contents


def differences(one: Contents, other: Contents) -> list[str]:
    """What is in one of them alone, or differs."""
    return [
        f"{kind} {key}: {one[kind].get(key)} against {other[kind].get(key)}"
        for kind in QUERIES
        for key in sorted(one[kind].keys() | other[kind].keys())
        if one[kind].get(key) != other[kind].get(key)
    ]


def read_changes(superuser_url: str, store_id: int) -> dict[str, Any]:
    """The outbox: records that were not created exactly once, and the shape of its sequence."""
    with psycopg.connect(superuser_url) as connection:
        created = connection.execute(_UNEVEN, {"store": store_id}).fetchall()
        count, distinct, first, last, counter = connection.execute(
            _SEQUENCE, {"store": store_id}
        ).fetchall()[0]
    return {
        "not created once": [row for row in created if row[2] != 1],
        "gaps": last - distinct,
        "repeated": count - distinct,
        "first": first,
        "ahead of the counter": last - counter,
    }


FLAWLESS = {
    "not created once": [],
    "gaps": 0,
    "repeated": 0,
    "first": 1,
    "ahead of the counter": 0,
}
"""What `read_changes` says of an outbox in which nothing was lost or told twice."""
