"""Fields that both sides changed and that wait for a person."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.upkeep import CONFLICTS
from domain.entities import Entity
from domain.merge import Sides

OPEN: Final = "open"
RESOLVED: Final = "resolved"
STATUSES: Final = (OPEN, RESOLVED)

_HOLD = text("""
insert into conflicts (tenant_id, store_id, entity, record_id, external_id, fields, remote_version)
values (:tenant, :store, :entity, :record, :external_id, cast(:fields as jsonb), :version)
on conflict (tenant_id, store_id, entity, record_id) where status = 'open' do update
set fields = excluded.fields, remote_version = excluded.remote_version,
    external_id = excluded.external_id, updated_at = now()
""")

_CLOSE = text("""
update conflicts set status = 'resolved', resolution = 'settled', resolved_at = now(),
  updated_at = now()
where store_id = :store and entity = :entity and record_id = any(:records) and status = 'open'
""")


@dataclass(frozen=True, slots=True)
class Conflict:
    """A conflict as it is kept. `resolution` is `local`, `remote`, `merge`, `manual`, or `settled`
    where the sides came to agree by themselves.
    """

    id: int
    store_id: int
    entity: str
    record_id: int
    external_id: str
    fields: Mapping[str, Any]
    status: str
    resolution: str | None
    remote_version: datetime | None
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConflictFilter:
    """Which conflicts; None: whatever it is. `store_ids`: of these stores alone."""

    status: str | None = None
    store_id: int | None = None
    store_ids: Sequence[int] | None = None
    entity: Entity | None = None


@dataclass(frozen=True, slots=True)
class NewConflict:
    """Fields to hold, of one record in one store."""

    tenant_id: int
    store_id: int
    entity: Entity
    record_id: int
    external_id: str
    fields: Mapping[str, Sides]
    remote_version: datetime | None = None


async def hold_conflict(connection: AsyncConnection, conflict: NewConflict) -> None:
    """Open a record's conflict with a store, or bring the open one up to date."""
    kept = {path: write_sides(sides) for path, sides in conflict.fields.items()}
    await connection.execute(
        _HOLD,
        {
            "tenant": conflict.tenant_id,
            "store": conflict.store_id,
            "entity": conflict.entity.value,
            "record": conflict.record_id,
            "external_id": conflict.external_id,
            "fields": json.dumps(kept),
            "version": conflict.remote_version,
        },
    )


async def close_conflicts(
    connection: AsyncConnection, store_id: int, entity: Entity, record_ids: Sequence[int]
) -> None:
    """The sides agree again: nothing is left to decide."""
    if record_ids:
        await connection.execute(
            _CLOSE, {"store": store_id, "entity": entity.value, "records": list(record_ids)}
        )


def write_sides(sides: Sides) -> dict[str, Any]:
    """A held field as it is kept; without `base` where the sides never agreed before."""
    kept = {"local": sides.local, "remote": sides.remote}
    return {"base": sides.base, **kept} if sides.has_base else kept


async def list_conflicts(
    connection: AsyncConnection, wanted: ConflictFilter, *, before: int, limit: int
) -> Sequence[Conflict]:
    """Conflicts, the newest first, with an id below `before`."""
    query = _conflicts().where(CONFLICTS.c.id < before).order_by(CONFLICTS.c.id.desc())
    if wanted.status is not None:
        query = query.where(CONFLICTS.c.status == wanted.status)
    if wanted.store_id is not None:
        query = query.where(CONFLICTS.c.store_id == wanted.store_id)
    if wanted.store_ids is not None:
        query = query.where(CONFLICTS.c.store_id.in_(wanted.store_ids))
    if wanted.entity is not None:
        query = query.where(CONFLICTS.c.entity == wanted.entity.value)
    rows = await connection.execute(query.limit(limit))
    return [Conflict(**row) for row in rows.mappings()]


async def find_conflict(
    connection: AsyncConnection, conflict_id: int, *, lock: bool = False
) -> Conflict | None:
    """One conflict."""
    query = _conflicts().where(CONFLICTS.c.id == conflict_id)
    rows = await connection.execute(query.with_for_update() if lock else query)
    row = rows.mappings().one_or_none()
    return None if row is None else Conflict(**row)


def _conflicts() -> Select[Any]:
    return select(*(CONFLICTS.c[name] for name in Conflict.__dataclass_fields__))
