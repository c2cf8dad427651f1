"""One-time tokens of installations: what the merchant filled in, until the shop brings its key.

Only a token's SHA-256 is kept: 256 random bits need no slower digest. A token is used up by the
store that comes of it; a key that the store does not accept leaves it as it was, and so does a
process that was killed in between, a few minutes later.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, or_, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.crypto import Sealed
from db.tables.upkeep import CONNECT_TOKENS

_FIND: Final = text("select * from find_connect_token(:hash)")
_GIVEN_UP: Final = timedelta(minutes=5)
_CIPHERTEXT: Final = ("encrypted_data", "iv", "tag", "key_id")


@dataclass(frozen=True, slots=True)
class KnownToken:
    """Whose token it is."""

    tenant_id: int
    provider: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to keep. `sealed` is bound to it: see `token_context`."""

    provider: str
    token: str = field(repr=False)
    sealed: Sealed
    expires_at: datetime


def token_context(token: str) -> str:
    """What the sealed form is bound to."""
    return hashed_token_context(_hash(token))


def hashed_token_context(token_hash: bytes) -> str:
    """The same, of what is kept of the token."""
    return f"connect/{token_hash.hex()}"


async def create_token(connection: AsyncConnection, tenant_id: int, new: NewToken) -> None:
    """Keep a token, and forget the tenant's old ones."""
    forgotten = CONNECT_TOKENS.c.expires_at < text("now() - interval '1 day'")
    await connection.execute(delete(CONNECT_TOKENS).where(forgotten))
    await connection.execute(
        insert(CONNECT_TOKENS).values(
            tenant_id=tenant_id,
            provider=new.provider,
            token_hash=_hash(new.token),
            expires_at=new.expires_at,
            **{name: getattr(new.sealed, name) for name in _CIPHERTEXT},
        )
    )


async def find_token(connection: AsyncConnection, token: str) -> KnownToken | None:
    """Whose token it is, asked before a tenant is known."""
    row = (await connection.execute(_FIND, {"hash": _hash(token)})).mappings().one_or_none()
    return None if row is None else KnownToken(**row)


async def claim_token(connection: AsyncConnection, token: str, *, now: datetime) -> Sealed | None:
    """Take a token, alone; its sealed form. None: it is used, expired, or another takes it."""
    columns = CONNECT_TOKENS.c
    row = (
        (
            await connection.execute(
                update(CONNECT_TOKENS)
                .where(
                    columns.token_hash == _hash(token),
                    columns.store_id.is_(None),
                    or_(columns.used_at.is_(None), columns.used_at < now - _GIVEN_UP),
                    columns.expires_at > now,
                )
                .values(used_at=now)
                .returning(*(columns[name] for name in _CIPHERTEXT))
            )
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else Sealed(**row)


async def release_token(connection: AsyncConnection, token: str) -> None:
    """Give a token back that led to no store."""
    await connection.execute(
        update(CONNECT_TOKENS)
        .where(CONNECT_TOKENS.c.token_hash == _hash(token), CONNECT_TOKENS.c.store_id.is_(None))
        .values(used_at=None)
    )


async def settle_token(connection: AsyncConnection, token: str, store_id: int) -> None:
    """Remember the store that came of a token."""
    await connection.execute(
        update(CONNECT_TOKENS)
        .where(CONNECT_TOKENS.c.token_hash == _hash(token))
        .values(store_id=store_id)
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
