"""What a store shows of a product's variants, and what a push of their stock came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_VARIANTS: Final = text("""
select v.id as variant_id, v.sku, l.external_id, b.agreed,
       exists (select from inventory_levels i where i.variant_id = v.id) as is_counted,
       p.status, p.last_error
from product_variants v
left join lateral (
  select k.external_id from links k
  where k.record_id = v.id and k.entity = 'variants' and k.store_id = :store
    and k.deleted_at is null
  order by k.external_id limit 1) l on true
left join store_levels b on b.store_id = :store and b.variant_id = v.id
left join pushes p on p.store_id = :store and p.entity = 'inventory' and p.record_id = v.id
  and p.run_id >= cast(:run as bigint)
where v.product_id = :product and v.deleted_at is null
order by v.position, v.id
""")

_IS_LINKED: Final = text("""
select p.deleted_at is null as is_there, exists (
  select from links l where l.record_id = p.id and l.entity = 'products' and l.store_id = :store
    and l.deleted_at is null) as is_linked
from products p where p.id = :product
""")


class StockOutcome(StrEnum):
    """What became of a variant: `DONE`: the store shows the hub's number. `WAITING`: it is tried
    again. `SKIPPED`: there is nothing to push."""

    DONE = "done"
    WAITING = "waiting"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ShownStock:
    """A variant in a store. `shown` is the number the store is known to show; None: none yet."""

    variant_id: int
    sku: str
    external_id: str | None
    shown: Decimal | None
    outcome: StockOutcome
    reason: str | None = None


async def is_product_linked(
    connection: AsyncConnection, store_id: int, product_id: int
) -> bool | None:
    """Whether the store has the product; None: there is no such product."""
    found = await connection.execute(_IS_LINKED, {"store": store_id, "product": product_id})
    row = found.one_or_none()
    return bool(row.is_linked) if row is not None and row.is_there else None


async def load_shown_stock(
    connection: AsyncConnection, store_id: int, product_id: int, *, run_id: int | None = None
) -> Sequence[ShownStock]:
    """A product's variants in a store, in their order.

    Args:
        run_id: the run whose pushes of them are told of, also where a later one took them over.
    """
    rows = await connection.execute(
        _VARIANTS, {"store": store_id, "product": product_id, "run": run_id}
    )
    return [
        ShownStock(
            row.variant_id,
            row.sku,
            row.external_id,
            row.agreed,
            *_outcome(row.external_id, row.status, row.last_error, is_counted=row.is_counted),
        )
        for row in rows
    ]


def _outcome(
    external_id: str | None, status: str | None, error: str | None, *, is_counted: bool
) -> tuple[StockOutcome, str | None]:
    if status == "pending":
        return StockOutcome.WAITING, error
    if status is not None:
        return StockOutcome.FAILED, error
    if external_id is None:
        return StockOutcome.SKIPPED, "The store does not have this variant."
    if not is_counted:
        return StockOutcome.SKIPPED, "Nobody counts its stock: it has no level in any warehouse."
    return StockOutcome.DONE, None
