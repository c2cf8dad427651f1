"""The pieces of a run: what each did, and where it goes on after a kill."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.sync import SYNC_RANGES, SYNC_REJECTIONS, SYNC_RUN_ENTITIES
from domain.entities import Entity
from domain.pages import Rejected

_COUNTS = ("pages", "seen", "created", "updated", "unchanged", "deleted", "rejected")


class RangeMovedError(Exception):
    """Somebody else advanced a piece meanwhile: an attempt that was taken for dead is not."""


@dataclass(frozen=True, slots=True)
class RangeKey:
    """One piece of a pull."""

    tenant_id: int
    run_id: int
    entity: Entity
    name: str


@dataclass(frozen=True, slots=True)
class RangeCounts:
    """What a piece did so far, or what one step adds to it."""

    pages: int = 0
    seen: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class RangeState:
    """Where a piece goes on. `resume` is empty before its first step."""

    resume: str
    is_done: bool
    counts: RangeCounts


async def database_clock(connection: AsyncConnection) -> datetime:
    """The time by which rows are stamped, at this moment and not when the transaction began."""
    moment: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    return moment


async def begin_entity(
    connection: AsyncConnection,
    key: RangeKey,
    *,
    total: int,
    store_clock: datetime | None,
) -> None:
    """Note how long an entity's list is, and the store's clock before its first page was read."""
    await connection.execute(
        upsert(SYNC_RUN_ENTITIES)
        .values(
            tenant_id=key.tenant_id,
            run_id=key.run_id,
            entity=key.entity.value,
            total=total,
            changed_since=store_clock,
        )
        .on_conflict_do_update(
            index_elements=["tenant_id", "run_id", "entity"],
            set_={
                "total": total,
                "changed_since": func.coalesce(SYNC_RUN_ENTITIES.c.changed_since, store_clock),
                "updated_at": func.now(),
            },
        )
    )


async def mark_left(
    connection: AsyncConnection, tenant_id: int, run_id: int, entities: Sequence[Entity]
) -> None:
    """Say of these entities that the run left them to another one: `phase` is `left`."""
    for entity in entities:
        await connection.execute(
            upsert(SYNC_RUN_ENTITIES)
            .values(tenant_id=tenant_id, run_id=run_id, entity=entity.value, phase="left")
            .on_conflict_do_update(
                index_elements=["tenant_id", "run_id", "entity"],
                set_={"phase": "left", "updated_at": func.now()},
            )
        )


async def update_entity(
    connection: AsyncConnection, key: RangeKey, **values: str | int | datetime | None
) -> None:
    """Set `phase`, `round`, `total` or `changed_since` of an entity."""
    columns = SYNC_RUN_ENTITIES.c
    await connection.execute(
        update(SYNC_RUN_ENTITIES)
        .where(columns.run_id == key.run_id, columns.entity == key.entity.value)
        .values(**values, updated_at=func.now())
    )


async def changed_since(connection: AsyncConnection, key: RangeKey) -> datetime | None:
    """The store's clock from which the next round of catch-up has to ask."""
    columns = SYNC_RUN_ENTITIES.c
    found = await connection.execute(
        select(columns.changed_since).where(
            columns.run_id == key.run_id, columns.entity == key.entity.value
        )
    )
    moment: datetime | None = found.scalar_one_or_none()
    return moment


async def load_range(connection: AsyncConnection, key: RangeKey) -> RangeState:
    """Where a piece goes on; a piece not begun has an empty `resume`."""
    columns = SYNC_RANGES.c
    row = (
        await connection.execute(
            select(columns.resume, columns.done, *(columns[name] for name in _COUNTS)).where(
                columns.run_id == key.run_id,
                columns.entity == key.entity.value,
                columns.name == key.name,
            )
        )
    ).one_or_none()
    if row is None:
        return RangeState("", False, RangeCounts())
    return RangeState(row[0], row[1], RangeCounts(*row[2:]))


_ADVANCE = text(f"""
insert into sync_ranges as r
  (tenant_id, run_id, entity, name, resume, done, {", ".join(_COUNTS)})
values (:tenant_id, :run_id, :entity, :name, :resume, :done, {", ".join(f":{c}" for c in _COUNTS)})
on conflict (tenant_id, run_id, entity, name) do update set
  resume = excluded.resume, done = excluded.done, updated_at = now(),
  {", ".join(f"{c} = r.{c} + excluded.{c}" for c in _COUNTS)}
where cast(:behind as text) is null or r.resume = :behind
""")  # noqa: S608 - the names are those above


async def advance_range(
    connection: AsyncConnection,
    key: RangeKey,
    *,
    resume: str,
    is_done: bool,
    step: RangeCounts,
    behind: str | None = None,
) -> None:
    """Add one step to a piece and note where it goes on, in the transaction of its records.

    Raises:
        RangeMovedError: the piece is not at `behind`. The transaction must be given up.
    """
    advanced = await connection.execute(
        _ADVANCE,
        {
            "tenant_id": key.tenant_id,
            "run_id": key.run_id,
            "entity": key.entity.value,
            "name": key.name,
            "resume": resume,
            "behind": behind,
            "done": is_done,
            **{name: getattr(step, name) for name in _COUNTS},
        },
    )
    if not advanced.rowcount:
        raise RangeMovedError


async def reject(
    connection: AsyncConnection, key: RangeKey, rejected: Sequence[Rejected], *, place: str
) -> int:
    """List records that were set aside; `place` names those without an id. Returns the new ones."""
    if not rejected:
        return 0
    listed = await connection.execute(
        upsert(SYNC_REJECTIONS)
        .values(
            [
                {
                    "tenant_id": key.tenant_id,
                    "run_id": key.run_id,
                    "entity": key.entity.value,
                    "key": one.external_id or f"{place}#{one.position}",
                    "external_id": one.external_id,
                    "reason": one.reason[:500],
                }
                for one in {one.external_id or one.position: one for one in rejected}.values()
            ]
        )
        .on_conflict_do_nothing()
        .returning(SYNC_REJECTIONS.c.key)
    )
    return len(listed.all())
