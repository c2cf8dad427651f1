"""Records as rows, for `tests.api.record_views`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Table,
    any_,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.records import (
    CATEGORIES,
    CUSTOMERS,
    INVENTORY_LEVELS,
    ORDER_LINES,
    ORDERS,
    PRODUCT_VARIANTS,
    PRODUCTS,
)
from db.tables.stores import STORES
from db.tables.sync import LINKS
from domain.entities import Entity

Row = Mapping[str, Any]

_TABLES: Mapping[Entity, Table] = {
    Entity.CATEGORIES: CATEGORIES,
    Entity.PRODUCTS: PRODUCTS,
    Entity.CUSTOMERS: CUSTOMERS,
    Entity.ORDERS: ORDERS,
}


@dataclass(frozen=True, slots=True)
class ExternalReference:
    """Where a record is at an outside store."""

    store_id: int
    external_id: str


async def find_record(connection: AsyncConnection, entity: Entity, record_id: int) -> Row | None:
    """One record, unless it is deleted."""
    table = _TABLES[entity]
    row = await connection.execute(
        select(table).where(table.c.id == record_id, table.c.deleted_at.is_(None))
    )
    return cast("Row | None", row.mappings().one_or_none())


async def load_references(
    connection: AsyncConnection, entity: Entity, record_ids: Sequence[int]
) -> Mapping[int, Sequence[ExternalReference]]:
    """The outside ids of each record."""
    columns = LINKS.c
    rows = await connection.execute(
        select(columns.record_id, columns.store_id, columns.external_id)
        .where(
            columns.entity == entity.value,
            _is_one_of(columns.record_id, record_ids),
            columns.deleted_at.is_(None),
        )
        .order_by(columns.store_id, columns.external_id)
    )
    found: defaultdict[int, list[ExternalReference]] = defaultdict(list)
    for record_id, store_id, external_id in rows:
        found[record_id].append(ExternalReference(store_id, external_id))
    return found


async def load_suppliers(
    connection: AsyncConnection, product_ids: Sequence[int]
) -> Mapping[int, Row]:
    """The store that each product came from, and its provider; none for those made here."""
    links, stores = LINKS.c, STORES.c
    rows = await connection.execute(
        select(links.record_id, links.store_id, stores.provider)
        .join_from(
            LINKS, STORES, (stores.tenant_id == links.tenant_id) & (stores.id == links.store_id)
        )
        .where(
            links.entity == Entity.PRODUCTS.value,
            _is_one_of(links.record_id, product_ids),
            links.is_home,
            links.deleted_at.is_(None),
        )
        .order_by(links.store_id.desc())
    )
    return {row["record_id"]: row for row in cast("Sequence[Row]", rows.mappings().all())}


async def load_variants(
    connection: AsyncConnection, product_ids: Sequence[int]
) -> Mapping[int, Sequence[Row]]:
    """The variants of each product in its order, with `on_hand` and `available`.

    Both are sums over all warehouses, and None for a variant whose stock nobody counts.
    """
    variants, levels = PRODUCT_VARIANTS, INVENTORY_LEVELS
    on_hand = func.sum(levels.c.on_hand).label("on_hand")
    available = func.sum(levels.c.on_hand - levels.c.reserved).label("available")
    held = (
        select(on_hand, available)
        .where(levels.c.tenant_id == variants.c.tenant_id, levels.c.variant_id == variants.c.id)
        .lateral("held")
    )
    rows = await connection.execute(
        select(variants, held.c.on_hand, held.c.available)
        .select_from(variants.join(held, onclause=true()))
        .where(_is_one_of(variants.c.product_id, product_ids), variants.c.deleted_at.is_(None))
        .order_by(variants.c.product_id, variants.c.position, variants.c.id)
    )
    return _grouped(cast("Sequence[Row]", rows.mappings().all()), "product_id")


async def load_lines(
    connection: AsyncConnection, order_ids: Sequence[int]
) -> Mapping[int, Sequence[Row]]:
    """The lines of each order, in its order."""
    columns = ORDER_LINES.c
    rows = await connection.execute(
        select(ORDER_LINES)
        .where(_is_one_of(columns.order_id, order_ids))
        .order_by(columns.order_id, columns.position, columns.id)
    )
    return _grouped(cast("Sequence[Row]", rows.mappings().all()), "order_id")


def _is_one_of(column: Column[int], ids: Sequence[int]) -> ColumnElement[bool]:
    """One parameter however many ids there are, so that the statement is the same each time."""
    return column == any_(literal(list(ids), ARRAY(BigInteger)))


def _grouped(rows: Sequence[Row], column: str) -> Mapping[int, Sequence[Row]]:
    groups: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[column]].append(row)
    return groups
