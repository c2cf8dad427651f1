"""`/api/stores/{id}/webhook-events`: what a store sent, and what became of it."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.answers import json_answer
from api.auth import Principal, SyncsReader, SyncsWriter
from api.connecting import get_store
from api.idempotency import Idempotent
from api.ingress import Ingress
from api.masking import shown
from api.paging import Cursor, Limit, decode_cursor, next_cursor, read_id
from api.params import RecordId, StoreId
from api.problems import CONFLICT, ProblemError
from api.schemas.base import Moment
from api.schemas.webhooks import (
    EventStatus,
    ReplayAnswer,
    WebhookCountersAnswer,
    WebhookEventAnswer,
    WebhookEventListAnswer,
)
from api.services import Services
from db.audit import record_audit
from db.keys import Permission
from db.webhook_lists import (
    EventFilter,
    EventRow,
    find_event_status,
    list_events,
    read_counts,
    replay_event,
)
from domain.lanes import LaneKind

router = APIRouter(prefix="/api/stores", tags=["webhooks"])

_EVENTS = "webhook-events"
_MOST_WITH_PAYLOAD = 50
_LONGEST_PAYLOAD = 256 * 1024

Status = Annotated[EventStatus | None, Query(description="Only events of this status")]
EventType = Annotated[
    str | None,
    Query(alias="type", max_length=50, pattern=r"^[^\x00]*$", description="Only this `eventType`"),
]
From = Annotated[Moment | None, Query(alias="from", description="Received at or after")]
To = Annotated[Moment | None, Query(description="Received before")]
WithPayload = Annotated[
    bool,
    Query(
        alias="includePayload",
        description="Show the bodies, at most 50 events at a time; those over 256 KiB are left out",
    ),
]


@router.get("/{store_id}/webhook-events", summary="List a store's webhooks")
async def list_(  # noqa: PLR0913, PLR0917 - each is a parameter of the query
    store_id: StoreId,
    principal: SyncsReader,
    services: Services,
    status: Status = None,
    event_type: EventType = None,
    since: From = None,
    to: To = None,
    include_payload: WithPayload = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> WebhookEventListAnswer:
    """Webhooks that were accepted, newest first. What was refused is only counted."""
    wanted = EventFilter(status, event_type, since, to, decode_cursor(_EVENTS, cursor, read_id))
    await get_store(services, principal.tenant_id, store_id)
    limit = min(limit, _MOST_WITH_PAYLOAD) if include_payload else limit
    async with services.database.tenant(principal.tenant_id) as connection:
        rows = await list_events(
            connection,
            store_id,
            wanted,
            limit=limit + 1,
            longest_body=_LONGEST_PAYLOAD if include_payload else None,
        )
    page = rows[:limit]
    return WebhookEventListAnswer(
        data=[_view(principal, row, is_asked=include_payload) for row in page],
        next_cursor=next_cursor(_EVENTS, rows, limit),
    )


@router.get("/{store_id}/webhook-events/counters", summary="Count a store's webhooks")
async def counters(
    request: Request, store_id: StoreId, principal: SyncsReader, services: Services
) -> WebhookCountersAnswer:
    """How many came, were refused, and had which outcome, since the store was connected."""
    await get_store(services, principal.tenant_id, store_id)
    ingress: Ingress = request.app.state.ingress
    await ingress.counters.flush()
    async with services.database.tenant(principal.tenant_id) as connection:
        return WebhookCountersAnswer(counters=dict(await read_counts(connection, store_id)))


@router.post(
    "/{store_id}/webhook-events/{record_id}/replay",
    status_code=202,
    response_model=ReplayAnswer,
    summary="Work a webhook off again",
)
async def replay(
    store_id: StoreId,
    record_id: RecordId,
    principal: SyncsWriter,
    services: Services,
    idempotency: Idempotent,
) -> Response:
    """Put an event that is done or failed back among the pending, as if it had just come in."""

    async def work() -> Response:
        store = await get_store(services, principal.tenant_id, store_id)
        async with services.database.tenant(principal.tenant_id) as connection:
            if not await replay_event(connection, store_id, record_id):
                if await find_event_status(connection, store_id, record_id) is None:
                    raise problems.not_found(
                        f"webhook event {record_id}", f"/api/stores/{store_id}/webhook-events"
                    )
                raise ProblemError(
                    CONFLICT, f"Event {record_id} is pending already: it will be worked off."
                )
            await record_audit(
                connection,
                principal.tenant_id,
                principal.actor,
                "webhook_event.replayed",
                f"webhook_event/{record_id}",
                storeId=store_id,
            )
        if store.is_active:
            await services.waker.wake(principal.tenant_id, LaneKind.INBOX, store_id)
        answer = ReplayAnswer(id=record_id, status="pending", woken=store.is_active)
        return json_answer(answer, status_code=202)

    return await idempotency.run(principal, work)


def _view(principal: Principal, row: EventRow, *, is_asked: bool) -> WebhookEventAnswer:
    view = WebhookEventAnswer.model_validate(row)
    if not is_asked or row.body is None:
        return view
    may_see = principal.may(Permission.RECORDS_READ)
    return view.model_copy(update={"payload": shown(row.body, with_personal_data=may_see)})
