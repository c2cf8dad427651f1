"""`entrepot migrate`."""

import asyncio
import sys

from sqlalchemy.exc import SQLAlchemyError

from db.migrate import current_and_head, upgrade
from db.session import Database
from db.tenants import Tenant, create_tenant, list_tenants
from runtime.cli.errors import CliError
from runtime.cli.screen import say
from runtime.default_store_settings import load_default_store
from runtime.logging import configure_logging
from runtime.readiness import first_line
from runtime.settings import load_settings

FIRST_TENANT = "Default"


async def _ensure_tenant(owner_url: str) -> Tenant | None:
    """The store that the environment defines needs somebody to belong to."""
    database = Database(owner_url, pool_size=1)
    try:
        async with database.lookup() as connection:
            if await list_tenants(connection):
                return None
            return await create_tenant(connection, FIRST_TENANT)
    finally:
        await database.close()


def main() -> int:
    """Apply what is missing; returns the exit code. Raises CommandError."""
    settings = load_settings()
    owner_url = settings.owner_url()
    default_store = load_default_store()
    configure_logging(level=settings.log_level, log_format=settings.log_format, process="migrate")
    try:
        before, head = current_and_head(owner_url)
        upgrade(owner_url, settings.database_url.get_secret_value())
    except SQLAlchemyError as error:
        raise CliError(f"the database: {first_line(error)}", exit_code=1) from None
    sys.stdout.flush()
    if default_store is not None and (made := asyncio.run(_ensure_tenant(owner_url))):
        say(f"Added tenant {made.name} (organization {made.public_id}) for the default store.")
    if before == head:
        say(f"The schema is at {head} already.")
    else:
        say(f"The schema was at {before or 'nothing'} and is at {head} now.")
    return 0
