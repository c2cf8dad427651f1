"""Writing products with their variants in the hub itself.

Each function belongs to a transaction that ends with `db.publishing.publish`, and returns what has
to be published.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.hub_writes import (
    Values,
    change_record,
    claim_names,
    claim_recognition,
    delete_record,
    lock_record,
    slug_of,
)
from db.hub_writes_variants import (
    VariantWrite,
    add_variant,
    change_variant,
    lock_variants,
    remove_variants,
    reprice,
)
from db.publishing import Touch
from db.tables.records import PRODUCTS
from domain.entities import Entity
from domain.errors import ConflictError, NotFoundError

_TAKEN = text("""
select v.sku, v.product_id
from product_variants v join products p on p.tenant_id = v.tenant_id and p.id = v.product_id
where v.tenant_id = :tenant and v.sku = any(:skus) and v.sku <> '' and v.product_id <> :product
  and v.deleted_at is null and p.deleted_at is null
order by v.sku limit 1
""")

_CURRENCIES = text("""
select distinct s.facts ->> 'currency' from stores s
where s.tenant_id = :tenant and s.deleted_at is null and s.facts ->> 'currency' <> ''
""")


async def currency_of_stores(connection: AsyncConnection, tenant_id: int) -> str | None:
    """The currency all stores of the tenant sell in; None when there is not exactly one."""
    found = (await connection.execute(_CURRENCIES, {"tenant": tenant_id})).scalars().all()
    return str(found[0]) if len(found) == 1 else None


async def create_product(
    connection: AsyncConnection, tenant_id: int, values: Values, variants: Sequence[VariantWrite]
) -> Touch:
    """Make a product with its variants and their stock.

    Raises:
        ConflictError: another product has one of the SKUs.
    """
    await _check_skus(connection, tenant_id, 0, variants)
    made = await connection.execute(
        insert(PRODUCTS)
        .values(
            **{
                **values,
                "tenant_id": tenant_id,
                "slug": values.get("slug") or slug_of(values["title"]),
                "raw_status": "",
                "kind": _kind(len(variants), values["options"]),
            }
        )
        .returning(PRODUCTS.c.id)
    )
    product_id = made.scalar_one()
    for position, variant in enumerate(variants, start=1):
        place = (product_id, position, values["currency"])
        await add_variant(connection, tenant_id, place, variant)
    return Touch(Entity.PRODUCTS, product_id, "created")


async def change_product(
    connection: AsyncConnection,
    tenant_id: int,
    product_id: int,
    values: Values,
    variants: Sequence[VariantWrite],
) -> Sequence[Touch]:
    """Set columns of a product; change, add and remove the variants that are named.

    Raises:
        NotFoundError: no such product, or no such variant of it.
        ConflictError: another product has one of the SKUs, no variant would be left, or a variant
            that has stock already would be opened.
    """
    row = await lock_record(connection, Entity.PRODUCTS, product_id)
    held = await lock_variants(connection, product_id)
    _check_variants(product_id, held, variants)
    await _check_skus(connection, tenant_id, product_id, variants)
    kept = {**row, **values}
    touches: list[Touch] = []
    changed = False
    last = max((one["position"] for one in held.values()), default=0)
    for variant in variants:
        if variant.id is None:
            last += 1
            place = (product_id, last, kept["currency"])
            await add_variant(connection, tenant_id, place, variant)
            changed = True
        elif variant.remove:
            touches += await remove_variants(connection, tenant_id, [variant.id])
            changed = True
        else:
            done, moved = await change_variant(connection, tenant_id, held[variant.id], variant)
            changed, touches = changed or done, touches + moved
    if "currency" in values and values["currency"] != row["currency"]:
        await reprice(connection, product_id, values["currency"])
    if changed or "options" in values:
        left = len(held) + sum((one.id is None) - one.remove for one in variants)
        values = {**values, "kind": _kind(left, kept["options"], row["kind"])}
    if not await change_record(connection, Entity.PRODUCTS, row, values):
        if not changed:
            return touches
        await connection.execute(
            update(PRODUCTS).where(PRODUCTS.c.id == product_id).values(updated_at=func.now())
        )
    return [Touch(Entity.PRODUCTS, product_id, "updated"), *touches]


async def delete_product(
    connection: AsyncConnection, tenant_id: int, product_id: int
) -> Sequence[Touch]:
    """Delete a product with its variants and their stock."""
    await lock_record(connection, Entity.PRODUCTS, product_id)
    held = await lock_variants(connection, product_id)
    touches = await remove_variants(connection, tenant_id, list(held))
    await delete_record(connection, Entity.PRODUCTS, product_id)
    return [*touches, Touch(Entity.PRODUCTS, product_id, "deleted")]


def _kind(variants: int, options: Sequence[Any], known: str = "simple") -> str:
    """A product with a choice is `variable`; other kinds that a store knows stay what they are."""
    if known not in ("simple", "variable"):
        return known
    return "variable" if variants > 1 or options else "simple"


def _check_variants(
    product_id: int, held: Mapping[int, Values], variants: Sequence[VariantWrite]
) -> None:
    for variant in variants:
        if variant.id is not None and variant.id not in held:
            raise NotFoundError(
                f"product {product_id} has no variant {variant.id}. GET /api/products/{product_id}"
                " shows those it has"
            )
    named = {one.id: one for one in variants if one.id is not None}
    kept = [row["sku"] for key, row in held.items() if key not in named]
    given = [
        one.values.get("sku", held[one.id]["sku"] if one.id else "")
        for one in variants
        if not one.remove
    ]
    skus = [sku for sku in (*kept, *given) if sku]
    if len(set(skus)) < len(skus):
        raise ConflictError(f"two variants of product {product_id} would have the same SKU")
    removed = sum(one.remove for one in variants)
    if removed and removed == len(held) and not any(one.id is None for one in variants):
        raise ConflictError("a product keeps one variant at least: delete the product instead")


async def _check_skus(
    connection: AsyncConnection, tenant_id: int, product_id: int, variants: Sequence[VariantWrite]
) -> None:
    skus = sorted({sku for one in variants if (sku := one.values.get("sku"))})
    if not skus:
        return
    await claim_recognition(connection, tenant_id, Entity.PRODUCTS)
    await claim_names(connection, tenant_id, [f"sku:{sku}" for sku in skus])
    named = {"tenant": tenant_id, "skus": skus, "product": product_id}
    taken = (await connection.execute(_TAKEN, named)).one_or_none()
    if taken is not None:
        raise ConflictError(
            f"product {taken.product_id} has the SKU {taken.sku!r} already: stores find products "
            "by it, so it can be used once"
        )
