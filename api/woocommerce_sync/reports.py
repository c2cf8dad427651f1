"""`/api/woocommerce-sync/status`, `analytics`, `history`, `conflicts`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.auth import SyncsReader
from api.caching import REVALIDATED
from api.conflict_views import conflict_answers
from api.paging import (
    Cursor,
    Limit,
    decode_cursor,
    encode_cursor,
    next_cursor,
    read_id,
)
from api.params import EACH_ONCE
from api.report_reading import reading_reports
from api.schemas.base import MAX_ID
from api.schemas.conflicts import ConflictAnswer, ConflictStatus
from api.schemas.woocommerce_reports import (
    AnalyticsAnswer,
    HistoryAnswer,
    HistoryEvent,
    HowToResolve,
    StoreConflictAnswer,
    StoreConflictListAnswer,
    StoreFiguresAnswer,
    Timeframe,
)
from api.schemas.woocommerce_status import WooCommerceStatusAnswer
from api.services import ApiServices, Services, now
from api.woocommerce_sync.analytics_view import figures_of
from api.woocommerce_sync.history_view import STATUS_OF, history_entry
from api.woocommerce_sync.status_view import store_status
from api.woocommerce_sync.stores import StoreIdQuery, woocommerce_stores
from api.woocommerce_sync.system_view import hub_status
from db.conflicts import OPEN, ConflictFilter, list_conflicts
from db.processes import list_processes
from db.reports_analytics import load_figures
from db.reports_history import HistoryFilter, list_history
from db.reports_status import load_states
from db.stores import Store
from domain.errors import NotFoundError

router = APIRouter(
    prefix="/api/woocommerce-sync", tags=["woocommerce-sync"], dependencies=[EACH_ONCE]
)

_SPANS: Final[dict[Timeframe, timedelta]] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}
_RECENT: Final = 10
_HISTORY: Final = "woocommerce-history"
_CONFLICTS: Final = "woocommerce-conflicts"


@router.get(
    "/status",
    summary="How the stores stand",
    response_model=WooCommerceStatusAnswer,
    responses=REVALIDATED,
)
async def status(
    request: Request, principal: SyncsReader, services: Services, store_id: StoreIdQuery = None
) -> Response:
    """Connection, rate limit, backlog, lanes and what they come to, with what to do about it.

    No store is asked for it: `connection` is what the last request of a sync, a webhook's re-read
    or a push found. A schedule makes sure that there is one; without any, that is told. The
    hub's processes tell what they use every ten seconds. Kept for some seconds.
    """

    async def make() -> WooCommerceStatusAnswer:
        stores = await woocommerce_stores(services, principal.tenant_id, store_id)
        async with services.database.tenant(principal.tenant_id) as connection:
            states = await load_states(connection, [one.id for one in stores])
            processes = await list_processes(connection)
        at = now()
        told = [
            store_status(one, states[one.id], per_minute=_per_minute(services, one), at=at)
            for one in stores
        ]
        is_healthy = await services.temporal.is_healthy()
        return hub_status(told, processes, is_temporal_healthy=is_healthy, at=at)

    return await services.cache.cached(
        request,
        principal,
        name="woocommerce-status",
        ttl_s=services.config.cache_status_s,
        make=make,
    )


@router.get(
    "/analytics",
    summary="What was synced, how quickly, with what errors",
    response_model=AnalyticsAnswer,
    responses=REVALIDATED,
)
async def analytics(
    request: Request,
    principal: SyncsReader,
    services: Services,
    timeframe: Annotated[Timeframe, Query(description="How far back, in full hours")] = "24h",
    store_id: StoreIdQuery = None,
) -> Response:
    """Records, runs, requests, errors and webhooks by store and in total.

    Read from sums by hour, so it is quick however much happened. Kept for a minute.
    """

    async def make() -> AnalyticsAnswer:
        stores = await woocommerce_stores(services, principal.tenant_id, store_id)
        return await _analytics(services, principal.tenant_id, stores, timeframe)

    return await services.cache.cached(
        request,
        principal,
        name="woocommerce-analytics",
        ttl_s=services.config.cache_analytics_s,
        make=make,
    )


@router.get("/history", summary="What happened")
async def history(
    principal: SyncsReader,
    services: Services,
    event_type: Annotated[
        HistoryEvent | None,
        Query(description="`rejected`: entries of any kind that set records aside"),
    ] = None,
    store_id: StoreIdQuery = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> HistoryAnswer:
    """Pulls, pushes and webhooks of all WooCommerce stores, the newest first."""
    before = decode_cursor(_HISTORY, cursor, _read_position)
    stores = await woocommerce_stores(services, principal.tenant_id, store_id)
    wanted = HistoryFilter(
        store_ids=[one.id for one in stores],
        status=STATUS_OF.get(event_type) if event_type else None,
        is_rejected_only=event_type == "rejected",
        before=before,
    )
    tenant_id = principal.tenant_id
    with reading_reports(services) as reports:
        async with reports.tenant(tenant_id) as connection:
            rows = await list_history(connection, tenant_id, wanted, limit=limit + 1)
    page = rows[:limit]
    following = None
    if len(rows) > limit:
        last = page[-1]
        following = encode_cursor(_HISTORY, last.created_at.astimezone(UTC).isoformat(), last.id)
    return HistoryAnswer(data=[history_entry(one) for one in page], next_cursor=following)


@router.get("/conflicts", summary="Conflicts, with what is suggested")
async def conflicts(
    principal: SyncsReader,
    services: Services,
    status: Annotated[ConflictStatus, Query(description="Which of them")] = "open",
    store_id: StoreIdQuery = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> StoreConflictListAnswer:
    """Fields that both sides changed, the newest first, each with a suggestion and its reason.

    `howToResolve` is the request that decides a conflict as suggested; a sync with `force` lets the
    store win all of them.
    """
    before = decode_cursor(_CONFLICTS, cursor, read_id) or MAX_ID
    stores = await woocommerce_stores(services, principal.tenant_id, store_id)
    wanted = ConflictFilter(status=status, store_ids=[one.id for one in stores])
    async with services.database.tenant(principal.tenant_id) as connection:
        rows = await list_conflicts(connection, wanted, before=before, limit=limit + 1)
        page = rows[:limit]
        answers = await conflict_answers(connection, page)
    return StoreConflictListAnswer(
        data=[_with_advice(one) for one in answers],
        next_cursor=next_cursor(_CONFLICTS, rows, limit),
    )


async def _analytics(
    services: ApiServices, tenant_id: int, stores: Sequence[Store], timeframe: Timeframe
) -> AnalyticsAnswer:
    until = now()
    since = (until - _SPANS[timeframe]).replace(minute=0, second=0, microsecond=0)
    ids = [one.id for one in stores]
    with reading_reports(services) as reports:
        async with reports.tenant(tenant_id) as connection:
            found = await load_figures(connection, ids, since)
            recent = await list_history(connection, tenant_id, HistoryFilter(ids), limit=_RECENT)
    return AnalyticsAnswer(
        timeframe=timeframe,
        since=since,
        until=until,
        total=figures_of(found, ids),
        stores=[
            StoreFiguresAnswer(
                store_id=one.id,
                name=one.name,
                **figures_of(found, [one.id]).model_dump(by_alias=False),
            )
            for one in stores
        ],
        recent_activity=[history_entry(one) for one in recent],
    )


def _per_minute(services: ApiServices, store: Store) -> float | None:
    """The request limit of the store's provider; of one that is not installed none is known."""
    try:
        return services.registry.get(store.provider).manifest.requests_per_minute
    except NotFoundError:
        return None


def _with_advice(conflict: ConflictAnswer) -> StoreConflictAnswer:
    how = None
    if conflict.status == OPEN:
        how = HowToResolve(
            url=f"/api/conflicts/{conflict.id}/resolve",
            body={"resolution": conflict.suggestion.resolution},
        )
    return StoreConflictAnswer(**conflict.model_dump(by_alias=False), how_to_resolve=how)


def _read_position(parts: Sequence[object]) -> tuple[datetime, int]:
    moment, last_id = parts
    at = datetime.fromisoformat(str(moment))
    if at.tzinfo is None:
        raise ValueError("not a moment")
    return at, read_id([last_id])
