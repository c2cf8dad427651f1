"""People of a tenant and their logins, for the tests of what is kept of them."""

from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from db import logins, refresh_tokens
from db.logins import NewSession
from db.session import Database
from db.users import Account, NewUser, User, create_user, find_account
from domain.roles import Role
from tests.db.room import Room

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


async def add(room: Room, email: str, role: Role = Role.OWNER) -> User:
    async with room.database.tenant(room.tenant_id) as connection:
        new = NewUser(email, "Ann", role)
        return await create_user(connection, room.tenant_id, new, "a hash")


async def account(app: Database, email: str) -> Account:
    async with app.lookup() as connection:
        found = await find_account(connection, email)
    assert found is not None
    return found


async def begin(room: Room, owner: Account, now: datetime = NOW) -> tuple[int, SecretStr]:
    async with room.database.tenant(room.tenant_id) as connection:
        session_id = await logins.begin_session(
            connection, owner, NewSession(now, now + timedelta(days=30))
        )
        assert session_id is not None
        token = await refresh_tokens.add_refresh_token(
            connection, room.tenant_id, session_id, expires_at=now + timedelta(days=30)
        )
    return session_id, token


def name_of(room: Room, who: str = "ann") -> str:
    return f"{who}.{room.tenant_id}@example.test"
