from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from db.crypto import SecretBox, store_context
from db.session import Database
from db.store_checks import (
    NewStore,
    StoreCheck,
    allocate_store_id,
    create_check,
    find_check,
    promote_check,
)
from db.stores import delete_store
from db.tenants import Tenant, create_tenant

NOW = datetime.now(UTC)
LATER = NOW + timedelta(minutes=15)


@pytest.fixture
async def application(app_url: str) -> AsyncIterator[Database]:
    made = Database(app_url, pool_size=2)
    yield made
    await made.close()


@pytest.fixture
async def tenant(owner_url: str, request: pytest.FixtureRequest) -> Tenant:
    owner = Database(owner_url, pool_size=1)
    async with owner.lookup() as connection:
        made = await create_tenant(connection, request.node.name)
    await owner.close()
    return made


async def put_on_trial(database: Database, tenant: Tenant, expires_at: datetime) -> int:
    async with database.tenant(tenant.id) as connection:
        store_id = await allocate_store_id(connection)
        sealed = SecretBox([b"k" * 32]).seal(b"{}", context=store_context(store_id))
        check = StoreCheck(store_id, "testshop", sealed)
        return await create_check(connection, tenant.id, check, expires_at=expires_at)


async def look_up(database: Database, statement: str, **params: Any) -> list[Any]:
    async with database.lookup() as connection:
        return [tuple(row) for row in await connection.execute(text(statement), params)]


async def test_a_store_is_found_by_its_webhook_code_until_it_is_deleted(
    application: Database, tenant: Tenant
) -> None:
    check_id = await put_on_trial(application, tenant, LATER)
    async with application.tenant(tenant.id) as connection:
        new = NewStore("Shop", "shop", "code-1", "https://shop.example", {}, {})
        store_id = await promote_check(connection, check_id, new)
    found = "select * from find_store_by_webhook_code(:code)"
    assert await look_up(application, found, code="code-1") == [
        (tenant.id, store_id, "testshop", True)
    ]
    assert await look_up(application, found, code="code-2") == []
    async with application.tenant(tenant.id) as connection:
        assert await delete_store(connection, store_id) is True
    assert await look_up(application, found, code="code-1") == []


async def test_checks_are_discarded_once_they_expired(
    application: Database, tenant: Tenant
) -> None:
    await put_on_trial(application, tenant, NOW - timedelta(seconds=1))
    lasting = await put_on_trial(application, tenant, LATER)
    discard = "select discard_expired_checks(:now)"
    assert await look_up(application, discard, now=NOW) == [(1,)]
    assert await look_up(application, discard, now=NOW) == [(0,)]
    async with application.tenant(tenant.id) as connection:
        assert await find_check(connection, lasting) is not None


async def test_an_expired_check_is_not_found(application: Database, tenant: Tenant) -> None:
    expired = await put_on_trial(application, tenant, NOW - timedelta(seconds=1))
    async with application.tenant(tenant.id) as connection:
        assert await find_check(connection, expired) is None


async def test_a_tenants_check_is_not_found_by_another(
    application: Database, tenant: Tenant
) -> None:
    check_id = await put_on_trial(application, tenant, LATER)
    async with application.tenant(tenant.id + 1_000_000) as connection:
        assert await find_check(connection, check_id) is None


async def test_partitions_of_this_month_and_the_next_two_are_there_and_stay(
    application: Database,
) -> None:
    listed = (
        "select relname from pg_class where relispartition and relkind = 'r' "
        "and relname like 'changes_p_%' order by relname"
    )
    before = await look_up(application, listed)
    await look_up(application, "select ensure_partitions()")
    assert len(before) == 4
    assert await look_up(application, listed) == before
