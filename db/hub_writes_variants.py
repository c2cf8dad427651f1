"""Writing the variants of a product in the hub itself, with the stock that opens or closes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.hub_writes import Values
from db.movements import Movement, move_stock
from db.publishing import Touch
from db.tables.records import INVENTORY_LEVELS, PRODUCT_VARIANTS
from domain.entities import Entity
from domain.errors import ConflictError
from domain.money import ZERO

_WITHDRAW = text("""
with gone as (
  delete from inventory_levels i
  where i.tenant_id = :tenant and i.variant_id = any(:variants)
  returning i.variant_id, i.warehouse_id, i.on_hand),
forgotten as (
  delete from store_levels b using stores s
  where b.tenant_id = :tenant and s.tenant_id = :tenant and b.store_id = s.id
    and b.variant_id = any(:variants)),
freed as (
  update reservations r set reserved = 0, status = 'withdrawn', updated_at = now()
  where r.tenant_id = :tenant and r.variant_id = any(:variants)),
moved as (
  insert into inventory_movements
    (tenant_id, variant_id, warehouse_id, kind, quantity, balance)
  select :tenant, variant_id, warehouse_id, 'withdrawal', -on_hand, 0 from gone)
select distinct variant_id from gone order by 1
""")


@dataclass(frozen=True, slots=True)
class VariantWrite:
    """One variant of a write: new without an id, taken away with `remove`.

    `quantity` opens its stock; None opens it with nothing, where the variant tracks stock.
    """

    values: Values = field(default_factory=dict)
    id: int | None = None
    quantity: Decimal | None = None
    remove: bool = False


async def lock_variants(connection: AsyncConnection, product_id: int) -> dict[int, Values]:
    """The live variants of a product by id, locked for a change."""
    columns = PRODUCT_VARIANTS.c
    rows = await connection.execute(
        select(PRODUCT_VARIANTS)
        .where(columns.product_id == product_id, columns.deleted_at.is_(None))
        .order_by(columns.id)
        .with_for_update()
    )
    return {row["id"]: {str(k): v for k, v in row.items()} for row in rows.mappings()}


async def add_variant(
    connection: AsyncConnection, tenant_id: int, place: tuple[int, int, str], variant: VariantWrite
) -> None:
    """Add a variant at a place: product, position, currency."""
    product_id, position, currency = place
    made = await connection.execute(
        insert(PRODUCT_VARIANTS)
        .values(
            **{
                **variant.values,
                "tenant_id": tenant_id,
                "product_id": product_id,
                "position": position,
                "currency": currency,
            }
        )
        .returning(PRODUCT_VARIANTS.c.id)
    )
    variant_id = made.scalar_one()
    if variant.values["tracks_stock"]:
        await _open_level(connection, tenant_id, variant_id, variant.quantity)


async def change_variant(
    connection: AsyncConnection, tenant_id: int, row: Values, variant: VariantWrite
) -> tuple[bool, list[Touch]]:
    """Change a locked variant; whether anything changed, and what became of its stock.

    Raises:
        ConflictError: prices contradict each other, or stock that is there would be opened.
    """
    kept = {**row, **variant.values}
    price, regular = kept["price"], kept["compare_at_price"]
    if regular is not None and (price is None or regular <= price):
        raise ConflictError(
            f"compareAtPrice of variant {row['id']} has to be more than its price: null takes it"
            " away"
        )
    is_changed = any(row[name] != value for name, value in variant.values.items())
    if is_changed:
        await connection.execute(
            update(PRODUCT_VARIANTS)
            .where(PRODUCT_VARIANTS.c.id == row["id"])
            .values(**variant.values, updated_at=func.now())
        )
    if row["tracks_stock"] and not kept["tracks_stock"]:
        return True, await _withdraw(connection, tenant_id, [row["id"]])
    if kept["tracks_stock"] and not await _has_level(connection, row["id"]):
        await _open_level(connection, tenant_id, row["id"], variant.quantity)
        return True, []
    if variant.quantity is not None:
        raise ConflictError(
            f"variant {row['id']} has stock already, or does not track it: move it with "
            "POST /api/inventory/movements"
        )
    return is_changed, []


async def remove_variants(
    connection: AsyncConnection, tenant_id: int, variant_ids: Sequence[int]
) -> list[Touch]:
    """Delete variants with their stock."""
    columns = PRODUCT_VARIANTS.c
    await connection.execute(
        update(PRODUCT_VARIANTS)
        .where(columns.id.in_(variant_ids))
        .values(deleted_at=func.now(), updated_at=func.now())
    )
    gone = [Touch(Entity.VARIANTS, one, "deleted") for one in variant_ids]
    return [*gone, *await _withdraw(connection, tenant_id, variant_ids)]


async def _withdraw(
    connection: AsyncConnection, tenant_id: int, variant_ids: Sequence[int]
) -> list[Touch]:
    """Stock that is no longer counted, as when a store says so (`db.write_levels`)."""
    named = {"tenant": tenant_id, "variants": list(variant_ids)}
    gone = (await connection.execute(_WITHDRAW, named)).scalars()
    return [Touch(Entity.INVENTORY, one, "deleted") for one in gone]


async def _has_level(connection: AsyncConnection, variant_id: int) -> bool:
    found = await connection.execute(
        select(INVENTORY_LEVELS.c.variant_id)
        .where(INVENTORY_LEVELS.c.variant_id == variant_id)
        .limit(1)
    )
    return found.first() is not None


async def _open_level(
    connection: AsyncConnection, tenant_id: int, variant_id: int, quantity: Decimal | None
) -> None:
    await move_stock(connection, tenant_id, [Movement(variant_id, "opening", quantity or ZERO)])


async def reprice(connection: AsyncConnection, product_id: int, currency: str) -> None:
    """All prices of the product are in this currency from now on."""
    columns = PRODUCT_VARIANTS.c
    await connection.execute(
        update(PRODUCT_VARIANTS)
        .where(columns.product_id == product_id, columns.deleted_at.is_(None))
        .values(currency=currency)
    )
