"""`GET /api/audit`: who did what."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from api.auth import AuditReader
from api.paging import Cursor, Limit, decode_cursor, next_cursor, read_id
from api.schemas.audit import AuditActorAnswer, AuditEntryAnswer, AuditListAnswer
from api.schemas.base import MAX_ID, Moment
from api.services import Services
from db.audit import ActorKind, AuditEntry, AuditFilter, list_audit

router = APIRouter(prefix="/api/audit", tags=["audit"])

_LISTING: Final = "audit"
# An id of the database has at most 18 digits.
_ACTOR: Final = rf"^(?:{'|'.join(ActorKind)})(?:/[1-9][0-9]{{0,17}})?$"


def _filter(
    action: Annotated[
        str | None,
        Query(
            max_length=60,
            pattern=r"^[a-z_]+(\.[a-z_]+)?$",
            description="An action, such as `store.deleted`, or an area, such as `store`",
        ),
    ] = None,
    actor: Annotated[
        str | None,
        Query(
            max_length=30,
            pattern=_ACTOR,
            description="`user`, `key`, `cli` or `shop`, or one: `key/7`",
        ),
    ] = None,
    since: Annotated[Moment | None, Query(description="With its zone (RFC 3339)")] = None,
) -> AuditFilter:
    if actor is None:
        return AuditFilter(action=action, since=since)
    kind, _, actor_id = actor.partition("/")
    return AuditFilter(action, ActorKind(kind), int(actor_id) if actor_id else None, since)


@router.get("", summary="List what was done, and by whom")
async def list_(
    principal: AuditReader,
    services: Services,
    wanted: Annotated[AuditFilter, Depends(_filter)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AuditListAnswer:
    """The audit trail, the newest first. Entries are never changed or taken away."""
    before = decode_cursor(_LISTING, cursor, read_id) or MAX_ID
    async with services.database.tenant(principal.tenant_id) as connection:
        rows = await list_audit(connection, wanted, before=before, limit=limit + 1)
    page = rows[:limit]
    return AuditListAnswer(
        data=[_view(one) for one in page],
        next_cursor=next_cursor(_LISTING, rows, limit),
    )


def _view(entry: AuditEntry) -> AuditEntryAnswer:
    return AuditEntryAnswer(
        id=entry.id,
        at=entry.at,
        actor=AuditActorAnswer.model_validate(
            {"kind": entry.actor_kind, "id": entry.actor_id, "name": entry.actor_name}
        ),
        action=entry.action,
        subject=entry.subject,
        address=entry.address,
        request_id=entry.request_id,
        details=dict(entry.details),
    )
