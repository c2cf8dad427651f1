"""The people of a tenant.

An e-mail address belongs to one person of one tenant, whatever its case. What a person may do is
looked up with each of their requests, so a new role or a closed account acts with the next one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.people import USERS
from domain.errors import ConflictError
from domain.roles import Role

# ASCII alone: other alphabets have letters that look alike and are not (RFC 6530 addresses).
_EMAIL = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_LONGEST_EMAIL = 254
_LONGEST_NAME = 120
_FIND = text("select * from find_user(:email)")
_SHOWN = tuple(
    USERS.c[name]
    for name in ("id", "email", "name", "role", "is_active", "created_at", "last_login_at")
)


@dataclass(frozen=True, slots=True)
class User:
    """A person as lists show them."""

    id: int
    email: str
    name: str
    role: str
    is_active: bool
    created_at: datetime
    last_login_at: datetime | None


@dataclass(frozen=True, slots=True)
class Account:
    """Whom an e-mail address belongs to, before anybody has shown that they are that person."""

    tenant_id: int
    id: int
    email: str
    password_hash: str = field(repr=False)
    is_active: bool


@dataclass(frozen=True, slots=True)
class NewUser:
    """A person to add.

    Raises:
        ValueError: the address or the name is none; the message says what is needed.
    """

    email: str
    name: str
    role: Role

    def __post_init__(self) -> None:
        if not is_email(self.email):
            raise ValueError(
                f"an e-mail address like ann@example.com is needed, of {_LONGEST_EMAIL} characters "
                "at most"
            )
        if not 1 <= len(self.name.strip()) <= _LONGEST_NAME or not self.name.isprintable():
            raise ValueError(f"the name must be 1 to {_LONGEST_NAME} visible characters")


def is_email(text_: str) -> bool:
    """Whether it has the form of an address that a person can have here."""
    return len(text_) <= _LONGEST_EMAIL and _EMAIL.fullmatch(text_) is not None


async def find_account(connection: AsyncConnection, email: str) -> Account | None:
    """Look a person up before their tenant is known."""
    row = (await connection.execute(_FIND, {"email": email})).mappings().one_or_none()
    return None if row is None else Account(**row)


async def create_user(
    connection: AsyncConnection, tenant_id: int, new: NewUser, password_hash: str
) -> User:
    """Add a person in the tenant's transaction. Raises ConflictError: the address is taken."""
    values = {
        "tenant_id": tenant_id,
        "email": new.email,
        "name": new.name.strip(),
        "role": new.role.value,
        "password_hash": password_hash,
    }
    # The index is over all tenants: without a row the address is somebody's, here or elsewhere.
    made = await connection.execute(
        insert(USERS).values(values).on_conflict_do_nothing().returning(*_SHOWN)
    )
    row = made.mappings().one_or_none()
    if row is None:
        raise ConflictError(f"{new.email} belongs to somebody already")
    return User(**row)


async def list_users(connection: AsyncConnection) -> Sequence[User]:
    """The people of the tenant, those without access among them, by address."""
    rows = await connection.execute(select(*_SHOWN).order_by(func.lower(USERS.c.email)))
    return [User(**row) for row in rows.mappings()]


async def get_user(connection: AsyncConnection, user_id: int) -> User | None:
    """One person of the tenant."""
    rows = await connection.execute(select(*_SHOWN).where(USERS.c.id == user_id))
    row = rows.mappings().one_or_none()
    return None if row is None else User(**row)


async def set_active(connection: AsyncConnection, user_id: int, *, is_active: bool) -> bool:
    """Give or take access; False when that is how it was. Whoever takes it ends the sessions."""
    return await _changed(connection, user_id, is_active=is_active)


async def set_role(connection: AsyncConnection, user_id: int, role: Role) -> bool:
    """Give another role; False when it was that already."""
    return await _changed(connection, user_id, role=role.value)


async def set_password(connection: AsyncConnection, user_id: int, password_hash: str) -> bool:
    """Replace the password. Whoever does it ends the sessions, unless it is the same one."""
    return await _changed(connection, user_id, password_hash=password_hash)


async def _changed(connection: AsyncConnection, user_id: int, **value: Any) -> bool:
    ((name, wanted),) = value.items()
    result = await connection.execute(
        update(USERS)
        .where(USERS.c.id == user_id, USERS.c[name] != wanted)
        .values(updated_at=func.now(), **value)
        .returning(USERS.c.id)
    )
    return result.first() is not None
