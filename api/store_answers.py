"""What somebody who waits for a store is told: of its no, of its silence, of a fault of ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import structlog

from api import problems
from api.problems import ProblemError, ProblemKind
from api.temporal import CheckFailedError

_log = structlog.get_logger(__name__)

_LONGEST_MESSAGE: Final = 500
_RETRY_LATER: Final = {"Retry-After": "30"}

_VERDICTS: Final[Mapping[str, ProblemKind]] = {
    "CredentialsError": problems.CREDENTIALS_REFUSED,
    "PermissionDeniedError": problems.PERMISSION_DENIED,
    "StoreSuspendedError": problems.STORE_REJECTED,
    "RouteMissingError": problems.NOT_A_STORE,
    "RequestRejectedError": problems.STORE_REJECTED,
    "AddressRefusedError": problems.ADDRESS_REFUSED,
    "StoreUnreachableError": problems.STORE_UNREACHABLE,
    "StoreUnavailableError": problems.STORE_UNAVAILABLE,
    "RateLimitedError": problems.STORE_UNAVAILABLE,
}


@contextmanager
def waiting_for_store(
    timeout_s: float, failure: str, *, again: str = "Try again", **about: int
) -> Iterator[None]:
    """Ask a store within the block; `failure` and `about` are what the log says of a fault of ours.

    Raises:
        ProblemError: 504, no answer within `timeout_s`; 500, the workflow that asked failed.
    """
    try:
        yield
    except TimeoutError:
        raise ProblemError(
            problems.STORE_TIMEOUT,
            f"There was no answer within {timeout_s:g} s: the store is too slow, or no worker "
            f"runs. {again}; if it goes on, see GET /api/health?detailed=true.",
            headers=_RETRY_LATER,
        ) from None
    except CheckFailedError as error:
        _log.error(failure, reason=str(error), **about)
        raise ProblemError(problems.INTERNAL, "It failed on our side. Try again later.") from None


def store_problem(
    error_type: str, message: str | None, *, hint: str = "Try again when the store answers."
) -> ProblemError:
    """What a store's no is to who asked; `hint` follows where trying again may help.

    Raises:
        CheckFailedError: it is no error of a store.
    """
    kind = _VERDICTS.get(error_type)
    if kind is None:
        raise CheckFailedError(f"{error_type}: {message}")
    told = (message or kind.title)[:_LONGEST_MESSAGE]
    if kind.status < 500:
        return ProblemError(kind, told)
    ended = told if told.endswith("?") else f"{told.rstrip('.')}."
    return ProblemError(kind, f"{ended} {hint}", headers=_RETRY_LATER)
