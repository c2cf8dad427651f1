"""Login sessions, and the refresh tokens that carry them on.

A session is one login on one device. Its refresh tokens are used once each: one that comes again
was copied, and nobody can tell the thief from the owner, so the session ends (RFC 9700, 4.14.2).
A refresh locks its token and then the session, a deletion of old sessions the other way round:
whoever loses a deadlock to the other runs again (`Database.transact`).
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import SecretStr
from sqlalchemy import and_, delete, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.crypto import Sealed
from db.tables.people import LOGIN_SESSIONS, REFRESH_TOKENS, USERS
from db.users import Account

LONGEST_TOKEN: Final = 100
_SESSIONS_KEPT: Final = 100
"""Of one person. More logins than that end the oldest session."""
_FIND_TOKEN: Final = text("select find_refresh_token(:hash)")
_FIND_SESSION: Final = text("select * from find_login_session(:kid, :session)")


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session as a request finds it, with the key its token must be signed with.

    `role` is the person's now, not when the token was made.
    """

    tenant_id: int
    user_id: int
    email: str
    role: str
    is_alive: bool
    kid: str
    sealed_key: Sealed = field(repr=False)
    verifies_until: datetime


@dataclass(frozen=True, slots=True)
class NewSession:
    """A login to write down. `address` and `client` are what the request said of itself."""

    now: datetime
    expires_at: datetime
    address: str = ""
    client: str = ""


class Refusal(StrEnum):
    """Why a refresh token renews nothing."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    ENDED = "ended"
    REUSED = "reused"


@dataclass(frozen=True, slots=True)
class Renewed:
    """The session that goes on, and whose it is."""

    session_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A token that renews nothing. `ended` is the session that ended with this, if one did."""

    why: Refusal
    ended: Renewed | None = None


def new_refresh_token() -> SecretStr:
    """256 random bits."""
    return SecretStr(f"er_{secrets.token_urlsafe(32)}")


def hash_refresh_token(token: SecretStr) -> bytes:
    """What is kept of one: random bits need no slow digest. Any text has a digest, whatever it is
    that JSON can hold and UTF-8 cannot."""
    text = token.get_secret_value().encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=32, person=b"entrepot refresh").digest()


async def find_session(
    connection: AsyncConnection, kid: str, session_id: int, now: datetime
) -> LiveSession | None:
    """What a token's `kid` and session are, before a tenant is known. One statement."""
    found = await connection.execute(_FIND_SESSION, {"kid": kid, "session": session_id})
    row = found.mappings().one_or_none()
    if row is None:
        return None
    is_open = row["revoked_at"] is None and row["expires_at"] > now
    return LiveSession(
        tenant_id=row["tenant_id"],
        user_id=row["user_id"],
        email=row["email"],
        role=row["role"],
        is_alive=is_open and row["is_active"],
        kid=kid,
        sealed_key=Sealed(row["encrypted_data"], row["iv"], row["tag"], row["key_id"]),
        verifies_until=row["verifies_until"],
    )


async def find_tokens_tenant(connection: AsyncConnection, token: SecretStr) -> int | None:
    """Whose refresh token it is, before a tenant is known."""
    found = await connection.execute(_FIND_TOKEN, {"hash": hash_refresh_token(token)})
    tenant_id = found.scalar_one()
    return None if tenant_id is None else int(tenant_id)


async def begin_session(
    connection: AsyncConnection, account: Account, new: NewSession
) -> int | None:
    """Open a session for whoever has shown the password of `account`; its id.

    None when the account was closed or its password replaced since it was read.
    """
    is_still_so = and_(
        USERS.c.id == account.id,
        USERS.c.is_active,
        USERS.c.password_hash == account.password_hash,
    )
    confirmed = await connection.execute(
        update(USERS).where(is_still_so).values(last_login_at=new.now).returning(USERS.c.id)
    )
    if confirmed.first() is None:
        return None
    await _forget_old_sessions(connection, account.id, new.now)
    made = await connection.execute(
        insert(LOGIN_SESSIONS)
        .values(
            tenant_id=account.tenant_id,
            user_id=account.id,
            last_used_at=new.now,
            expires_at=new.expires_at,
            address=new.address,
            client=new.client,
        )
        .returning(LOGIN_SESSIONS.c.id)
    )
    return int(made.scalar_one())


async def add_refresh_token(
    connection: AsyncConnection, tenant_id: int, session_id: int, *, expires_at: datetime
) -> SecretStr:
    """A session's next token."""
    token = new_refresh_token()
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
    connection: AsyncConnection, token: SecretStr, now: datetime, *, expires_at: datetime
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
    renewed = await connection.execute(
        update(LOGIN_SESSIONS)
        .where(sessions.id == session_id, sessions.revoked_at.is_(None), sessions.expires_at > now)
        .values(last_used_at=now, expires_at=expires_at)
        .returning(sessions.user_id)
    )
    user_id = renewed.scalar_one_or_none()
    if user_id is None:
        return Refused(Refusal.ENDED)
    # Once expired a token is refused unused or not, so nothing has to be remembered of it.
    await connection.execute(
        delete(REFRESH_TOKENS).where(columns.session_id == session_id, columns.expires_at <= now)
    )
    return Renewed(session_id, user_id)


async def _why_not(connection: AsyncConnection, token: SecretStr, now: datetime) -> Refused:
    columns = REFRESH_TOKENS.c
    found = await connection.execute(
        select(columns.session_id, columns.used_at, columns.expires_at).where(
            columns.token_hash == hash_refresh_token(token)
        )
    )
    row = found.one_or_none()
    if row is None:
        return Refused(Refusal.UNKNOWN)
    if row.used_at is None:
        return Refused(Refusal.EXPIRED)
    return Refused(Refusal.REUSED, await end_session(connection, row.session_id, now))


async def end_session(
    connection: AsyncConnection, session_id: int, now: datetime
) -> Renewed | None:
    """End a session from the next request on; None when it had ended, or never was."""
    sessions = LOGIN_SESSIONS.c
    ended = await connection.execute(
        update(LOGIN_SESSIONS)
        .where(sessions.id == session_id, sessions.revoked_at.is_(None), sessions.expires_at > now)
        .values(revoked_at=now)
        .returning(sessions.user_id)
    )
    user_id = ended.scalar_one_or_none()
    return None if user_id is None else Renewed(session_id, user_id)


async def end_token_session(
    connection: AsyncConnection, token: SecretStr, now: datetime
) -> Renewed | None:
    """End the session that a refresh token belongs to, used or not."""
    columns = REFRESH_TOKENS.c
    found = await connection.execute(
        select(columns.session_id).where(columns.token_hash == hash_refresh_token(token))
    )
    session_id = found.scalar_one_or_none()
    return None if session_id is None else await end_session(connection, session_id, now)


async def end_sessions_of(connection: AsyncConnection, user_id: int, now: datetime) -> int:
    """End every session of a person; how many there were."""
    sessions = LOGIN_SESSIONS.c
    ended = await connection.execute(
        update(LOGIN_SESSIONS)
        .where(sessions.user_id == user_id, sessions.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(sessions.id)
    )
    return len(ended.all())


async def end_all_sessions(connection: AsyncConnection, now: datetime) -> int:
    """End every session of the tenant; how many there were."""
    sessions = LOGIN_SESSIONS.c
    ended = await connection.execute(
        update(LOGIN_SESSIONS)
        .where(sessions.revoked_at.is_(None), sessions.expires_at > now)
        .values(revoked_at=now)
    )
    return ended.rowcount


async def _forget_old_sessions(connection: AsyncConnection, user_id: int, now: datetime) -> None:
    """What ended goes, with its tokens; and what is too many."""
    sessions = LOGIN_SESSIONS.c
    too_many = (
        select(sessions.id)
        .where(sessions.user_id == user_id)
        .order_by(sessions.last_used_at.desc(), sessions.id.desc())
        .offset(_SESSIONS_KEPT - 1)
    )
    await connection.execute(
        delete(LOGIN_SESSIONS).where(
            sessions.user_id == user_id,
            or_(
                sessions.expires_at <= now,
                sessions.revoked_at.is_not(None),
                sessions.id.in_(too_many),
            ),
        )
    )
