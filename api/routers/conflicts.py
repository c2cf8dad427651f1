"""`/api/conflicts`: fields that both sides changed, and a person's decision."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from api import problems
from api.auth import SyncsReader, SyncsWriter
from api.conflict_views import conflict_answers, conflict_summary
from api.paging import Cursor, Limit, decode_cursor, next_cursor, read_id
from api.params import RecordId, require_json
from api.schemas.base import MAX_ID
from api.schemas.conflicts import (
    ConflictAnswer,
    ConflictListAnswer,
    ConflictStatus,
    ResolveBody,
)
from api.services import Services
from db.audit import record_audit
from db.conflicts import Conflict, ConflictFilter, find_conflict, list_conflicts
from db.resolving import Resolution, resolve_conflict
from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.lanes import LaneKind

router = APIRouter(prefix="/api/conflicts", tags=["conflicts"])

_LISTING = "conflicts"


def _filter(
    status: ConflictStatus | None = None,
    store_id: Annotated[int | None, Query(alias="storeId", ge=1, le=MAX_ID)] = None,
    entity: Entity | None = None,
) -> ConflictFilter:
    return ConflictFilter(status=status, store_id=store_id, entity=entity)


@router.get("", summary="List conflicts")
async def list_(
    principal: SyncsReader,
    services: Services,
    wanted: Annotated[ConflictFilter, Depends(_filter)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ConflictListAnswer:
    """Conflicts, the newest first."""
    before = decode_cursor(_LISTING, cursor, read_id) or MAX_ID
    async with services.database.tenant(principal.tenant_id) as connection:
        rows = await list_conflicts(connection, wanted, before=before, limit=limit + 1)
    page = rows[:limit]
    return ConflictListAnswer(
        data=[conflict_summary(one) for one in page],
        next_cursor=next_cursor(_LISTING, rows, limit),
    )


@router.get("/{record_id}", summary="Show a conflict")
async def show(record_id: RecordId, principal: SyncsReader, services: Services) -> ConflictAnswer:
    """Base, local and remote side by side, with a suggestion and its reason."""
    async with services.database.tenant(principal.tenant_id) as connection:
        conflict = await find_conflict(connection, record_id)
        if conflict is None:
            raise problems.not_found(f"conflict {record_id}", "/api/conflicts")
        return await _answer(connection, conflict)


@router.post(
    "/{record_id}/resolve", dependencies=[Depends(require_json)], summary="Resolve a conflict"
)
async def resolve(
    record_id: RecordId, body: ResolveBody, principal: SyncsWriter, services: Services
) -> ConflictAnswer:
    """Decide a conflict: the hub's record is written, and stores that lack it are told.

    Sent again, the same decision changes nothing; another one is refused (409).
    """
    if bool(body.data) != (body.resolution == "manual"):
        raise problems.invalid("/data", "give it with `manual`, and with nothing else")
    resolution = Resolution(body.resolution, body.data)

    async def work(connection: AsyncConnection) -> tuple[ConflictAnswer, frozenset[int]]:
        conflict, told, is_decided_now = await resolve_conflict(
            connection, principal.tenant_id, record_id, resolution
        )
        if is_decided_now:
            await record_audit(
                connection,
                principal.tenant_id,
                principal.actor,
                "conflict.resolved",
                f"conflict/{record_id}",
                resolution=body.resolution,
                fields=sorted(conflict.fields),
            )
        return await _answer(connection, conflict), told

    try:
        answer, told = await services.database.transact(principal.tenant_id, work)
    except InvalidRecordError as error:
        raise problems.invalid("/data", str(error)) from error
    for store_id in sorted(told):
        await services.waker.wake(principal.tenant_id, LaneKind.PUSH, store_id)
    return answer


async def _answer(connection: AsyncConnection, conflict: Conflict) -> ConflictAnswer:
    (answer,) = await conflict_answers(connection, [conflict])
    return answer
