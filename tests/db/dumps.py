"""Whole databases as values to compare."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.base import METADATA

KEPT = (
    *("categories", "products", "product_variants", "customers", "orders", "order_lines"),
    *("warehouses", "inventory_levels", "inventory_movements", "links", "changes"),
    "tenant_counters",
)
"""Records, links and changes; runs and logs are apart."""

_OWN = frozenset(
    (
        *("tenant_id", "id", "record_id", "store_id", "variant_id", "warehouse_id", "seq"),
        *("created_at", "updated_at", "deleted_at", "base_hash"),
    )
)
_REFERENCES = {
    "parent_id": "categories",
    "product_id": "products",
    "customer_id": "customers",
    "order_id": "orders",
    "variant_id": "variants",
}
_ENTITIES = {"product_variants": "variants"}


async def physical_dump(connection: AsyncConnection) -> dict[str, list[tuple[str, ...]]]:
    """Every row of the tenant with the place and the transaction that wrote it: an update that
    changes nothing shows too."""
    dump = {}
    for table in KEPT:
        statement = f"select tableoid, ctid::text, xmin::text, t::text from {table} t"
        dump[table] = sorted(tuple(row) for row in await connection.execute(text(statement)))
    return dump


async def tenant_dump(connection: AsyncConnection) -> dict[str, list[tuple[str, ...]]]:
    """Every row of every table that the tenant sees, with its place and transaction."""
    dump = {}
    for table in METADATA.sorted_tables:
        statement = f"select tableoid, ctid::text, xmin::text, t::text from {table.name} t"
        dump[table.name] = sorted(tuple(row) for row in await connection.execute(text(statement)))
    return dump


async def logical_dump(connection: AsyncConnection) -> dict[str, list[Any]]:
    """Every row of the tenant without its own ids and times; what it refers to is named by the
    store's ids. Two imports of one shop have the same."""
    links = await connection.execute(text("select entity, record_id, external_id from links"))
    names = {(row.entity, row.record_id): row.external_id for row in links}
    dump: dict[str, list[Any]] = {}
    for table in KEPT[:-2]:
        found = await connection.execute(text(f"select to_jsonb(t) from {table} t"))
        dump[table] = sorted((_named(table, row[0], names) for row in found), key=repr)
    return dump


def _named(table: str, row: dict[str, Any], names: dict[tuple[str, int], str]) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name not in _OWN}
    shown["is_deleted"] = row.get("deleted_at") is not None
    if "id" in row:
        shown["named"] = names.get((_ENTITIES.get(table, table), row["id"]))
    for column, entity in _REFERENCES.items():
        if row.get(column) is not None:
            shown[column] = names[entity, row[column]]
    if "category_ids" in row:
        shown["category_ids"] = [names["categories", one] for one in row["category_ids"]]
    return shown
