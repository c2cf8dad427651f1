"""What a demand for one record found."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.sync import LINKS, SYNC_REJECTIONS
from domain.entities import Entity


@dataclass(frozen=True, slots=True)
class LinkedRecord:
    """The hub's record of a store's id; `is_gone`: the store does not have it any more."""

    record_id: int
    is_gone: bool


async def find_linked(
    connection: AsyncConnection, store_id: int, entity: Entity, external_id: str
) -> LinkedRecord | None:
    """The record of a store's id, gone or not; None: it was never here."""
    columns = LINKS.c
    found = await connection.execute(
        select(columns.record_id, columns.deleted_at.is_not(None)).where(
            columns.store_id == store_id,
            columns.entity == entity.value,
            columns.external_id == external_id,
        )
    )
    row = found.one_or_none()
    return None if row is None else LinkedRecord(*row)


async def find_rejection(connection: AsyncConnection, run_id: int, entity: Entity) -> str | None:
    """Why a run for one record set it aside, which may have lost its id; None: it did not."""
    columns = SYNC_REJECTIONS.c
    found = await connection.execute(
        select(columns.reason).where(columns.run_id == run_id, columns.entity == entity.value)
    )
    reason: str | None = found.scalars().first()
    return reason
