"""`/api/stores/{id}/drift`: what a reconcile found different."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api import problems
from api.auth import SyncsReader
from api.paging import Cursor, Limit, decode_cursor, next_cursor, read_id
from api.params import StoreId
from api.schemas.base import Moment
from api.schemas.schedules import DriftItemAnswer, DriftListAnswer
from api.services import Services
from db.drift import list_drift
from db.stores import find_store
from domain.entities import Entity

router = APIRouter(prefix="/api/stores", tags=["syncs"])

_LISTING = "drift"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which drift to show."""

    entity: Entity | None
    since: datetime | None


def _wanted(
    entity: Annotated[Entity | None, Query()] = None,
    since: Annotated[Moment | None, Query(description="Found at or after this moment")] = None,
) -> Wanted:
    return Wanted(entity, since)


@router.get("/{store_id}/drift", summary="What a store and the hub differed in")
async def list_(
    store_id: StoreId,
    principal: SyncsReader,
    services: Services,
    wanted: Annotated[Wanted, Depends(_wanted)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DriftListAnswer:
    """Differences that should not have been, newest first. `repaired` ones were put right."""
    before = decode_cursor(_LISTING, cursor, read_id)
    async with services.database.tenant(principal.tenant_id) as connection:
        if await find_store(connection, store_id) is None:
            raise problems.not_found(f"store {store_id}", "/api/stores")
        rows = await list_drift(
            connection,
            store_id,
            before=before,
            limit=limit + 1,
            entity=wanted.entity,
            since=wanted.since,
        )
    page = rows[:limit]
    return DriftListAnswer(
        data=[DriftItemAnswer.model_validate(one) for one in page],
        next_cursor=next_cursor(_LISTING, rows, limit),
    )
