"""What a process needs before it can work, and waiting for it without giving up.

Servers come up in any order, and a process that ends because another is not there yet would only
be started again; so each waits, and says what for.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from typing import Final

import structlog
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from db.migrate import alembic_config
from db.schema_version import find_revision, newest_revision
from db.session import Database
from runtime.search_attributes import missing_search_attributes

_log = structlog.get_logger(__name__)

_PAUSE_S: Final = 0.2
_SAY_AGAIN_S: Final = 15.0
_PATIENCE_S: Final = 5.0
_SYSTEM_REASON: Final = re.compile(r'message: "([^"]+)"')

Look = Callable[[], Awaitable[str | None]]
"""Tells what is wrong, in words for people; None when nothing is."""


async def database_problem(database: Database) -> str | None:
    """Why the database cannot be used at all."""
    try:
        async with asyncio.timeout(_PATIENCE_S), database.lookup():
            return None
    except TimeoutError:
        return f"no answer within {_PATIENCE_S:g} s"
    except (SQLAlchemyError, OSError) as error:
        return first_line(error)


async def schema_problem(database: Database) -> str | None:
    """Why the schema is not the one this release needs. A newer one is fine."""
    try:
        async with asyncio.timeout(_PATIENCE_S), database.lookup() as connection:
            revision = await find_revision(connection)
    except TimeoutError:
        return f"no answer within {_PATIENCE_S:g} s"
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == "42P01":  # undefined_table
            return "no migration has been applied: run `entrepot migrate`"
        return first_line(error)
    except (SQLAlchemyError, OSError) as error:
        return first_line(error)
    if revision is None or (revision != newest_revision() and revision in _known_revisions()):
        return f"at {revision or 'nothing'} instead of {newest_revision()}: run `entrepot migrate`"
    return None


async def temporal_problem(connect: Callable[[], Awaitable[Client]]) -> str | None:
    """Why Temporal cannot be used."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await missing_search_attributes(await connect())
    except TimeoutError:
        return f"no answer within {_PATIENCE_S:g} s"
    except RPCError as error:
        return f"{error.status.name.lower()}: {first_line(error)}"
    except RuntimeError as error:  # what the SDK raises when it cannot connect
        return _why_not_connected(error)
    return None


async def wait_until_ready(name: str, look: Look, stop: asyncio.Event) -> bool:
    """Look until nothing is wrong; False when `stop` is set first.

    What it waits for is logged at once, whenever it changes, and every 15 seconds.
    """
    said, silent_s = None, 0.0
    while not stop.is_set():
        problem = await look()
        if problem is None:
            if said is not None:
                _log.info("waited", until=name)
            return True
        if problem != said or silent_s >= _SAY_AGAIN_S:
            _log.warning("waiting", until=name, reason=problem)
            said, silent_s = problem, 0.0
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE_S)
        silent_s += _PAUSE_S
    return False


@cache
def _known_revisions() -> frozenset[str]:
    script = ScriptDirectory.from_config(alembic_config("postgresql://"))
    return frozenset(found.revision for found in script.walk_revisions())


def _why_not_connected(error: RuntimeError) -> str:
    """The SDK tells the system's reason inside the dump of its own error."""
    reason = _SYSTEM_REASON.search(str(error))
    return f"no connection ({reason[1].lower()})" if reason else first_line(error)


def first_line(error: BaseException) -> str:
    """The message without SQL, parameters and links."""
    original = getattr(error, "orig", None) or error
    lines = [line.strip() for line in str(original).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
