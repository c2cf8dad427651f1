"""Tenants: made and listed by the owner of the database, seen by the application one at a time."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import errors
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.records import WAREHOUSES
from db.tables.tenancy import TENANT_COUNTERS, TENANTS
from domain.errors import ConflictError

DEFAULT_WAREHOUSE = "Main"

_CREATE = text("select create_tenant(:name, :public_id)")
_FIND_DEFAULT = text("select find_default_tenant(:wanted)")
_LIST = text("select id, public_id, name, created_at from list_tenants()")
_SET_TENANT = text("select set_config('app.tenant', :tenant, true)")


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant. `public_id` is its name outside, `organizationId` in the API."""

    id: int
    public_id: str
    name: str
    created_at: datetime | None = None


async def create_tenant(connection: AsyncConnection, name: str) -> Tenant:
    """Make a tenant with its change counter and its default warehouse.

    Args:
        connection: a transaction of the database's owner. From here on it belongs to the new
            tenant, so that a first key can be made in it.

    Raises:
        ConflictError: the name is taken.
    """
    public_id = f"org_{secrets.token_hex(12)}"
    try:
        created = await connection.execute(_CREATE, {"name": name, "public_id": public_id})
    except IntegrityError as error:
        if isinstance(error.orig, errors.UniqueViolation):
            raise ConflictError(f"there is a tenant named {name!r} already") from None
        raise
    tenant_id = int(created.scalar_one())
    await connection.execute(_SET_TENANT, {"tenant": str(tenant_id)})
    await connection.execute(insert(TENANT_COUNTERS).values(tenant_id=tenant_id))
    await connection.execute(
        insert(WAREHOUSES).values(tenant_id=tenant_id, name=DEFAULT_WAREHOUSE, is_default=True)
    )
    return Tenant(tenant_id, public_id, name)


async def list_tenants(connection: AsyncConnection) -> Sequence[Tenant]:
    """All tenants, oldest first. Only the database's owner may ask."""
    return [Tenant(**row) for row in (await connection.execute(_LIST)).mappings()]


async def find_default_tenant(connection: AsyncConnection, wanted: str | None) -> int | None:
    """The tenant of this name or public id; unnamed, the only one there is. None: it is not clear.

    Works before a tenant is known, and tells nothing but the id.
    """
    found: int | None = (
        await connection.execute(_FIND_DEFAULT, {"wanted": wanted})
    ).scalar_one_or_none()
    return found


async def get_tenant(connection: AsyncConnection) -> Tenant:
    """The tenant whose transaction this is."""
    columns = TENANTS.c
    row = (
        await connection.execute(
            select(columns.id, columns.public_id, columns.name, columns.created_at)
        )
    ).mappings()
    return Tenant(**row.one())
