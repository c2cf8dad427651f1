"""API keys: who may call the API, and for what.

A secret is 256 random bits, so a fast keyed-by-nothing digest is enough at rest: there is no
dictionary to try, and a slow password hash would only make every request slow.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import SecretStr
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.tenancy import API_KEYS

_FIND = text("select * from find_api_key(:key)")
_DIGEST_BYTES = 32


class Permission(StrEnum):
    """What a key may be allowed. The last four are partners' names and open nothing yet."""

    EVERYTHING = "*"
    STORES_READ = "stores:read"
    STORES_WRITE = "stores:write"
    SYNCS_READ = "syncs:read"
    SYNCS_WRITE = "syncs:write"
    RECORDS_READ = "records:read"
    RECORDS_WRITE = "records:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    AUDIT_READ = "audit:read"
    SHARED_DATA = "shared_data"
    PRODUCT_MANAGEMENT = "product_management"
    PLATFORM_MANAGEMENT = "platform_management"
    CORE_TRANSACTION_1_EXPORT = "core_transaction_1_export"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key, found by its public half."""

    tenant_id: int
    id: int
    name: str
    type: str
    secret_hash: bytes = field(repr=False)
    permissions: frozenset[str]
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeySummary:
    """A key as lists show it."""

    id: int
    name: str
    type: str
    key: str
    permissions: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to make.

    Raises:
        ValueError: a permission that does not exist; the message lists those that do.
    """

    name: str
    type: str = "external"
    permissions: tuple[str, ...] = (Permission.EVERYTHING,)
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        check_permissions(self.permissions)


def check_permissions(wanted: Iterable[str]) -> None:
    """Raise ValueError for the first permission that does not exist."""
    known = {permission.value for permission in Permission}
    for permission in wanted:
        if permission not in known:
            raise ValueError(
                f"there is no permission {permission!r}; there are {', '.join(sorted(known))}"
            )


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.blake2b(
        secret.encode(), digest_size=_DIGEST_BYTES, person=b"entrepot api key"
    ).digest()


async def create_key(
    connection: AsyncConnection, tenant_id: int, new: NewKey
) -> tuple[str, SecretStr]:
    """Make a key in the tenant's transaction; returns (key, secret), the secret only here."""
    key = f"ek_{secrets.token_urlsafe(24)}"
    secret = f"es_{secrets.token_urlsafe(32)}"
    await connection.execute(
        insert(API_KEYS).values(
            tenant_id=tenant_id,
            name=new.name,
            type=new.type,
            key=key,
            secret_hash=hash_secret(secret),
            permissions=list(new.permissions),
            expires_at=new.expires_at,
        )
    )
    return key, SecretStr(secret)


async def find_key(connection: AsyncConnection, key: str) -> ApiKey | None:
    """Look a key up before its tenant is known."""
    row = (await connection.execute(_FIND, {"key": key})).mappings().one_or_none()
    if row is None:
        return None
    return ApiKey(
        tenant_id=row["tenant_id"],
        id=row["id"],
        name=row["name"],
        type=row["type"],
        secret_hash=bytes(row["secret_hash"]),
        permissions=frozenset(row["permissions"]),
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )


async def list_keys(connection: AsyncConnection) -> Sequence[KeySummary]:
    """All keys of the tenant, oldest first, revoked ones among them."""
    columns = API_KEYS.c
    rows = await connection.execute(
        select(
            columns.id,
            columns.name,
            columns.type,
            columns.key,
            columns.permissions,
            columns.created_at,
            columns.expires_at,
            columns.revoked_at,
        ).order_by(columns.id)
    )
    return [
        KeySummary(**{**row, "permissions": tuple(row["permissions"])}) for row in rows.mappings()
    ]


async def revoke_key(connection: AsyncConnection, key: str) -> bool:
    """Revoke a key by its public half, at once; False when the tenant has no such key in force."""
    result = await connection.execute(
        update(API_KEYS)
        .where(API_KEYS.c.key == key, API_KEYS.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(API_KEYS.c.id)
    )
    return result.first() is not None
