"""Credentials on trial: a row that expires, and becomes a store only when a probe succeeded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import errors
from sqlalchemy import delete, func, insert, literal, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.crypto import Sealed
from db.subscriptions import outdate_subscriptions
from db.tables.stores import STORE_CHECKS, STORES
from domain.errors import ConflictError

_ALLOCATE = text("select nextval(pg_get_serial_sequence('stores', 'id'))")
_CODE_INDEX = "uq_stores_tenant_id_code"
_CIPHERTEXT = ("encrypted_data", "iv", "tag", "key_id")


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """Credentials on trial for a store that may not exist yet."""

    store_id: int
    provider: str
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class NewStore:
    """All of a store but its credentials, which the check has."""

    name: str
    code: str
    webhook_code: str
    store_url: str
    facts: Mapping[str, Any]
    settings: Mapping[str, Any]


async def allocate_store_id(connection: AsyncConnection) -> int:
    """A store id, taken before the store exists because its credentials are bound to it."""
    return int((await connection.execute(_ALLOCATE)).scalar_one())


async def create_check(
    connection: AsyncConnection, tenant_id: int, check: StoreCheck, *, expires_at: datetime
) -> int:
    """Put credentials on trial; returns the row's id."""
    created = await connection.execute(
        insert(STORE_CHECKS)
        .values(
            tenant_id=tenant_id,
            store_id=check.store_id,
            provider=check.provider,
            encrypted_data=check.sealed.encrypted_data,
            iv=check.sealed.iv,
            tag=check.sealed.tag,
            key_id=check.sealed.key_id,
            expires_at=expires_at,
        )
        .returning(STORE_CHECKS.c.id)
    )
    return int(created.scalar_one())


async def copy_store_to_check(
    connection: AsyncConnection, store_id: int, *, expires_at: datetime
) -> int | None:
    """Put a store's own credentials on trial; None when there is no such store."""
    columns = STORES.c
    source = select(
        columns.tenant_id,
        columns.id,
        columns.provider,
        *(columns[name] for name in _CIPHERTEXT),
        literal(expires_at, STORE_CHECKS.c.expires_at.type),
    ).where(columns.id == store_id, columns.deleted_at.is_(None))
    created = await connection.execute(
        insert(STORE_CHECKS)
        .from_select(["tenant_id", "store_id", "provider", *_CIPHERTEXT, "expires_at"], source)
        .returning(STORE_CHECKS.c.id)
    )
    check_id: int | None = created.scalar_one_or_none()
    return check_id


async def find_check(connection: AsyncConnection, check_id: int) -> StoreCheck | None:
    """The credentials of a check that has not expired."""
    columns = STORE_CHECKS.c
    row = (
        (
            await connection.execute(
                select(STORE_CHECKS).where(columns.id == check_id, columns.expires_at > func.now())
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    sealed = Sealed(*(row[name] for name in _CIPHERTEXT))
    return StoreCheck(row["store_id"], row["provider"], sealed)


async def discard_check(connection: AsyncConnection, check_id: int) -> None:
    """Delete the row; it is no error that it is gone."""
    await connection.execute(delete(STORE_CHECKS).where(STORE_CHECKS.c.id == check_id))


async def promote_check(connection: AsyncConnection, check_id: int, new: NewStore) -> int:
    """Make a store of credentials that proved right: the ciphertext moves, the check is gone.

    Raises:
        ConflictError: the check expired, or the code was taken meanwhile. The transaction must be
            given up.
    """
    moved = _taken(check_id)
    source = select(
        moved.c.tenant_id,
        moved.c.store_id,
        moved.c.provider,
        *(moved.c[name] for name in _CIPHERTEXT),
        *(
            literal(getattr(new, name), STORES.c[name].type)
            for name in ("name", "code", "webhook_code", "store_url", "facts", "settings")
        ),
    )
    names = ["tenant_id", "id", "provider", *_CIPHERTEXT]
    names += ["name", "code", "webhook_code", "store_url", "facts", "settings"]
    statement = insert(STORES).from_select(names, source).add_cte(moved).returning(STORES.c.id)
    try:
        store_id = (await connection.execute(statement)).scalar_one_or_none()
    except IntegrityError as error:
        raise code_conflict(error, new.code) from None
    if store_id is None:
        raise ConflictError("the check of the credentials expired before it was done: try again")
    return int(store_id)


async def replace_credentials(
    connection: AsyncConnection,
    check_id: int,
    values: Mapping[str, Any],
    *,
    replaces: Sealed,
) -> None:
    """Give a store the credentials that proved right, and set `values` with them.

    Raises:
        ConflictError: the store's credentials are not those in `replaces` any more, or the code in
            `values` is taken. The transaction must be given up.
    """
    moved = _taken(check_id)
    statement = (
        update(STORES)
        .where(
            STORES.c.id == moved.c.store_id,
            STORES.c.deleted_at.is_(None),
            STORES.c.iv == replaces.iv,
            STORES.c.tag == replaces.tag,
        )
        .values(**{name: moved.c[name] for name in _CIPHERTEXT}, updated_at=func.now(), **values)
        .returning(STORES.c.id)
    )
    try:
        changed = (await connection.execute(statement)).first()
    except IntegrityError as error:
        raise code_conflict(error, str(values.get("code"))) from None
    if changed is None:
        raise ConflictError(
            "the store was changed or deleted while its new connection was being tried: "
            "read it again and repeat the change"
        )
    await outdate_subscriptions(connection, changed.id)


def code_conflict(error: IntegrityError, code: str) -> Exception:
    """What a violated constraint means, if it is the one on a store's code."""
    broken = error.orig
    if isinstance(broken, errors.UniqueViolation) and broken.diag.constraint_name == _CODE_INDEX:
        return ConflictError(f"there is a store with the code {code!r} already: choose another")
    return error


def _taken(check_id: int) -> Any:
    columns = STORE_CHECKS.c
    return (
        delete(STORE_CHECKS)
        .where(columns.id == check_id, columns.expires_at > func.now())
        .returning(STORE_CHECKS)
        .cte("taken")
    )
