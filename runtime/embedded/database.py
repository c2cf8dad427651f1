"""What an embedded hub's database begins with: its schema, a tenant, a key."""

import asyncio
import hmac

from db.keys import NewKey, create_key, find_key, hash_secret
from db.migrate import upgrade
from db.session import Database
from db.tenants import create_tenant, list_tenants

FIRST_TENANT = "Main"
_KEY_NAME = "entrepot up"
_PER_MINUTE = 60_000  # the demo reads every record, and so does whoever verifies an import


def prepare_database(owner_url: str, app_url: str, *, key: str, secret: str) -> tuple[str, str]:
    """Bring the database to the newest schema; returns a key that works, and its secret."""
    upgrade(owner_url, app_url)
    return asyncio.run(ensure_first_key(owner_url, app_url, key, secret))


async def ensure_first_key(owner_url: str, app_url: str, key: str, secret: str) -> tuple[str, str]:
    """A key that works, and its secret: the given pair if it does, else a new one.

    Makes the tenant when there is none.
    """
    if await _works(app_url, key, secret):
        return key, secret
    database = Database(owner_url, pool_size=1)
    try:
        async with database.lookup() as connection:
            tenants = await list_tenants(connection)
            tenant_id = (
                tenants[0].id if tenants else (await create_tenant(connection, FIRST_TENANT)).id
            )
        async with database.tenant(tenant_id) as connection:
            new = NewKey(name=_KEY_NAME, requests_per_minute=_PER_MINUTE)
            made, made_secret = await create_key(connection, tenant_id, new)
        return made, made_secret.get_secret_value()
    finally:
        await database.close()


async def _works(app_url: str, key: str, secret: str) -> bool:
    """Asked as the application: only it may look keys up before their tenant is known."""
    database = Database(app_url, pool_size=1)
    try:
        async with database.lookup() as connection:
            found = await find_key(connection, key)
    finally:
        await database.close()
    if found is None or found.revoked_at is not None:
        return False
    return hmac.compare_digest(found.secret_hash, hash_secret(secret))
