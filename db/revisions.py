"""Which state of its records a tenant is at: what answers about them may be kept under."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.tenancy import TENANT_COUNTERS

_REVISION = select(TENANT_COUNTERS.c.seq, TENANT_COUNTERS.c.revision)


async def read_revision(connection: AsyncConnection) -> str:
    """The tenant's revision of its categories, products, stock, customers, orders and links.

    It is another one after every commit that changes what records show, whoever made it. What is
    read after it is at least as new.
    """
    row = (await connection.execute(_REVISION)).one_or_none()
    return "" if row is None else f"{row.seq}.{row.revision}"
