"""What somebody wants to see of a field mapping, and what a worker found: short-lived rows.

A worker reads the store and writes what it found here, so that no record goes through a workflow's
history. Whoever asked takes the row; the sweeper takes what nobody came back for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.stores import MAPPING_PREVIEWS
from domain.entities import Entity
from domain.field_mapping import MappingRule, read_rules

_COLUMNS = MAPPING_PREVIEWS.c


@dataclass(frozen=True, slots=True)
class MappingPreview:
    """What is asked for. `external_id` None: the store's newest record."""

    store_id: int
    entity: Entity
    external_id: str | None
    rules: tuple[MappingRule, ...]


async def ask_preview(
    connection: AsyncConnection, tenant_id: int, wanted: MappingPreview, *, expires_at: datetime
) -> int:
    """Write down what is asked for; the row's id."""
    made = await connection.execute(
        insert(MAPPING_PREVIEWS)
        .values(
            tenant_id=tenant_id,
            store_id=wanted.store_id,
            entity=wanted.entity.value,
            external_id=wanted.external_id,
            rules=dump_rules(wanted.rules),
            expires_at=expires_at,
        )
        .returning(_COLUMNS.id)
    )
    return int(made.scalar_one())


async def find_preview(connection: AsyncConnection, preview_id: int) -> MappingPreview | None:
    """What is asked for; None: it expired, or was given up."""
    row = (
        await connection.execute(
            select(_COLUMNS.store_id, _COLUMNS.entity, _COLUMNS.external_id, _COLUMNS.rules).where(
                _COLUMNS.id == preview_id, _COLUMNS.expires_at > func.now()
            )
        )
    ).one_or_none()
    if row is None:
        return None
    return MappingPreview(row.store_id, Entity(row.entity), row.external_id, read_rules(row.rules))


async def answer_preview(
    connection: AsyncConnection, preview_id: int, found: Mapping[str, Any]
) -> None:
    """Write down what was found; it is no error that nobody waits any more."""
    await connection.execute(
        update(MAPPING_PREVIEWS).where(_COLUMNS.id == preview_id).values(result=dict(found))
    )


async def take_preview(connection: AsyncConnection, preview_id: int) -> Mapping[str, Any] | None:
    """Delete the row; what was found, if anything was."""
    row = await connection.execute(
        delete(MAPPING_PREVIEWS).where(_COLUMNS.id == preview_id).returning(_COLUMNS.result)
    )
    found: Mapping[str, Any] | None = row.scalar_one_or_none()
    return found


def dump_rules(rules: Sequence[MappingRule]) -> list[dict[str, Any]]:
    """Rules as they are kept."""
    return [rule.model_dump(mode="json", by_alias=True) for rule in rules]
