"""Connections to PostgreSQL, each bound to one tenant or to none.

A session without a tenant sees no row of any tenant (row-level security). The tenant is set for
the transaction alone, so a pooled connection never carries one tenant into another's request.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from psycopg import AsyncConnection as AsyncDriver
from psycopg import errors
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

T = TypeVar("T")

# The temporary tables of `db.staging` live as long as their connection, and limits that a server
# without `transaction_timeout` (before PostgreSQL 17) does not know are left out.
_ON_CONNECT = (
    """
    create temporary table stage (
      key text not null, version timestamptz, digest bytea, base jsonb not null, buyer text,
      is_new boolean not null
    ) on commit delete rows
    """,
    """
    create temporary table touched (
      entity text not null, key text, record_id bigint not null, action text not null
    ) on commit delete rows
    """,
    """
    select set_config(name, limits.value, false)
    from (values ('transaction_timeout', '60s'), ('idle_in_transaction_session_timeout', '10s'))
      as limits(name, value)
    join pg_settings using (name)
    """,
)

_SET_TENANT = "select set_config('app.tenant', %s, true)"
_ATTEMPTS = 20


class LostRaceError(Exception):
    """Another transaction wrote what this one was about to create: it has to run again."""


def driver_url(url: str) -> URL:
    """The URL with the driver we use, whatever spelling of `postgresql` it came with."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg")


_RETRIED = (errors.DeadlockDetected, errors.SerializationFailure, LostRaceError)


class Database:
    """A pool of connections as the application role.

    `tenant` and `lookup` are the only ways in; both are one transaction, committed at the end of
    the block and rolled back by an exception.
    """

    def __init__(self, url: str, *, pool_size: int = 10, pre_ping: bool = True) -> None:
        """Args: pre_ping: whether to try a pooled connection before it is used, at the price of a
        round trip: for requests, which are not tried again as activities are.
        """
        self._engine: AsyncEngine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=pre_ping,
            pool_timeout=30,
            hide_parameters=True,
        )
        event.listen(self._engine.sync_engine, "connect", _prepare)

    @asynccontextmanager
    async def tenant(self, tenant_id: int) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees and writes the rows of one tenant."""
        async with self._engine.begin() as connection:
            raw = await connection.get_raw_connection()
            driver = cast("AsyncDriver[Any]", raw.driver_connection)
            await driver.execute(_SET_TENANT, (str(tenant_id),))
            yield connection

    @asynccontextmanager
    async def lookup(self) -> AsyncIterator[AsyncConnection]:
        """A transaction without a tenant: only the security-definer functions answer in it."""
        async with self._engine.begin() as connection:
            yield connection

    async def transact(self, tenant_id: int, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run `work` in a tenant's transaction, again when it loses to another one.

        `work` must have no effect outside the transaction.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self.tenant(tenant_id) as connection:
                    return await work(connection)
            except (DBAPIError, *_RETRIED) as error:
                cause = error.orig if isinstance(error, DBAPIError) else error
                if attempt == _ATTEMPTS or not isinstance(cause, _RETRIED):
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def close(self) -> None:
        """Close every connection of the pool."""
        await self._engine.dispose()


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    for statement in _ON_CONNECT:
        cursor.execute(statement)
    cursor.close()
    connection.commit()
