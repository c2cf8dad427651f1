import asyncio
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy.exc
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import ActivityEnvironment

from activities.errors import translated
from domain import errors


def translate(error: BaseException, attempt: int = 1) -> BaseException:
    """What becomes of an error that an activity raises at its n-th try."""
    environment = ActivityEnvironment()
    environment.info = environment.default_info()
    environment.info = environment.info.__class__(**{**vars(environment.info), "attempt": attempt})

    def fail() -> None:
        with translated():
            raise error

    with pytest.raises(BaseException) as raised:  # noqa: PT011 - any of them
        environment.run(fail)
    return raised.value


def shape(error: BaseException) -> tuple[object, ...]:
    """Type, message, whether it is final, when to try again, and the details, of one failure."""
    assert isinstance(error, ApplicationError)
    return (
        error.type,
        error.message,
        error.non_retryable,
        error.next_retry_delay,
        tuple(error.details),
    )


RETRYABLE = [
    errors.StoreUnreachableError,
    errors.StoreUnavailableError,
    errors.RateLimitedError,
]
PERMANENT = [
    errors.CredentialsError,
    errors.PermissionDeniedError,
    errors.RouteMissingError,
    errors.RequestRejectedError,
    errors.AddressRefusedError,
]


@pytest.mark.parametrize("kind", RETRYABLE)
@pytest.mark.parametrize(("attempt", "is_final"), [(1, False), (2, False), (3, True), (9, True)])
def test_a_store_that_may_recover_is_tried_three_times_at_once(
    kind: type[errors.StoreError], attempt: int, is_final: bool
) -> None:
    assert shape(translate(kind("busy"), attempt)) == (
        kind.__name__,
        "busy",
        is_final,
        None,
        (None,),
    )


@pytest.mark.parametrize(
    ("told_s", "is_final", "delay"),
    [
        (1.5, False, timedelta(seconds=1.5)),
        (30.0, False, timedelta(seconds=30)),
        (30.5, True, None),
        (600.0, True, None),
        (0.0, False, None),
    ],
)
def test_a_pause_that_the_store_asks_for_is_kept_here_if_short_and_handed_on_if_long(
    told_s: float, is_final: bool, delay: timedelta | None
) -> None:
    error = errors.RateLimitedError("slow down", retry_after_s=told_s)
    assert shape(translate(error)) == ("RateLimitedError", "slow down", is_final, delay, (told_s,))


@pytest.mark.parametrize("kind", PERMANENT)
def test_a_store_that_needs_a_person_is_not_asked_again(kind: type[errors.StoreError]) -> None:
    assert shape(translate(kind("no"))) == (kind.__name__, "no", True, None, (None,))


@pytest.mark.parametrize(
    "kind", [errors.StoreGoneError, errors.SecretError, errors.NotFoundError, errors.ConflictError]
)
def test_an_error_of_ours_is_final(kind: type[errors.EntrepotError]) -> None:
    assert shape(translate(kind("gone"))) == (kind.__name__, "gone", True, None, ())


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("password=hunter2"),
        psycopg.InterfaceError("password=hunter2"),
        psycopg.errors.AdminShutdown("password=hunter2"),
        sqlalchemy.exc.OperationalError("select 'hunter2'", None, Exception("hunter2")),
        sqlalchemy.exc.InterfaceError("select 'hunter2'", None, Exception("hunter2")),
        sqlalchemy.exc.TimeoutError("hunter2"),
        ConnectionRefusedError("hunter2"),
    ],
)
def test_a_database_that_is_away_is_waited_for(error: Exception) -> None:
    assert shape(translate(error, attempt=50)) == (
        "DatabaseError",
        f"the database did not answer ({type(error).__name__})",
        False,
        None,
        (),
    )


async def test_a_statement_that_is_cut_off_by_a_cancellation_is_no_database_that_is_away() -> None:
    environment, is_waiting = ActivityEnvironment(), asyncio.Event()

    async def wait() -> None:
        with translated():
            try:
                is_waiting.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise psycopg.OperationalError("another command is already in progress") from None

    waiting = asyncio.ensure_future(environment.run(wait))
    await is_waiting.wait()
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize("error", [KeyError("hunter2"), ValueError("hunter2"), AssertionError("x")])
def test_what_nobody_foresaw_is_tried_again_and_its_text_stays_at_home(error: Exception) -> None:
    outcome = translate(error)
    name = type(error).__name__
    assert shape(outcome)[:3] == (
        name,
        f"unforeseen {name}; the worker's log has the details",
        False,
    )
    assert outcome.__cause__ is None
    assert outcome.__suppress_context__


@pytest.mark.parametrize(
    "error",
    [ApplicationError("mine", type="Mine"), CancelledError("stop"), asyncio.CancelledError("stop")],
)
def test_what_is_temporals_own_passes(error: BaseException) -> None:
    assert translate(error) is error


@pytest.mark.parametrize("kind", [*RETRYABLE, *PERMANENT])
def test_nothing_behind_the_message_reaches_a_history(kind: type[errors.StoreError]) -> None:
    try:
        try:
            raise ValueError("hunter2")
        except ValueError as cause:
            raise kind("said for people") from cause
    except kind as error:
        outcome = translate(error)
    assert outcome.__cause__ is None
    assert outcome.__suppress_context__
