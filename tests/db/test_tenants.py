from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from db.session import Database
from db.tenants import Tenant, create_tenant, get_tenant, list_tenants
from domain.errors import ConflictError


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[Database]:
    made = Database(owner_url, pool_size=1)
    yield made
    await made.close()


@pytest.fixture
async def application(app_url: str) -> AsyncIterator[Database]:
    made = Database(app_url, pool_size=1)
    yield made
    await made.close()


async def test_a_tenant_has_a_counter_and_a_default_warehouse(
    owner: Database, application: Database
) -> None:
    async with owner.lookup() as connection:
        made = await create_tenant(connection, "Tea house")
    async with application.tenant(made.id) as connection:
        seen = await get_tenant(connection)
        counter = await connection.execute(text("select tenant_id, seq from tenant_counters"))
        warehouses = await connection.execute(text("select name, is_default from warehouses"))
        assert [tuple(row) for row in counter] == [(made.id, 0)]
        assert [tuple(row) for row in warehouses] == [("Main", True)]
    assert made == Tenant(made.id, made.public_id, "Tea house")
    assert seen == Tenant(made.id, made.public_id, "Tea house", seen.created_at)
    assert made.public_id.startswith("org_")


async def test_a_name_is_taken_once(owner: Database) -> None:
    async with owner.lookup() as connection:
        await create_tenant(connection, "Only one")
    with pytest.raises(ConflictError, match="there is a tenant named 'Only one' already"):
        async with owner.lookup() as connection:
            await create_tenant(connection, "Only one")


async def test_the_owner_lists_tenants_oldest_first(owner: Database) -> None:
    async with owner.lookup() as connection:
        first = await create_tenant(connection, "First")
    async with owner.lookup() as connection:
        second = await create_tenant(connection, "Second")
    async with owner.lookup() as connection:
        listed = await list_tenants(connection)
    assert [tenant.id for tenant in listed if tenant.id in {first.id, second.id}] == [
        first.id,
        second.id,
    ]
