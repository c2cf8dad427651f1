"""Login sessions, and where people log in from.

A session is one login on one device; `db.refresh_tokens` carry it on.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, delete, exists, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.crypto import Sealed
from db.tables.people import LOGIN_NETWORKS, LOGIN_SESSIONS, USERS
from db.users import Account

KNOWN_FOR: Final = timedelta(days=30)
"""How long it is remembered where somebody logged in from."""

_SESSIONS_KEPT: Final = 100
"""Of one person. More logins than that end the oldest session."""
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
    """A login to write down. `address` and `client` are what the request said of itself; `network`
    is what the address counts as, if it is one."""

    now: datetime
    expires_at: datetime
    address: str = ""
    client: str = ""
    network: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The session that has ended, and whose it was."""

    session_id: int
    user_id: int


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
    await _note_network(connection, account, new)
    made = await connection.execute(
        insert(LOGIN_SESSIONS)
        .values(
            tenant_id=account.tenant_id,
            user_id=account.id,
            created_at=new.now,
            last_used_at=new.now,
            expires_at=new.expires_at,
            address=new.address,
            client=new.client,
        )
        .returning(LOGIN_SESSIONS.c.id)
    )
    return int(made.scalar_one())


async def knows_network(
    connection: AsyncConnection, user_id: int, network: str | None, now: datetime
) -> bool:
    """Whether this person logged in from there lately. As much work for one that there is not."""
    columns = LOGIN_NETWORKS.c
    is_it = and_(
        columns.user_id == user_id,
        columns.network == (network or ""),
        columns.last_login_at > now - KNOWN_FOR,
    )
    return bool((await connection.execute(select(exists().where(is_it)))).scalar_one())


async def _note_network(connection: AsyncConnection, account: Account, new: NewSession) -> None:
    columns = LOGIN_NETWORKS.c
    await connection.execute(
        delete(LOGIN_NETWORKS).where(
            columns.user_id == account.id, columns.last_login_at <= new.now - KNOWN_FOR
        )
    )
    if new.network is None:
        return
    noted = insert(LOGIN_NETWORKS).values(
        tenant_id=account.tenant_id,
        user_id=account.id,
        network=new.network,
        last_login_at=new.now,
    )
    key = (columns.tenant_id, columns.user_id, columns.network)
    await connection.execute(
        noted.on_conflict_do_update(index_elements=key, set_={"last_login_at": new.now})
    )


async def end_session(connection: AsyncConnection, session_id: int, now: datetime) -> Ended | None:
    """End a session from the next request on; None when it had ended, or never was."""
    sessions = LOGIN_SESSIONS.c
    ended = await connection.execute(
        update(LOGIN_SESSIONS)
        .where(sessions.id == session_id, sessions.revoked_at.is_(None), sessions.expires_at > now)
        .values(revoked_at=now)
        .returning(sessions.user_id)
    )
    user_id = ended.scalar_one_or_none()
    return None if user_id is None else Ended(session_id, user_id)


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
