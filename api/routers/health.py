"""`/api/health`: whether the hub serves, part by part."""

import asyncio
from collections.abc import Collection, Sequence
from functools import partial
from typing import Annotated, Final

import psycopg
import structlog
from fastapi import APIRouter, Depends, Query
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from api import problems
from api.auth import CHALLENGE, Principal, authenticate_if_given
from api.problems import ProblemError
from api.schemas.health import HealthAnswer, ServicesAnswer, State
from api.services import ApiServices, Parts, Services, now
from db.processes import list_processes
from db.replication import read_lag_s
from db.schema_version import find_revision, newest_revision
from db.stores import list_providers_in_use
from db.tenants import get_tenant
from domain.statuses import SyncStatus
from workflows.task_queues import unserved

_log = structlog.get_logger(__name__)

router = APIRouter(prefix="/api/health", tags=["health"])

_TIMEOUT_S = 2.0
_KEEP_S: Final = 1.0
_REPLICA_LAG_S = 60.0
_DOWN = 503


@router.get(
    "",
    summary="Whether the hub serves",
    responses={404: {}, 503: {"model": HealthAnswer}},
    openapi_extra={"security": [{}]},
)
async def health(
    response: Response,
    services: Services,
    principal: Annotated[Principal | None, Depends(authenticate_if_given)],
    organization_id: Annotated[
        str | None,
        Query(alias="organizationId", max_length=64, description="Must be that of the key"),
    ] = None,
    detailed: bool = False,
) -> HealthAnswer:
    """The hub as a whole; with a key and `detailed`, its parts and the tenant's integrations.

    503 when it cannot serve. How the parts stand is found out once a second at most, however many
    ask: they need not be known. A store that fails makes its integration unhealthy, not the hub; a
    replica that fails makes `reports` unhealthy, and one more than a minute behind degraded.
    """
    if detailed and principal is None:
        raise ProblemError(
            problems.UNAUTHENTICATED,
            "detailed=true needs a key or a login: send X-API-Key and X-API-Secret, or "
            "Authorization: Bearer.",
            headers=CHALLENGE,
        )
    (database, migrations, workers), temporal = await services.health.get(
        None, partial(_parts, services), keep_s=_KEEP_S
    )
    integrations: dict[str, State] = {}
    if principal is not None and database == "healthy":
        integrations = await _integrations(services, principal, organization_id)
    reports = await _reports(services) if detailed else None
    overall = _overall(database, temporal, migrations, workers)
    if overall == "unhealthy":
        response.status_code = _DOWN
    moment = now()
    return HealthAnswer(
        status=overall,
        timestamp=moment,
        version=services.config.version,
        environment=services.config.environment,
        uptime=int((moment - services.started_at).total_seconds()),
        services=ServicesAnswer(
            database=database,
            temporal=temporal,
            migrations=migrations,
            workers=workers,
            reports=reports,
            integrations=integrations,
        )
        if detailed
        else None,
    )


async def _parts(services: ApiServices) -> Parts:
    return await asyncio.gather(_database(services), _temporal(services))


def _overall(database: State, *others: State) -> State:
    """Without Temporal or workers records can still be read; without the database nothing can."""
    if database != "healthy":
        return "unhealthy"
    return "healthy" if set(others) == {"healthy"} else "degraded"


async def _database(services: ApiServices) -> tuple[State, State, State]:
    """Of the database, its schema, and the workers that report in it."""
    try:
        async with asyncio.timeout(_TIMEOUT_S), services.database.lookup() as connection:
            if await find_revision(connection) != newest_revision():
                return "healthy", "degraded", "degraded"  # the table may not be there yet
            processes = await list_processes(connection)
    except (SQLAlchemyError, psycopg.Error, TimeoutError) as error:
        _log.warning("database_unhealthy", error_type=type(error).__name__)
        return "unhealthy", "unhealthy", "unhealthy"
    return "healthy", "healthy", _workers([one.queues for one in processes])


def _workers(served: Sequence[Collection[str]]) -> State:
    if not unserved(served):
        return "healthy"
    return "degraded" if any(served) else "unhealthy"


async def _reports(services: ApiServices) -> State | None:
    """Of the replica, if there is one: nothing but reports needs it."""
    if services.replica is None:
        return None
    try:
        async with asyncio.timeout(_TIMEOUT_S), services.replica.lookup() as connection:
            lag_s = await read_lag_s(connection)
            revision = await find_revision(connection)
    except (SQLAlchemyError, psycopg.Error, TimeoutError) as error:
        _log.warning("replica_unhealthy", error_type=type(error).__name__)
        return "unhealthy"
    is_near = lag_s is not None and lag_s <= _REPLICA_LAG_S
    if not is_near:
        _log.warning("replica_behind", lag_s=lag_s)
    return "healthy" if is_near and revision == newest_revision() else "degraded"


async def _temporal(services: ApiServices) -> State:
    return "healthy" if await services.temporal.is_healthy() else "unhealthy"


async def _integrations(
    services: ApiServices, principal: Principal, organization_id: str | None
) -> dict[str, State]:
    async with services.database.tenant(principal.tenant_id) as connection:
        tenant = await get_tenant(connection)
        in_use = await list_providers_in_use(connection)
    if organization_id not in {None, tenant.public_id}:
        raise ProblemError(
            problems.NOT_FOUND,
            "There is no such organization for this key. Leave organizationId out.",
        )
    return {provider: _integration(statuses) for provider, statuses in in_use.items()}


def _integration(statuses: Collection[str]) -> State:
    if SyncStatus.FAILED not in statuses:
        return "healthy"
    return "unhealthy" if len(statuses) == 1 else "degraded"
