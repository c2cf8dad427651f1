"""The outbox as people are shown it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.lanes import PUSHES
from domain.entities import Entity


@dataclass(frozen=True, slots=True)
class ListedPush:
    """A row as people are shown it."""

    id: int
    entity: str
    record_id: int
    status: str
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    created_at: datetime
    updated_at: datetime


async def list_pushes(
    connection: AsyncConnection,
    store_id: int,
    *,
    after: int,
    limit: int,
    status: str | None = None,
    entity: Entity | None = None,
) -> Sequence[ListedPush]:
    """A store's rows by id, from the first one after `after`."""
    query = _listed().where(PUSHES.c.store_id == store_id, PUSHES.c.id > after)
    if status is not None:
        query = query.where(PUSHES.c.status == status)
    if entity is not None:
        query = query.where(PUSHES.c.entity == entity.value)
    rows = await connection.execute(query.order_by(PUSHES.c.id).limit(limit))
    return [ListedPush(**row) for row in rows.mappings()]


def _listed() -> Select[Any]:
    return select(*(PUSHES.c[name] for name in ListedPush.__dataclass_fields__))
