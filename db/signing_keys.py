"""The keys that a tenant's access tokens are signed with.

Each tenant has its own, so a token says nothing to another tenant. The newest signs for some days;
then the next login makes a new one, and the old one is believed as long as its tokens live. One
that somebody else may have is retired, which ends its tokens at once.
"""

import secrets as random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.crypto import Sealed, SecretBox
from db.tables.people import SIGNING_KEYS

_SECRET_BYTES: Final = 32  # as many as the digest of HS256 has (RFC 7518, 3.2)
_KID_BYTES: Final = 12
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Until when a retired key is believed: past by the clock of every host."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key to sign with. `kid` is its public name, in the header of its tokens."""

    kid: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """For how long a key signs, and for how long its tokens are believed after that."""

    signs: timedelta
    believed: timedelta


def signing_key_context(kid: str) -> str:
    """What a key's sealed form is bound to."""
    return f"signing-key/{kid}"


async def take_signing_key(
    connection: AsyncConnection, tenant_id: int, secrets: SecretBox, times: KeyTimes, now: datetime
) -> SigningKey:
    """The tenant's key to sign with at `now`, made where there is none (any more).

    Two logins at once may make two keys: both are good, and the newest goes on signing.

    Raises:
        SecretError: the stored key cannot be opened with this server's encryption keys.
    """
    columns = SIGNING_KEYS.c
    found = await connection.execute(
        select(columns.kid, columns.encrypted_data, columns.iv, columns.tag, columns.key_id)
        # A key that was made for shorter lived tokens would be forgotten before ours.
        .where(columns.signs_until > now, columns.verifies_until >= now + times.believed)
        .order_by(columns.signs_until.desc(), columns.id.desc())
        .limit(1)
    )
    row = found.one_or_none()
    if row is None:
        return await _make(connection, tenant_id, secrets, times, now)
    kid, *sealed = row
    return SigningKey(kid, secrets.open(Sealed(*sealed), context=signing_key_context(kid)))


async def retire_signing_keys(connection: AsyncConnection, now: datetime) -> int:
    """Believe no token that was signed until now; how many keys that takes.

    The keys are read with every request, so it counts from the next one on. The next login or
    refresh makes a new key.
    """
    columns = SIGNING_KEYS.c
    retired = await connection.execute(
        update(SIGNING_KEYS)
        .where(columns.verifies_until > _NEVER)
        .values(signs_until=func.least(columns.signs_until, now), verifies_until=_NEVER)
    )
    return retired.rowcount


async def _make(
    connection: AsyncConnection, tenant_id: int, secrets: SecretBox, times: KeyTimes, now: datetime
) -> SigningKey:
    columns = SIGNING_KEYS.c
    # A retired one is remembered while clients may send its tokens: those are no guesses.
    is_past = (columns.verifies_until <= now) & (columns.signs_until <= now - times.believed)
    await connection.execute(delete(SIGNING_KEYS).where(is_past))
    key = SigningKey(random.token_hex(_KID_BYTES), random.token_bytes(_SECRET_BYTES))
    sealed = secrets.seal(key.secret, context=signing_key_context(key.kid))
    await connection.execute(
        insert(SIGNING_KEYS).values(
            tenant_id=tenant_id,
            kid=key.kid,
            encrypted_data=sealed.encrypted_data,
            iv=sealed.iv,
            tag=sealed.tag,
            key_id=sealed.key_id,
            signs_until=now + times.signs,
            verifies_until=now + times.signs + times.believed,
        )
    )
    return key
