"""Asking something of a store once: start it, and wait for it where a person waits."""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from pydantic import BaseModel
from starlette.responses import Response

from api import problems
from api.answers import json_answer
from api.auth import Principal
from api.imports import status_path
from api.on_record import Intent, start_on_record
from api.problems import CONFLICT, ProblemError
from api.scheduling import unavailable
from api.schemas.woocommerce_sync import DemandAnswer
from api.services import ApiServices
from api.store_answers import store_problem
from api.temporal import CheckFailedError, Started, TemporalUnavailableError
from api.temporal_demands import DemandFailedError, demand_workflow_id
from db.stores import Store
from workflows.models import DemandInput, DemandResult

_log = structlog.get_logger(__name__)

WAIT_S: Final = 10.0
"""How long a person waits for one record before being told where to look."""

Shown = Callable[[DemandResult, Started], Awaitable[BaseModel]]
"""Makes the answer of what a demand did; may raise ProblemError."""


def check_active(store: Store) -> Store:
    """The store. Raises ProblemError (409): it is not active."""
    if not store.is_active:
        raise ProblemError(
            CONFLICT,
            f"Store {store.id} is not active: activate it with "
            f"PATCH /api/stores/{store.id}/activate, then ask again.",
        )
    return store


def demand_input(
    services: ApiServices, principal: Principal, store: Store, name: str, **asked: object
) -> DemandInput:
    """What a demand on this store is started with: `asked` are `pulls`, `pushes`, `is_dry`."""
    return DemandInput.model_validate(
        {
            "tenant_id": principal.tenant_id,
            "store_id": store.id,
            "provider": store.provider,
            "ladder_s": services.config.ladder_s,
            "name": name,
            **asked,
        }
    )


async def start_demand(services: ApiServices, principal: Principal, args: DemandInput) -> Response:
    """Start it, or find the same that runs: 202. Raises ProblemError (503)."""
    return _accepted(services, args, await _start(services, principal, args))


async def run_demand(
    services: ApiServices,
    principal: Principal,
    args: DemandInput,
    show: Shown,
    *,
    wait_s: float = WAIT_S,
) -> Response:
    """Start it and wait: 200 with what `show` makes of its result, or 202 when it takes longer.

    Raises:
        ProblemError: 503; the store's no (`store_problem`); 409, it was cancelled.
    """
    started = await _start(services, principal, args)
    try:
        result = await services.temporal.await_demand(started, timeout_s=wait_s)
    except DemandFailedError as error:
        raise _problem(error, started) from None
    except TemporalUnavailableError as error:
        # It was started, and goes on when Temporal is back.
        _log.warning("demand_not_awaited", workflow_id=started.workflow_id, reason=str(error))
        result = None
    if result is None:
        return _accepted(services, args, started)
    if result.run_id is None:
        raise ProblemError(CONFLICT, f"Store {args.store_id} was deleted or deactivated meanwhile.")
    return json_answer(await show(result, started))


async def _start(services: ApiServices, principal: Principal, args: DemandInput) -> Started:
    intent = Intent(
        principal.tenant_id,
        principal.actor,
        "sync.started",
        f"store/{args.store_id}",
        {"name": args.name, "isDry": args.is_dry},
    )
    try:
        started = await start_on_record(
            services,
            intent,
            demand_workflow_id(args),
            lambda: services.temporal.start_demand(args),
        )
        if started.already_running:
            await services.temporal.hurry_demand(started)
    except TemporalUnavailableError as error:
        raise unavailable(error) from error
    return started


def _accepted(services: ApiServices, args: DemandInput, started: Started) -> Response:
    answer = DemandAnswer(
        workflow_id=started.workflow_id,
        status_url=status_path(started.workflow_id),
        temporal_ui_url=services.workflow_page(started.workflow_id),
        store_id=args.store_id,
        already_running=started.already_running,
    )
    return json_answer(answer, status_code=202, headers={"Location": answer.status_url})


def _problem(error: DemandFailedError, started: Started) -> ProblemError:
    if error.error_type in {"PushesPausedError", "StoreGoneError"}:
        return ProblemError(CONFLICT, str(error))
    if error.error_type == "Cancelled":
        return ProblemError(CONFLICT, "It was cancelled before it was done: send it again.")
    hint = f"Try again when the store answers; see GET {status_path(started.workflow_id)}."
    try:
        return store_problem(error.error_type, str(error), hint=hint)
    except CheckFailedError:
        _log.error("demand_failed", workflow_id=started.workflow_id, error_type=error.error_type)
        return ProblemError(problems.INTERNAL, f"It failed on our side. {hint}")
