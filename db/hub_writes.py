"""Writing categories, customers and the status of orders in the hub itself.

Each function belongs to a transaction that ends with `db.publishing.publish`, and returns what has
to be published. A record that is not there, or deleted, raises NotFoundError.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, exists, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.publishing import Touch
from db.settle_orders import settle_orders
from db.staging import Origin
from db.tables.records import CATEGORIES, CUSTOMERS, ORDERS, PRODUCTS
from domain.entities import Entity
from domain.errors import ConflictError, NotFoundError
from domain.statuses import OrderStatus

Values = Mapping[str, Any]

_TABLES: Mapping[Entity, Table] = {
    Entity.CATEGORIES: CATEGORIES,
    Entity.PRODUCTS: PRODUCTS,
    Entity.CUSTOMERS: CUSTOMERS,
    Entity.ORDERS: ORDERS,
}
_NOUNS = {
    Entity.CATEGORIES: "category",
    Entity.PRODUCTS: "product",
    Entity.CUSTOMERS: "customer",
    Entity.ORDERS: "order",
}
_LONGEST_SLUG = 200
_BREAKS = re.compile(r"[^\w]+")

_ANCESTORS = text("""
with recursive up as (
  select c.id, c.parent_id from categories c where c.tenant_id = :tenant and c.id = :parent
  union
  select c.id, c.parent_id
  from up join categories c on c.tenant_id = :tenant and c.id = up.parent_id)
select id from up
""")

# One name at a time, whoever asks: two at once would both find that nobody has it.
_CLAIM_NAME = text(
    "select pg_advisory_xact_lock(hashtextextended(cast(:name as text), cast(:tenant as bigint)))"
)
_CLAIM_RECOGNITION = text("""
select pg_advisory_xact_lock(
  hashtextextended('match/' || cast(:tenant as text) || '/' || cast(:entity as text), 0))
""")


def slug_of(name: str) -> str:
    """A name as it stands in addresses: words joined by hyphens, in their own script."""
    plain = unicodedata.normalize("NFKC", name).lower()
    return _BREAKS.sub("-", plain).replace("_", "-").strip("-")[:_LONGEST_SLUG]


async def claim_names(connection: AsyncConnection, tenant_id: int, names: Collection[str]) -> None:
    """Hold names (`sku:TEA-1`) until the transaction ends, against whoever wants the same."""
    for name in sorted(set(names)):
        await connection.execute(_CLAIM_NAME, {"name": name, "tenant": tenant_id})


async def claim_recognition(connection: AsyncConnection, tenant_id: int, entity: Entity) -> None:
    """Let no store bring in what is about to be made here, until the transaction ends.

    `db.matching` takes the same lock: who comes second sees what the first one made.
    """
    named = {"tenant": tenant_id, "entity": entity.value}
    await connection.execute(_CLAIM_RECOGNITION, named)


async def missing_ids(
    connection: AsyncConnection, entity: Entity, ids: Collection[int]
) -> frozenset[int]:
    """Those of the ids that the tenant has no live record of."""
    table = _TABLES[entity]
    found = await connection.execute(
        select(table.c.id).where(table.c.id.in_(sorted(set(ids))), table.c.deleted_at.is_(None))
    )
    return frozenset(ids) - frozenset(found.scalars())


async def lock_record(connection: AsyncConnection, entity: Entity, record_id: int) -> Values:
    """The record's row, locked for a change."""
    table = _TABLES[entity]
    found = await connection.execute(
        select(table).where(table.c.id == record_id, table.c.deleted_at.is_(None)).with_for_update()
    )
    row = found.mappings().one_or_none()
    if row is None:
        noun = _NOUNS[entity]
        raise NotFoundError(
            f"there is no {noun} {record_id}. GET /api/{entity.value} lists those there are"
        )
    return {str(name): value for name, value in row.items()}


async def change_record(
    connection: AsyncConnection, entity: Entity, row: Values, values: Values
) -> bool:
    """Set columns of a locked record; False when it has them already."""
    if all(row[name] == value for name, value in values.items()):
        return False
    table = _TABLES[entity]
    await connection.execute(
        update(table).where(table.c.id == row["id"]).values(**values, updated_at=func.now())
    )
    return True


async def delete_record(connection: AsyncConnection, entity: Entity, record_id: int) -> None:
    """Delete a locked record softly."""
    table = _TABLES[entity]
    await connection.execute(
        update(table)
        .where(table.c.id == record_id)
        .values(deleted_at=func.now(), updated_at=func.now())
    )


async def create_category(connection: AsyncConnection, tenant_id: int, values: Values) -> Touch:
    """Make a category. Without a slug it gets its name's."""
    slug = values.get("slug") or slug_of(values["name"])
    made = await connection.execute(
        insert(CATEGORIES)
        .values(**{**values, "tenant_id": tenant_id, "slug": slug})
        .returning(CATEGORIES.c.id)
    )
    return Touch(Entity.CATEGORIES, made.scalar_one(), "created")


async def change_category(
    connection: AsyncConnection, tenant_id: int, category_id: int, values: Values
) -> Sequence[Touch]:
    """Set columns of a category.

    Raises:
        ConflictError: its parent would be itself, or below it.
    """
    row = await lock_record(connection, Entity.CATEGORIES, category_id)
    if values.get("parent_id") is not None:
        await claim_names(connection, tenant_id, ["category tree"])
        above = await connection.execute(
            _ANCESTORS, {"tenant": tenant_id, "parent": values["parent_id"]}
        )
        if category_id in set(above.scalars()):
            raise ConflictError(f"category {values['parent_id']} is below category {category_id}")
    changed = await change_record(connection, Entity.CATEGORIES, row, values)
    return [Touch(Entity.CATEGORIES, category_id, "updated")] if changed else []


async def delete_category(connection: AsyncConnection, category_id: int) -> Sequence[Touch]:
    """Delete a category; those below it move up to its parent."""
    row = await lock_record(connection, Entity.CATEGORIES, category_id)
    moved = await connection.execute(
        update(CATEGORIES)
        .where(CATEGORIES.c.parent_id == category_id, CATEGORIES.c.deleted_at.is_(None))
        .values(parent_id=row["parent_id"], updated_at=func.now())
        .returning(CATEGORIES.c.id)
    )
    await delete_record(connection, Entity.CATEGORIES, category_id)
    below = [Touch(Entity.CATEGORIES, child, "updated") for child in moved.scalars()]
    return [*below, Touch(Entity.CATEGORIES, category_id, "deleted")]


async def create_customer(connection: AsyncConnection, tenant_id: int, values: Values) -> Touch:
    """Make a customer.

    Raises:
        ConflictError: another one has the e-mail address.
    """
    await _check_email(connection, tenant_id, values["email"])
    made = await connection.execute(
        insert(CUSTOMERS)
        .values(**values, tenant_id=tenant_id, is_guest=False, is_paying=False)
        .returning(CUSTOMERS.c.id)
    )
    return Touch(Entity.CUSTOMERS, made.scalar_one(), "created")


async def change_customer(
    connection: AsyncConnection, tenant_id: int, customer_id: int, values: Values
) -> Sequence[Touch]:
    """Set columns of a customer; of the addresses only the parts that are named.

    Raises:
        ConflictError: another one has the e-mail address.
    """
    row = await lock_record(connection, Entity.CUSTOMERS, customer_id)
    if "email" in values and values["email"] != row["email"]:
        await _check_email(connection, tenant_id, values["email"], but=customer_id)
    addresses = {
        name: {**row[name], **values[name]} for name in ("billing", "shipping") if name in values
    }
    changed = await change_record(connection, Entity.CUSTOMERS, row, {**values, **addresses})
    return [Touch(Entity.CUSTOMERS, customer_id, "updated")] if changed else []


async def delete_customer(connection: AsyncConnection, customer_id: int) -> Sequence[Touch]:
    """Delete a customer; their orders stay."""
    await lock_record(connection, Entity.CUSTOMERS, customer_id)
    await delete_record(connection, Entity.CUSTOMERS, customer_id)
    return [Touch(Entity.CUSTOMERS, customer_id, "deleted")]


async def change_order_status(
    connection: AsyncConnection, tenant_id: int, order_id: int, status: OrderStatus
) -> Sequence[Touch]:
    """Set an order's status, and do to stock what follows from it.

    The store's own word for its old status goes: the store says the new one when it has it.
    """
    row = await lock_record(connection, Entity.ORDERS, order_id)
    if row["status"] == status.value:
        return []
    await change_record(connection, Entity.ORDERS, row, {"status": status.value, "raw_status": ""})
    await settle_orders(connection, Origin(tenant_id, row["store_id"]), [order_id])
    return [Touch(Entity.ORDERS, order_id, "updated")]


async def _check_email(
    connection: AsyncConnection, tenant_id: int, email: str, *, but: int | None = None
) -> None:
    if not email:
        return
    await claim_recognition(connection, tenant_id, Entity.CUSTOMERS)
    await claim_names(connection, tenant_id, [f"email:{email.lower()}"])
    columns = CUSTOMERS.c
    taken = await connection.execute(
        select(
            exists().where(
                func.lower(columns.email) == email.lower(),
                columns.deleted_at.is_(None),
                columns.is_guest.is_(False),
                columns.id != (but or 0),
            )
        )
    )
    if taken.scalar_one():
        raise ConflictError("another customer has this e-mail address: change that one instead")
