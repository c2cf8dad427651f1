"""The refresh tokens that carry login sessions on.

A session accepts one token at a time, and that once. All tokens of a session begin with its family,
128 random bits that nobody else is told: so a token of the family which is not the one accepted was
used before, without any of those being kept. Whoever sends one has a copy, and nobody can tell the
thief from the owner, so the session ends (RFC 9700, 4.14.2).

A refresh locks its token and then the session, a deletion of old sessions the other way round:
whoever loses a deadlock to the other runs again (`Database.transact`).
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import SecretStr
from sqlalchemy import delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.logins import Ended, end_session
from db.tables.people import LOGIN_SESSIONS, REFRESH_TOKENS

LONGEST_TOKEN: Final = 100
_FAMILY_BYTES: Final = 16
_FORM: Final = re.compile(r"er_([A-Za-z0-9_-]{22})[A-Za-z0-9_-]{43}")
_FIND: Final = text("select coalesce(find_refresh_token(:hash), find_refresh_family(:family))")


class Refusal(StrEnum):
    """Why a refresh token renews nothing."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    ENDED = "ended"
    REUSED = "reused"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts: when nobody uses it, and at most."""

    unused: timedelta
    longest: timedelta

    def first_end(self, now: datetime) -> datetime:
        """Of a session that begins now, if nobody uses it."""
        return now + min(self.unused, self.longest)


@dataclass(frozen=True, slots=True)
class Renewed:
    """The session that goes on, whose it is, and until when if nobody uses it."""

    session_id: int
    user_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """A token that renews nothing. `ended` is the session that ended with this, if one did."""

    why: Refusal
    ended: Ended | None = None


def hash_refresh_token(token: SecretStr) -> bytes:
    """What is kept of one: random bits need no slow digest. Any text has a digest, whatever it is
    that JSON can hold and UTF-8 cannot."""
    text = token.get_secret_value().encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=32, person=b"entrepot refresh").digest()


async def find_tokens_tenant(connection: AsyncConnection, token: SecretStr) -> int | None:
    """Whose refresh token it is or was, before a tenant is known."""
    hashes = {"hash": hash_refresh_token(token), "family": _family_hash(_family_of(token))}
    tenant_id = (await connection.execute(_FIND, hashes)).scalar_one()
    return None if tenant_id is None else int(tenant_id)


async def add_refresh_token(
    connection: AsyncConnection,
    tenant_id: int,
    session_id: int,
    *,
    expires_at: datetime,
    before: SecretStr | None = None,
) -> SecretStr:
    """A session's next token, of the family of the one before; of a new one without."""
    family = None if before is None else _family_of(before)
    if family is None:
        family = secrets.token_urlsafe(_FAMILY_BYTES)
        await connection.execute(
            update(LOGIN_SESSIONS)
            .where(LOGIN_SESSIONS.c.id == session_id)
            .values(family_hash=_family_hash(family))
        )
    token = SecretStr(f"er_{family}{secrets.token_urlsafe(32)}")
    await connection.execute(
        insert(REFRESH_TOKENS).values(
            tenant_id=tenant_id,
            session_id=session_id,
            token_hash=hash_refresh_token(token),
            expires_at=expires_at,
        )
    )
    return token


async def spend_refresh_token(
    connection: AsyncConnection, token: SecretStr, now: datetime, lifetime: Lifetime
) -> Renewed | Refused:
    """Use a token up, in the tenant's transaction: of two at once, one finds it unused.

    No grace is given to a client that lost the answer: it cannot be told from a thief who was
    faster, and both would go on with tokens of their own. It logs in again.
    """
    columns = REFRESH_TOKENS.c
    is_it = columns.token_hash == hash_refresh_token(token)
    spent = await connection.execute(
        update(REFRESH_TOKENS)
        .where(is_it, columns.used_at.is_(None), columns.expires_at > now)
        .values(used_at=now)
        .returning(columns.session_id)
    )
    session_id = spent.scalar_one_or_none()
    if session_id is None:
        return await _why_not(connection, token, now)
    sessions = LOGIN_SESSIONS.c
    is_open = (
        sessions.revoked_at.is_(None),
        sessions.expires_at > now,
        sessions.created_at > now - lifetime.longest,
    )
    until = func.least(now + lifetime.unused, sessions.created_at + lifetime.longest)
    renewed = await connection.execute(
        update(LOGIN_SESSIONS)
        .where(sessions.id == session_id, *is_open)
        .values(last_used_at=now, expires_at=until)
        .returning(sessions.user_id, sessions.expires_at)
    )
    row = renewed.one_or_none()
    if row is None:
        return Refused(Refusal.ENDED)
    # One without a family, of a release before, is known by its row alone until it expires.
    is_over = columns.expires_at <= now
    gone = is_over if _family_of(token) is None else or_(is_over, is_it)
    await connection.execute(delete(REFRESH_TOKENS).where(columns.session_id == session_id, gone))
    return Renewed(session_id, row.user_id, row.expires_at)


async def _why_not(connection: AsyncConnection, token: SecretStr, now: datetime) -> Refused:
    columns = REFRESH_TOKENS.c
    found = await connection.execute(
        select(columns.session_id, columns.used_at).where(
            columns.token_hash == hash_refresh_token(token)
        )
    )
    row = found.one_or_none()
    if row is not None and row.used_at is None:
        return Refused(Refusal.EXPIRED)
    session_id = await _family_session(connection, token) if row is None else int(row.session_id)
    if session_id is None:
        return Refused(Refusal.UNKNOWN)
    return Refused(Refusal.REUSED, await end_session(connection, session_id, now))


async def end_token_session(
    connection: AsyncConnection, token: SecretStr, now: datetime
) -> Ended | None:
    """End the session that a refresh token belongs to, used or not."""
    columns = REFRESH_TOKENS.c
    found = await connection.execute(
        select(columns.session_id).where(columns.token_hash == hash_refresh_token(token))
    )
    session_id = found.scalar_one_or_none() or await _family_session(connection, token)
    return None if session_id is None else await end_session(connection, session_id, now)


async def _family_session(connection: AsyncConnection, token: SecretStr) -> int | None:
    family = _family_hash(_family_of(token))
    if family is None:
        return None
    sessions = LOGIN_SESSIONS.c
    found = await connection.execute(select(sessions.id).where(sessions.family_hash == family))
    return found.scalar_one_or_none()


def _family_of(token: SecretStr) -> str | None:
    """What a token shares with all others of its session; None of one without."""
    formed = _FORM.fullmatch(token.get_secret_value())
    return None if formed is None else formed[1]


def _family_hash(family: str | None) -> bytes | None:
    if family is None:
        return None
    return hashlib.blake2b(family.encode(), digest_size=32, person=b"entrepot family").digest()
