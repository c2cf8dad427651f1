"""Trying credentials: an expiring row, a workflow that probes the store, a verdict.

The API never talks to a store itself, and no credential enters a workflow's history.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from api import problems
from api.problems import ProblemError
from api.services import ApiServices, now
from api.store_answers import store_problem, waiting_for_store
from db.store_checks import StoreCheck, copy_store_to_check, create_check, discard_check
from domain.keepable import keepable
from workflows.models import CheckStoreInput, CheckStoreResult


@dataclass(frozen=True, slots=True)
class Trial:
    """Credentials on trial."""

    tenant_id: int
    check_id: int
    store_id: int
    provider: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it: facts, or the problem the store has with the credentials."""

    facts: Mapping[str, Any]
    problem: ProblemError | None = None


@asynccontextmanager
async def trial_of_new(
    services: ApiServices, tenant_id: int, check: StoreCheck
) -> AsyncIterator[Trial]:
    """Put credentials on trial. The row is deleted when the block fails; success takes it."""
    async with services.database.tenant(tenant_id) as connection:
        check_id = await create_check(connection, tenant_id, check, expires_at=_expiry(services))
    trial = Trial(tenant_id, check_id, check.store_id, check.provider)
    try:
        yield trial
    except BaseException:
        await _discard(services, trial)
        raise


@asynccontextmanager
async def trial_of_stored(
    services: ApiServices, tenant_id: int, *, store_id: int, provider: str
) -> AsyncIterator[Trial]:
    """Put a store's own credentials on trial; the row is deleted at the end of the block."""
    async with services.database.tenant(tenant_id) as connection:
        check_id = await copy_store_to_check(connection, store_id, expires_at=_expiry(services))
    if check_id is None:
        raise problems.not_found(f"store {store_id}", "/api/stores")
    trial = Trial(tenant_id, check_id, store_id, provider)
    try:
        yield trial
    finally:
        await _discard(services, trial)


async def judge(services: ApiServices, trial: Trial) -> Verdict:
    """Have the credentials tried.

    Raises:
        ProblemError: 504 when there was no verdict in time.
        TemporalUnavailableError: the workflow could not be started.
    """
    timeout_s = services.config.check_timeout_s
    with waiting_for_store(timeout_s, "store_check_failed", check_id=trial.check_id):
        result = await services.temporal.check_store(
            CheckStoreInput(
                tenant_id=trial.tenant_id,
                store_check_id=trial.check_id,
                provider=trial.provider,
            ),
            store_id=trial.store_id,
            timeout_s=timeout_s,
        )
        return _verdict(result)


async def judge_or_refuse(services: ApiServices, trial: Trial) -> Mapping[str, Any]:
    """The facts about the store. Raises ProblemError for anything but success."""
    verdict = await judge(services, trial)
    if verdict.problem is not None:
        raise verdict.problem
    return verdict.facts


def _verdict(result: CheckStoreResult) -> Verdict:
    if result.error_type is None:
        return Verdict(keepable(result.facts or {}))
    hint = "Nothing was saved: try again when the store answers."
    return Verdict({}, store_problem(result.error_type, result.message, hint=hint))


def _expiry(services: ApiServices) -> Any:
    return now() + timedelta(seconds=services.config.check_expires_s)


async def _discard(services: ApiServices, trial: Trial) -> None:
    async with services.database.tenant(trial.tenant_id) as connection:
        await discard_check(connection, trial.check_id)
