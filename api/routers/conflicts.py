"""`/api/conflicts`: fields that both sides changed, and a person's decision."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from api import problems
from api.auth import SyncsReader, SyncsWriter
from api.paging import MAX_ID, Cursor, Limit, decode_cursor, next_cursor, read_id
from api.params import RecordId, require_json
from api.schemas.conflicts import (
    ConflictAnswer,
    ConflictField,
    ConflictListAnswer,
    ConflictStatus,
    ConflictSummary,
    ResolveBody,
    SuggestionAnswer,
)
from api.services import Services
from db.conflicts import Conflict, ConflictFilter, find_conflict, list_conflicts
from db.local_records import load_local
from db.resolving import Resolution, current_sides, resolve_conflict, suggestion
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
        data=[_summary(one) for one in page],
        next_cursor=next_cursor(_LISTING, rows, limit, page[-1].id if page else 0),
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
        conflict, told = await resolve_conflict(
            connection, principal.tenant_id, record_id, resolution
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
    entity, record_id = Entity(conflict.entity), conflict.record_id
    known = await load_local(connection, conflict.store_id, entity, [record_id])
    local, fields = known[record_id], list[ConflictField]()
    for path in sorted(conflict.fields):
        sides = current_sides(conflict, local, path)
        name, value, reason = suggestion(conflict, local, path)
        suggested = SuggestionAnswer.model_validate(
            {"resolution": name, "value": value, "reason": reason}
        )
        fields.append(
            ConflictField(
                path=path,
                base=sides.base,
                local=sides.local,
                remote=sides.remote,
                has_base=sides.has_base,
                suggestion=suggested,
            )
        )
    names = {one.suggestion.resolution for one in fields}
    reasons = "; ".join(f"{one.path}: {one.suggestion.reason}" for one in fields)
    overall = SuggestionAnswer(
        resolution=names.pop() if len(names) == 1 else "merge", value=None, reason=reasons
    )
    summary = _summary(conflict).model_dump(by_alias=False)
    return ConflictAnswer(**summary, fields=fields, suggestion=overall)


def _summary(conflict: Conflict) -> ConflictSummary:
    return ConflictSummary.model_validate(
        {name: getattr(conflict, name) for name in ConflictSummary.model_fields if name != "paths"}
        | {"paths": sorted(conflict.fields)}
    )
