"""What PostgreSQL cannot keep: one record is to blame, never the batch it came in."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from psycopg import errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import Database

T = TypeVar("T")

UNKEEPABLE: Final = (
    errors.DataError,
    errors.IntegrityError,
    errors.CardinalityViolation,
    errors.ProgramLimitExceeded,
)
"""What PostgreSQL raises for a value it cannot keep."""


def is_unkeepable(error: Exception) -> bool:
    """Whether it is one of `UNKEEPABLE`, by itself or as SQLAlchemy hands it on."""
    return isinstance(error.orig if isinstance(error, DBAPIError) else error, UNKEEPABLE)


Work = Callable[[AsyncConnection, bool], Awaitable[T]]
"""The work of a transaction. Told to be careful it sets aside what cannot be kept, at a price, as
`db.apply.apply` does."""


async def transact_with_care(database: Database, tenant_id: int, work: Work[T]) -> T:
    """`Database.transact`, and once more with care if one of the records cannot be kept."""
    try:
        return await database.transact(tenant_id, lambda connection: work(connection, False))
    except (*UNKEEPABLE, DBAPIError) as error:
        if not is_unkeepable(error):
            raise
    return await database.transact(tenant_id, lambda connection: work(connection, True))
