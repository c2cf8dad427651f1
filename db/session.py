"""Connections to PostgreSQL, each bound to one tenant or to none.

A session without a tenant sees no row of any tenant (row-level security). The tenant is set for
the transaction alone, so a pooled connection never carries one tenant into another's request.
"""

import select
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar, cast

from psycopg import AsyncConnection as AsyncDriver
from psycopg import errors
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

T = TypeVar("T")

# The temporary tables of `db.staging` live as long as their connection.
_STAGING = (
    """
    create temporary table stage (
      key text not null, version timestamptz, digest bytea, base jsonb not null, buyer text,
      is_new boolean not null
    ) on commit delete rows
    """,
    """
    create temporary table touched (
      entity text storage plain not null, key text storage plain, record_id bigint not null,
      action text storage plain not null
    ) on commit delete rows
    """,
)
# What a server without `transaction_timeout` (before PostgreSQL 17) does not know is left out.
_LIMITS = """
select set_config(name, limits.value, false)
from (values ('transaction_timeout', '60s'), ('idle_in_transaction_session_timeout', '10s'))
  as limits(name, value)
join pg_settings using (name)
"""
# A standby takes no temporary tables either (PostgreSQL manual, "Hot Standby").
_READ_ONLY = "set default_transaction_read_only = on"
_ON_CONNECT = (*_STAGING, _LIMITS)
_ON_CONNECT_READING = (_READ_ONLY, _LIMITS)

_SET_TENANT = "select set_config('app.tenant', %s, true)"
_ATTEMPTS = 20
_USED_AT = "entrepot_used_at"
_UNTRIED_S = 10.0
_REPLICA_CONNECT_S = "5"


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

    def __init__(
        self, url: str, *, pool_size: int = 10, pre_ping: bool = True, is_replica: bool = False
    ) -> None:
        """Args:
        pre_ping: whether to look if a pooled connection still works before it is used: for
            requests, which are not tried again as activities are.
        is_replica: whether it may be a standby. Nothing can be written through it, whatever the
            server is, and to connect takes 5 s at most unless the URL says otherwise.
        """
        self._engine: AsyncEngine = create_async_engine(
            _impatient(driver_url(url)) if is_replica else driver_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=30,
            hide_parameters=True,
        )
        statements = _ON_CONNECT_READING if is_replica else _ON_CONNECT
        event.listen(self._engine.sync_engine, "connect", partial(_prepare, statements))
        if pre_ping:
            event.listen(self._engine.sync_engine, "checkin", _note_use)
            event.listen(self._engine.sync_engine, "checkout", partial(_try, self._engine.dialect))

    @property
    def connections_in_use(self) -> int:
        """How many connections of the pool somebody works with now."""
        return cast("AsyncAdaptedQueuePool", self._engine.pool).checkedout()

    @property
    def pool_size(self) -> int:
        """How many connections there are at most."""
        return cast("AsyncAdaptedQueuePool", self._engine.pool).size()

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


def _impatient(url: URL) -> URL:
    return url.set(query={"connect_timeout": _REPLICA_CONNECT_S, **url.query})


def _prepare(statements: Sequence[str], connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
    connection.commit()


def _note_use(_connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _try(
    dialect: Dialect, connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object
) -> None:
    """Send a connection away that a server has left; the pool opens another then.

    A server that ends closes its side, and the kernel knows: that costs no round trip. Only behind
    a network that forgot the connection nobody tells, hence the question after a while.
    """
    used_at = record.info.get(_USED_AT)
    if used_at is None:
        return
    driver = cast("AsyncDriver[Any]", connection.driver_connection)
    if not _has_word(driver) and time.monotonic() - used_at < _UNTRIED_S:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


def _has_word(driver: "AsyncDriver[Any]") -> bool:
    """Whether the server said anything since: its last words, or that it is gone."""
    if driver.closed:
        return True
    waiting = select.poll()
    waiting.register(driver.pgconn.socket, select.POLLIN)
    return bool(waiting.poll(0))
