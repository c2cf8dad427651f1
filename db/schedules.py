"""Which schedules a store has. Temporal keeps the clock; these rows are what people are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.upkeep import STORE_SCHEDULES


@dataclass(frozen=True, slots=True)
class KeptSchedule:
    """One schedule. `paused` by a person; an inactive store's rest whatever it says."""

    kind: str
    spec: Mapping[str, Any]
    paused: bool = False


async def load_schedules(connection: AsyncConnection, store_id: int) -> Mapping[str, KeptSchedule]:
    """A store's schedules by kind."""
    columns = STORE_SCHEDULES.c
    rows = await connection.execute(
        select(columns.kind, columns.spec, columns.paused)
        .where(columns.store_id == store_id)
        .order_by(columns.kind)
    )
    return {row[0]: KeptSchedule(row[0], row[1], row[2]) for row in rows}


async def keep_schedule(
    connection: AsyncConnection, tenant_id: int, store_id: int, schedule: KeptSchedule
) -> None:
    """Remember a schedule; one of the same kind is replaced."""
    values = {"spec": dict(schedule.spec), "paused": schedule.paused}
    await connection.execute(
        insert(STORE_SCHEDULES)
        .values(tenant_id=tenant_id, store_id=store_id, kind=schedule.kind, **values)
        .on_conflict_do_update(
            index_elements=["tenant_id", "store_id", "kind"],
            set_={**values, "updated_at": func.now()},
        )
    )


async def pause_schedules(
    connection: AsyncConnection, store_id: int, kinds: Sequence[str], *, paused: bool
) -> None:
    """Remember that a person stopped the store's schedules, or let them go on."""
    await connection.execute(
        update(STORE_SCHEDULES)
        .where(STORE_SCHEDULES.c.store_id == store_id, STORE_SCHEDULES.c.kind.in_(kinds))
        .values(paused=paused, updated_at=func.now())
    )


async def forget_schedules(connection: AsyncConnection, store_id: int, kinds: Sequence[str]) -> int:
    """These kinds are scheduled no more. How many were."""
    forgotten = await connection.execute(
        delete(STORE_SCHEDULES).where(
            STORE_SCHEDULES.c.store_id == store_id, STORE_SCHEDULES.c.kind.in_(kinds)
        )
    )
    return forgotten.rowcount
