"""Where errors become Temporal's: retried or not, when, and without anything secret.

What an activity raises is written into the workflow's history. So only messages made for people
pass; anything else is named by its type alone, and its details go to the log of the worker.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from psycopg import InterfaceError as DriverInterfaceError
from psycopg import OperationalError as DriverOperationalError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError

from domain.errors import EntrepotError, RetryableStoreError, StoreError

QUICK_TRIES = 3
"""How often a store is asked again at once, before the ladder of the product takes over."""

LONGEST_QUICK_WAIT_S = 30.0
"""A store that asks for a longer pause is waited for in the workflow, where people can see it."""

DATABASE_AWAY = (
    OperationalError,
    InterfaceError,
    PoolTimeoutError,
    DriverOperationalError,
    DriverInterfaceError,
    OSError,
)

_log = structlog.get_logger(__name__)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the block raises into what Temporal should do about it.

    - a store that may recover: up to three quick tries, at the pace it asks for;
    - a store that will not, or another error of ours: no retry;
    - the database, or anything unforeseen: retried by the activity's policy;
    - the database while the activity is cancelled: that it is cancelled.
    """
    try:
        yield
    except (ApplicationError, CancelledError):
        raise
    except StoreError as error:
        raise _of_store(error) from None
    except EntrepotError as error:
        raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from None
    except DATABASE_AWAY as error:
        if activity.in_activity() and activity.is_cancelled():
            # A statement that is cut off may leave a connection that cannot even be rolled back.
            raise asyncio.CancelledError from None
        _log.warning("database_away", error_type=type(error).__name__)
        raise ApplicationError(
            f"the database did not answer ({type(error).__name__})", type="DatabaseError"
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever it is, its text must not reach a history
        _log.exception("activity_failed", error_type=type(error).__name__)
        raise ApplicationError(
            f"unforeseen {type(error).__name__}; the worker's log has the details",
            type=type(error).__name__,
        ) from None


def is_tried_again_at_once(error: StoreError) -> bool:
    """Whether Temporal should run this activity again before anything climbs the ladder."""
    wait = error.retry_after_s
    return (
        isinstance(error, RetryableStoreError)
        and activity.info().attempt < QUICK_TRIES
        and (wait is None or wait <= LONGEST_QUICK_WAIT_S)
    )


def _of_store(error: StoreError) -> ApplicationError:
    wait = error.retry_after_s
    is_quick = is_tried_again_at_once(error)
    return ApplicationError(
        str(error),
        wait,
        type=type(error).__name__,
        non_retryable=not is_quick,
        next_retry_delay=timedelta(seconds=max(wait, 0.0)) if is_quick and wait else None,
    )
