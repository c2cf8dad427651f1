"""API keys: who may call the API, and for what.

A secret is 256 random bits, so a fast keyed-by-nothing digest is enough at rest: there is no
dictionary to try, and a slow password hash would only make every request slow.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

from psycopg import AsyncConnection as Driver
from psycopg.rows import dict_row
from pydantic import SecretStr
from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.tenancy import API_KEYS
from domain.errors import ConflictError
from domain.ip_allow_list import read_network

_FIND: Final = "select * from find_key(%s)"
_DIGEST_BYTES = 32

MOST_NETWORKS: Final = 100
MOST_PER_MINUTE: Final = 1_000_000


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


_OPEN_NOTHING: Final = frozenset(
    {"shared_data", "product_management", "platform_management", "core_transaction_1_export"}
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key, found by its public half. See `NewKey` for where from and how often."""

    tenant_id: int
    id: int
    name: str
    type: str
    secret_hash: bytes = field(repr=False)
    permissions: frozenset[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    ip_allow_list: tuple[str, ...] = ()
    requests_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class KeySummary:
    """A key as lists show it. `last_used_at` lags a few seconds behind: see `db.key_usage`."""

    id: int
    name: str
    type: str
    key: str
    permissions: tuple[str, ...]
    ip_allow_list: tuple[str, ...]
    requests_per_minute: int | None
    rotated_from: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def is_in_force(self, now: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to make.

    Attributes:
        type: a word of its owner's own, which changes nothing.
        ip_allow_list: addresses and networks it may be used from; empty: any.
        requests_per_minute: its own limit; None: the usual one.
        rotated_from: the id of the key whose place it takes.

    Raises:
        ValueError: a permission that does not exist (the message lists those that do), a network
            that is none, or a number out of its limits.
    """

    name: str
    type: str = "external"
    permissions: tuple[str, ...] = (Permission.EVERYTHING,)
    expires_at: datetime | None = None
    ip_allow_list: tuple[str, ...] = ()
    requests_per_minute: int | None = None
    rotated_from: int | None = None

    def __post_init__(self) -> None:
        check_permissions(self.permissions)
        for network in self.ip_allow_list:
            read_network(network)
        if len(self.ip_allow_list) > MOST_NETWORKS:
            raise ValueError(f"a key has at most {MOST_NETWORKS} addresses and networks")
        limit = self.requests_per_minute
        if limit is not None and not 1 <= limit <= MOST_PER_MINUTE:
            raise ValueError(f"requests per minute are 1 to {MOST_PER_MINUTE}")


def check_permissions(wanted: Iterable[str]) -> None:
    """Raise ValueError for the first that does not exist; it lists those that open something."""
    known = {permission.value for permission in Permission}
    for permission in wanted:
        if permission not in known:
            usable = ", ".join(sorted(known - _OPEN_NOTHING))
            raise ValueError(f"there is no permission {permission!r}; there are {usable}")


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
            ip_allow_list=list(new.ip_allow_list),
            requests_per_minute=new.requests_per_minute,
            rotated_from=new.rotated_from,
        )
    )
    return key, SecretStr(secret)


async def find_key(connection: AsyncConnection, key: str) -> ApiKey | None:
    """Look a key up before its tenant is known."""
    raw = await connection.get_raw_connection()
    # At every request: the driver alone takes half the time.
    async with cast("Driver[Any]", raw.driver_connection).cursor(row_factory=dict_row) as cursor:
        row = await (await cursor.execute(_FIND, (key,))).fetchone()
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
        ip_allow_list=tuple(row["ip_allow_list"]),
        requests_per_minute=row["requests_per_minute"],
    )


_SUMMARY: Final = [API_KEYS.c[name] for name in KeySummary.__dataclass_fields__]


async def list_keys(
    connection: AsyncConnection, *, after: int = 0, limit: int | None = None
) -> Sequence[KeySummary]:
    """The tenant's keys by id, from the first one after `after`; revoked ones among them."""
    rows = await connection.execute(
        select(*_SUMMARY).where(API_KEYS.c.id > after).order_by(API_KEYS.c.id).limit(limit)
    )
    return [_summary(row) for row in rows.mappings()]


async def load_key(
    connection: AsyncConnection, which: int | str, *, for_update: bool = False
) -> KeySummary | None:
    """One of the tenant's keys, by its id or its public half; locked if it is to be changed."""
    statement = select(*_SUMMARY).where(_is(which))
    if for_update:
        statement = statement.with_for_update()
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _summary(row)


async def change_key(connection: AsyncConnection, key_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of a key."""
    await connection.execute(update(API_KEYS).where(API_KEYS.c.id == key_id).values(**values))


async def revoke_key(connection: AsyncConnection, which: int | str) -> bool:
    """Revoke a key by its id or public half; False when the tenant has no such unrevoked key."""
    result = await connection.execute(
        update(API_KEYS)
        .where(_is(which), API_KEYS.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(API_KEYS.c.id)
    )
    return result.first() is not None


async def find_successor(connection: AsyncConnection, key_id: int) -> int | None:
    """The newest key that took the place of this one, whatever became of it since."""
    columns = API_KEYS.c
    newest = select(func.max(columns.id)).where(columns.rotated_from == key_id)
    return cast("int | None", (await connection.execute(newest)).scalar_one())


async def rotate_key(
    connection: AsyncConnection,
    tenant_id: int,
    held: KeySummary,
    *,
    ends_at: datetime,
    now: datetime,
    expires_at: datetime | None,
) -> tuple[str, SecretStr]:
    """Make another key with the same rights; the one that is held works until `ends_at`.

    Args:
        held: from `load_key` with `for_update`, in this transaction: of two rotations at a time
            the second must find the first.
        expires_at: of the new key; the old one ends no later than it would have anyway.

    Returns (key, secret) of the new one, the secret only here.

    Raises:
        ConflictError: it is not in force, or another key took its place already.
    """
    if not held.is_in_force(now):
        raise ConflictError(f"key {held.id} is revoked or expired: make a new key")
    columns = API_KEYS.c
    successor = await connection.execute(
        select(columns.id).where(
            columns.rotated_from == held.id,
            columns.revoked_at.is_(None),
            or_(columns.expires_at.is_(None), columns.expires_at > now),
        )
    )
    if (row := successor.first()) is not None:
        raise ConflictError(
            f"key {held.id} was rotated already: rotate key {row.id}, which took its place, or "
            "revoke that one first"
        )
    made = await create_key(
        connection,
        tenant_id,
        NewKey(
            name=held.name,
            type=held.type,
            permissions=held.permissions,
            expires_at=expires_at,
            ip_allow_list=held.ip_allow_list,
            requests_per_minute=held.requests_per_minute,
            rotated_from=held.id,
        ),
    )
    ends_at = min(ends_at, held.expires_at or ends_at)
    await connection.execute(update(API_KEYS).where(_is(held.id)).values(expires_at=ends_at))
    return made


def _is(which: int | str) -> ColumnElement[bool]:
    return API_KEYS.c.id == which if isinstance(which, int) else API_KEYS.c.key == which


def _summary(row: Mapping[Any, Any]) -> KeySummary:
    lists = {name: tuple(row[name]) for name in ("permissions", "ip_allow_list")}
    return KeySummary(**{**row, **lists})
