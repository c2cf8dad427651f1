"""Stores as the API shows and changes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.crypto import Sealed
from db.store_checks import code_conflict
from db.tables.stores import STORE_CHECKS, STORES
from db.tables.sync import LINKS
from domain.statuses import SyncStatus


@dataclass(frozen=True, slots=True)
class Store:
    """A store that is not deleted, without its credentials."""

    id: int
    name: str
    code: str
    webhook_code: str = field(repr=False)
    provider: str
    store_url: str
    facts: Mapping[str, Any]
    settings: Mapping[str, Any]
    is_active: bool
    sync_status: str
    last_sync_error: str | None
    sync_retry_count: int
    last_sync_attempt_at: datetime | None
    next_retry_at: datetime | None
    created_at: datetime
    updated_at: datetime


_COLUMNS = [STORES.c[name] for name in Store.__dataclass_fields__]


async def list_stores(connection: AsyncConnection, *, after: int, limit: int) -> Sequence[Store]:
    """Stores by id, from the first one after `after`."""
    rows = await connection.execute(
        _live().where(STORES.c.id > after).order_by(STORES.c.id).limit(limit)
    )
    return [Store(**row) for row in rows.mappings()]


async def list_stores_of(connection: AsyncConnection, provider: str) -> Sequence[Store]:
    """All stores of one provider, oldest first."""
    rows = await connection.execute(
        _live().where(STORES.c.provider == provider).order_by(STORES.c.id)
    )
    return [Store(**row) for row in rows.mappings()]


async def find_store(connection: AsyncConnection, store_id: int) -> Store | None:
    """One store."""
    row = (await connection.execute(_live().where(STORES.c.id == store_id))).mappings()
    found = row.one_or_none()
    return None if found is None else Store(**found)


async def is_code_taken(connection: AsyncConnection, code: str) -> bool:
    """Whether a store of the tenant has this code."""
    found = await connection.execute(
        select(STORES.c.id).where(STORES.c.code == code, STORES.c.deleted_at.is_(None))
    )
    return found.first() is not None


async def find_credentials(
    connection: AsyncConnection, store_id: int, *, for_update: bool = False
) -> Sealed | None:
    """The credentials of a store, as they are kept; the store locked if they are to be changed."""
    columns = STORES.c
    statement = select(columns.encrypted_data, columns.iv, columns.tag, columns.key_id).where(
        columns.id == store_id, columns.encrypted_data.is_not(None)
    )
    if for_update:
        statement = statement.with_for_update()
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Sealed(*row)


async def has_links(connection: AsyncConnection, store_id: int) -> bool:
    """Whether anything was ever taken over from the store."""
    return bool(
        (await connection.execute(select(exists().where(LINKS.c.store_id == store_id)))).scalar()
    )


async def update_store(
    connection: AsyncConnection, store_id: int, values: Mapping[str, Any]
) -> None:
    """Set columns of a store.

    Raises:
        ConflictError: the code is taken. The transaction must be given up.
    """
    try:
        await connection.execute(
            update(STORES)
            .where(STORES.c.id == store_id, STORES.c.deleted_at.is_(None))
            .values(**values, updated_at=func.now())
        )
    except IntegrityError as error:
        raise code_conflict(error, str(values.get("code"))) from None


async def set_active(connection: AsyncConnection, store_id: int, *, is_active: bool) -> None:
    """Let a store take part, or not."""
    await connection.execute(
        update(STORES)
        .where(STORES.c.id == store_id, STORES.c.deleted_at.is_(None))
        .values(is_active=is_active, updated_at=func.now())
    )


async def delete_store(connection: AsyncConnection, store_id: int) -> bool:
    """Delete softly: stop it, wipe its secrets, free its code. False when there is none."""
    deleted = await connection.execute(
        update(STORES)
        .where(STORES.c.id == store_id, STORES.c.deleted_at.is_(None))
        .values(
            is_active=False,
            deleted_at=func.now(),
            updated_at=func.now(),
            next_retry_at=None,
            **dict.fromkeys(("encrypted_data", "iv", "tag", "key_id")),
        )
        .returning(STORES.c.id)
    )
    if deleted.first() is None:
        return False
    await connection.execute(delete(STORE_CHECKS).where(STORE_CHECKS.c.store_id == store_id))
    return True


async def mark_import_pending(
    connection: AsyncConnection, store_id: int, *, last_attempt_at: datetime | None
) -> None:
    """Show that an import was started which has not begun its work.

    `last_attempt_at` is what the store said before the start: an import that began meanwhile has
    moved it, and its own status stands.
    """
    columns = STORES.c
    await connection.execute(
        update(STORES)
        .where(
            columns.id == store_id,
            columns.last_sync_attempt_at.is_not_distinct_from(last_attempt_at),
        )
        .values(sync_status=SyncStatus.PENDING.value, updated_at=func.now())
    )


async def list_providers_in_use(connection: AsyncConnection) -> Mapping[str, Sequence[str]]:
    """The sync statuses of the tenant's active stores, by provider."""
    columns = STORES.c
    rows = await connection.execute(
        select(columns.provider, func.array_agg(columns.sync_status.distinct()))
        .where(columns.deleted_at.is_(None), columns.is_active)
        .group_by(columns.provider)
        .order_by(columns.provider)
    )
    return {row[0]: row[1] for row in rows}


def _live() -> Select[Any]:
    return select(*_COLUMNS).where(STORES.c.deleted_at.is_(None))
