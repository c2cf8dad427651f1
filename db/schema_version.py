"""Which schema the database has, as the application role may ask."""

from functools import cache

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.migrate import alembic_config

_CURRENT = text("select version_num from alembic_version")


@cache
def newest_revision() -> str | None:
    """The newest migration of this release."""
    return ScriptDirectory.from_config(alembic_config("postgresql://")).get_current_head()


async def find_revision(connection: AsyncConnection) -> str | None:
    """The last migration applied to the database."""
    return (await connection.execute(_CURRENT)).scalar_one_or_none()
