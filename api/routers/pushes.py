"""`/api/stores/{id}/pushes`: what a store has still to be told, and what that would do."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from activities.push_preview import PreviewPushInput, PreviewPushResult
from api.auth import SyncsReader
from api.connecting import get_store
from api.openapi_answers import ASKS_STORE
from api.paging import Cursor, Limit, after_id, next_cursor
from api.params import StoreId
from api.schemas.pushes import (
    PreviewItemAnswer,
    PushAnswer,
    PushedEntity,
    PushListAnswer,
    PushPreviewAnswer,
    PushStatus,
)
from api.services import ApiServices, Services
from api.store_answers import store_problem, waiting_for_store
from db.listed_pushes import list_pushes
from db.push_preview import load_names
from db.stores import Store
from domain.entities import Entity

router = APIRouter(prefix="/api/stores", tags=["syncs"])

_LISTING = "pushes"
_MOST_EXAMINED = 200


@dataclass(frozen=True, slots=True)
class PushFilter:
    """Which rows are wanted."""

    status: Annotated[PushStatus | None, Query()] = None
    entity: Annotated[PushedEntity | None, Query()] = None


@router.get("/{store_id}/pushes", summary="List what a store has still to be told")
async def list_(
    store_id: StoreId,
    principal: SyncsReader,
    services: Services,
    wanted: Annotated[PushFilter, Depends()],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PushListAnswer:
    """Pending, failed and unsupported pushes, oldest first. What was sent is in the sync log."""
    await get_store(services, principal.tenant_id, store_id)
    async with services.database.tenant(principal.tenant_id) as connection:
        rows = await list_pushes(
            connection,
            store_id,
            after=after_id(_LISTING, cursor),
            limit=limit + 1,
            status=wanted.status,
            entity=None if wanted.entity is None else Entity(wanted.entity),
        )
    page = rows[:limit]
    return PushListAnswer(
        data=[PushAnswer.model_validate(one) for one in page],
        next_cursor=next_cursor(_LISTING, rows, limit),
    )


@router.get("/{store_id}/push-preview", responses=ASKS_STORE, summary="Show what a push would do")
async def preview(
    store_id: StoreId,
    principal: SyncsReader,
    services: Services,
    entity: PushedEntity = "products",
    limit: Annotated[int, Query(ge=1, le=_MOST_EXAMINED, description="How many to look up")] = 50,
) -> PushPreviewAnswer:
    """Look up in the store what waits to be pushed and what it does not have yet.

    Says what would be created, matched, updated or is not supported, and writes nothing. It works
    for a store that is not active too, and whatever the store's directions are.
    """
    store = await get_store(services, principal.tenant_id, store_id)
    args = PreviewPushInput(
        tenant_id=principal.tenant_id, store_id=store_id, entity=Entity(entity), limit=limit
    )
    result = await _ask(services, store, args)
    ids = [one.record_id for one in result.items]
    async with services.database.tenant(principal.tenant_id) as connection:
        names = await load_names(connection, args.entity, ids)
    return PushPreviewAnswer.model_validate(
        {
            "store_id": store_id,
            "entity": entity,
            "total": result.total,
            "examined": len(result.items),
            "counts": result.counts,
            "items": [
                PreviewItemAnswer.model_validate(
                    {
                        "record_id": one.record_id,
                        "name": names.get(one.record_id, ""),
                        "action": one.action,
                        "external_id": one.external_id,
                        "linked_to": one.holder,
                    }
                )
                for one in result.items
            ],
        }
    )


async def _ask(services: ApiServices, store: Store, args: PreviewPushInput) -> PreviewPushResult:
    timeout_s = services.config.check_timeout_s
    with waiting_for_store(
        timeout_s,
        "push_preview_failed",
        again="Try again with a smaller `limit`",
        store_id=store.id,
    ):
        result = await services.temporal.preview_push(
            args, provider=store.provider, timeout_s=timeout_s
        )
        if result.error_type is not None:
            raise store_problem(result.error_type, result.message)
    return result
