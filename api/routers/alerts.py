"""`/api/alerts`: what a person has to see to."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api import problems
from api.auth import SyncsReader, SyncsWriter
from api.paging import Cursor, Limit, decode_cursor, next_cursor, read_id
from api.params import RecordId
from api.schemas.alerts import AlertAnswer, AlertListAnswer, AlertStatus
from api.schemas.base import MAX_ID
from api.services import Services
from db.alerts import AlertFilter, AlertKind, find_alert, list_alerts, resolve_alert
from db.audit import record_audit

router = APIRouter(prefix="/api/alerts", tags=["alerts"])

_LISTING = "alerts"


def _filter(
    status: AlertStatus | None = None,
    store_id: Annotated[int | None, Query(alias="storeId", ge=1, le=MAX_ID)] = None,
    kind: AlertKind | None = None,
) -> AlertFilter:
    return AlertFilter(status=status, store_id=store_id, kind=kind)


@router.get("", summary="List alerts")
async def list_(
    principal: SyncsReader,
    services: Services,
    wanted: Annotated[AlertFilter, Depends(_filter)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AlertListAnswer:
    """Alerts, the newest first."""
    before = decode_cursor(_LISTING, cursor, read_id) or MAX_ID
    async with services.database.tenant(principal.tenant_id) as connection:
        rows = await list_alerts(connection, wanted, before=before, limit=limit + 1)
    page = rows[:limit]
    return AlertListAnswer(
        data=[AlertAnswer.model_validate(one) for one in page],
        next_cursor=next_cursor(_LISTING, rows, limit),
    )


@router.get("/{record_id}", summary="Show an alert")
async def show(record_id: RecordId, principal: SyncsReader, services: Services) -> AlertAnswer:
    """What happened, what to do, and the command that tries again."""
    async with services.database.tenant(principal.tenant_id) as connection:
        alert = await find_alert(connection, record_id)
    if alert is None:
        raise problems.not_found(f"alert {record_id}", "/api/alerts")
    return AlertAnswer.model_validate(alert)


@router.post("/{record_id}/resolve", summary="Close an alert")
async def resolve(record_id: RecordId, principal: SyncsWriter, services: Services) -> AlertAnswer:
    """Say that it was seen to. If it happens again, there is a new alert."""
    async with services.database.tenant(principal.tenant_id) as connection:
        if await resolve_alert(connection, record_id):
            await record_audit(
                connection,
                principal.tenant_id,
                principal.actor,
                "alert.resolved",
                f"alert/{record_id}",
            )
        alert = await find_alert(connection, record_id)
    if alert is None:
        raise problems.not_found(f"alert {record_id}", "/api/alerts")
    return AlertAnswer.model_validate(alert)
