"""Where reports are read: on the replica if there is one, whose failures are told as its own.

The primary never steps in. It would get the load that the replica is there to keep from it, at the
worst moment and without anybody having decided so.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import structlog
from psycopg import errors as driver
from sqlalchemy.exc import ProgrammingError

from api.errors import DATABASE_GONE
from api.problems import UNAVAILABLE, ProblemError
from api.services import ApiServices
from db.session import Database

_log = structlog.get_logger(__name__)

_REST: Final = "Everything else works; see GET /api/health?detailed=true."
_AWAY: Final = f"The replica that reports are read from does not answer. Try again later. {_REST}"
_CANCELLED: Final = (
    "The replica that reports are read from gave this one up to keep pace with its primary. Try "
    "again; if it goes on, its operator has to set hot_standby_feedback or "
    "max_standby_streaming_delay."
)
_BEHIND: Final = (
    "The replica that reports are read from does not have the schema of this release yet. Try "
    f"again when it has caught up. {_REST}"
)
_TOLD: Final[Mapping[str | None, str]] = {
    driver.SerializationFailure.sqlstate: _CANCELLED,
    driver.UndefinedTable.sqlstate: _BEHIND,
    driver.UndefinedColumn.sqlstate: _BEHIND,
    driver.UndefinedFunction.sqlstate: _BEHIND,
}
"""By SQLSTATE. A standby cancels what conflicts with replay as a serialization failure (PostgreSQL
manual, "Handling Query Conflicts")."""


@contextmanager
def reading_reports(services: ApiServices) -> Iterator[Database]:
    """The database to read a report from.

    Raises:
        ProblemError: 503, the replica does not answer, gave the statement up, or lacks a table.
    """
    try:
        yield services.reports
    except (*DATABASE_GONE, ProgrammingError, driver.ProgrammingError) as error:
        state = getattr(getattr(error, "orig", error), "sqlstate", None)
        is_ours = isinstance(error, DATABASE_GONE) or state in _TOLD
        if services.replica is None or not is_ours:
            raise
        _log.error("replica_unavailable", error_type=type(error).__name__, sqlstate=state)
        detail = _TOLD.get(state, _AWAY)
        raise ProblemError(UNAVAILABLE, detail, headers={"Retry-After": "30"}) from error
