"""`GET /api/syncs/{workflowId}/diff`: what a dry run found."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.auth import Principal, SyncsReader
from api.field_changes import fields_view
from api.paging import Cursor, Limit, decode_cursor, next_cursor, read_id
from api.params import WorkflowId
from api.problems import CONFLICT, NOT_FOUND, ProblemError
from api.schemas.run_diffs import (
    DiffAction,
    DiffAnswer,
    DiffCountAnswer,
    DiffEntity,
    DiffListAnswer,
)
from api.services import Services
from api.sync_subjects import get_subject, no_sync
from api.sync_views import load_latest
from db.run_diffs import (
    KEPT_FOR,
    DiffFilter,
    RunDiff,
    count_diffs,
    count_following,
    list_diffs,
)
from domain.statuses import SyncStatus

router = APIRouter(prefix="/api/syncs", tags=["syncs"])

_DIFFS = "diffs"
_AGAIN = 'send the same request with `"dryRun": true` and follow its `statusUrl`'


def _wanted(
    entity: Annotated[DiffEntity | None, Query(description="Of this kind alone")] = None,
    action: Annotated[DiffAction | None, Query(description="Of this action alone")] = None,
) -> DiffFilter:
    return DiffFilter(entity, action)


@router.get("/{workflow_id:path}/diff", responses={409: {}}, summary="What a dry run would do")
async def show(
    workflow_id: WorkflowId,
    principal: SyncsReader,
    services: Services,
    wanted: Annotated[DiffFilter, Depends(_wanted)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DiffListAnswer:
    """The records that the latest dry run of this workflow would create, change, delete or send,
    with every field before and after. It is kept for a day, and nothing of it was done."""
    after = decode_cursor(_DIFFS, cursor, read_id)
    store = await get_subject(services, principal.tenant_id, workflow_id)
    latest = await load_latest(services, principal.tenant_id, store, workflow_id)
    run = latest.run
    if latest.is_starting:
        return DiffListAnswer(workflow_id=workflow_id, status=SyncStatus.PENDING.value)
    if run is None:
        raise no_sync(workflow_id)
    if not run.is_dry:
        raise ProblemError(
            CONFLICT,
            f"{workflow_id} was no dry run: GET /api/syncs/{workflow_id} says what it did. "
            f"To see what would be done, {_AGAIN}.",
        )
    async with services.database.tenant(principal.tenant_id) as connection:
        rows = await list_diffs(connection, run.id, wanted, after=after or 0, limit=limit + 1)
        counts, pushes = None, None
        if cursor is None:
            counts = await count_diffs(connection, run.id)
            pushes = await count_following(connection, run.id)
    if not rows and run.started_at < datetime.now(UTC) - KEPT_FOR:
        raise ProblemError(
            NOT_FOUND, f"What the dry run found was kept for a day. To see it anew, {_AGAIN}."
        )
    page = rows[:limit]
    return DiffListAnswer(
        workflow_id=workflow_id,
        status=run.status,
        started_at=run.started_at,
        counts=None if counts is None else [DiffCountAnswer.model_validate(one) for one in counts],
        pushes_to_follow=pushes,
        data=[_view(principal, one) for one in page],
        next_cursor=next_cursor(_DIFFS, rows, limit),
    )


def _view(principal: Principal, row: RunDiff) -> DiffAnswer:
    """A row; why it is set aside stands apart from its fields."""
    fields = dict(row.fields)
    reason = fields.pop("reason", None)
    return DiffAnswer(
        way=row.way,
        entity=row.entity,
        action=row.action,
        external_id=row.external_id,
        record_id=row.record_id,
        reason=None if reason is None else reason["to"],
        fields=fields_view(principal, fields),
    )
