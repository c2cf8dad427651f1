"""One shop is one store of a tenant: which it is or was, and the store that comes back.

A shop that is connected again after its store was deleted becomes that store again. Its records
still have the shop's ids in their links, so nothing is taken for new: no order is counted twice,
and nothing without a natural key (`db.matching`) is sent back to the shop that it came from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, desc, exists, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.crypto import Sealed
from db.lane_failures import resume_store_lanes
from db.sealed_tables import CIPHERTEXT
from db.store_checks import NewStore, code_conflict
from db.tables.lanes import PUSHES
from db.tables.stores import STORE_CHECKS, STORES
from db.tables.sync import LINKS
from domain.errors import ConflictError
from domain.statuses import SyncStatus

_ONE_AT_A_TIME: Final = text(
    "select pg_advisory_xact_lock(hashtextextended('shops/' || cast(:tenant as text), 0))"
)

# What the hub deleted while the store was away, and the shop still has: it comes in as new.
_FORGET_DELETED: Final = text("""
with away as (
  select s.tenant_id, s.id, s.deleted_at from stores s
  where s.tenant_id = :tenant and s.id = :store and s.deleted_at is not null),
gone as materialized (
  select 'categories' as entity, r.id from away
  join categories r on r.tenant_id = away.tenant_id and r.deleted_at >= away.deleted_at
  union all
  select 'products', r.id from away
  join products r on r.tenant_id = away.tenant_id and r.deleted_at >= away.deleted_at
  union all
  select 'variants', v.id from away
  join products r on r.tenant_id = away.tenant_id and r.deleted_at >= away.deleted_at
  join product_variants v on v.tenant_id = r.tenant_id and v.product_id = r.id
  union all
  select 'customers', r.id from away
  join customers r on r.tenant_id = away.tenant_id and r.deleted_at >= away.deleted_at)
delete from links l using gone
where l.tenant_id = :tenant and l.store_id = :store and l.deleted_at is null
  and l.entity = gone.entity and l.record_id = gone.id
""")


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop that is a store, or was one. `sealed` is None where the store is deleted."""

    store_id: int
    store_url: str
    is_active: bool
    is_deleted: bool
    has_records: bool
    sealed: Sealed | None = field(repr=False)


async def lock_shops(connection: AsyncConnection, tenant_id: int) -> None:
    """Until the commit nobody else connects a shop of the tenant, or moves a store."""
    await connection.execute(_ONE_AT_A_TIME, {"tenant": tenant_id})


async def list_shops(connection: AsyncConnection, provider: str) -> Sequence[Shop]:
    """The tenant's shops of one provider: stores first, oldest first; then deleted ones, those
    that left records first, and of them the last one deleted."""
    columns = STORES.c
    has_records = (
        exists()
        .where(LINKS.c.tenant_id == columns.tenant_id, LINKS.c.store_id == columns.id)
        .label("has_records")
    )
    rows = await connection.execute(
        select(STORES, has_records)
        .where(columns.provider == provider)
        .order_by(
            columns.deleted_at.is_not(None),
            desc("has_records"),
            columns.deleted_at.desc(),
            columns.id,
        )
    )
    return [
        Shop(
            store_id=row["id"],
            store_url=row["store_url"],
            is_active=row["is_active"],
            is_deleted=row["deleted_at"] is not None,
            has_records=row["has_records"],
            sealed=None if row["iv"] is None else Sealed(*(row[name] for name in CIPHERTEXT)),
        )
        for row in rows.mappings()
    ]


async def bring_back(
    connection: AsyncConnection,
    tenant_id: int,
    store_id: int,
    check_id: int,
    new: NewStore,
    sealed: Sealed,
) -> None:
    """Make a deleted store what it was, with credentials that proved right.

    What waited to be sent to it is forgotten: the shop is heard first, and its next import sends
    what it lacks (`db.initial_push`).

    Args:
        sealed: the credentials of the check, bound to this store.

    Raises:
        ConflictError: the check expired, or the code was taken meanwhile. The transaction must be
            given up.
    """
    checks, columns = STORE_CHECKS.c, STORES.c
    # Lanes before their store: drains that fail lock them in this order.
    await resume_store_lanes(connection, tenant_id, store_id)
    taken = await connection.execute(
        delete(STORE_CHECKS)
        .where(checks.id == check_id, checks.expires_at > func.now())
        .returning(checks.id)
    )
    if taken.first() is None:
        raise ConflictError("the check of the credentials expired before it was done: try again")
    await connection.execute(_FORGET_DELETED, {"tenant": tenant_id, "store": store_id})
    await connection.execute(delete(PUSHES).where(PUSHES.c.store_id == store_id))
    try:
        await connection.execute(
            update(STORES)
            .where(columns.id == store_id, columns.deleted_at.is_not(None))
            .values(
                name=new.name,
                code=new.code,
                webhook_code=new.webhook_code,
                store_url=new.store_url,
                facts=new.facts,
                settings=new.settings,
                is_active=True,
                deleted_at=None,
                sync_status=SyncStatus.PENDING.value,
                last_sync_error=None,
                sync_retry_count=0,
                last_sync_attempt_at=None,
                next_retry_at=None,
                updated_at=func.now(),
                **{one: getattr(sealed, one) for one in CIPHERTEXT},
            )
        )
    except IntegrityError as error:
        raise code_conflict(error, new.code) from None
