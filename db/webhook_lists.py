"""Received webhooks as people see them: lists, counters, and putting one back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.lanes import WEBHOOK_COUNTERS, WEBHOOK_EVENTS


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events to list. `before` is the id of the last one that was shown."""

    status: str | None = None
    event_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as lists show it. `body` is only there if asked for, and not if it is long."""

    id: int
    event_type: str
    topic: str
    entity: str | None
    external_id: str | None
    status: str
    outcome: str | None
    attempts: int
    next_attempt_at: datetime | None
    error_message: str | None
    received_at: datetime
    processed_at: datetime | None
    payload_bytes: int
    body: bytes | None = field(default=None, repr=False)


async def list_events(
    connection: AsyncConnection,
    store_id: int,
    wanted: EventFilter,
    *,
    limit: int,
    longest_body: int | None = None,
) -> Sequence[EventRow]:
    """A store's events, newest first; with bodies of up to `longest_body` bytes."""
    columns = WEBHOOK_EVENTS.c
    size = func.octet_length(columns.body)
    shown: list[Any] = [
        columns[name]
        for name in EventRow.__dataclass_fields__
        if name not in {"payload_bytes", "body"}
    ]
    shown.append(size.label("payload_bytes"))
    if longest_body is not None:
        shown.append(case((size <= longest_body, columns.body)).label("body"))
    conditions = [columns.store_id == store_id]
    if wanted.status is not None:
        conditions.append(columns.status == wanted.status)
    if wanted.event_type is not None:
        conditions.append(columns.event_type == wanted.event_type)
    if wanted.since is not None:
        conditions.append(columns.received_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(columns.received_at < wanted.until)
    if wanted.before is not None:
        conditions.append(columns.id < wanted.before)
    rows = await connection.execute(
        select(*shown).where(*conditions).order_by(columns.id.desc()).limit(limit)
    )
    return [EventRow(**row) for row in rows.mappings()]


async def find_event_status(
    connection: AsyncConnection, store_id: int, event_id: int
) -> str | None:
    """The status of a store's event; None: there is no such event."""
    columns = WEBHOOK_EVENTS.c
    found = await connection.execute(
        select(columns.status).where(columns.store_id == store_id, columns.id == event_id)
    )
    status: str | None = found.scalar_one_or_none()
    return status


async def replay_event(connection: AsyncConnection, store_id: int, event_id: int) -> bool:
    """Make an event that is done, or dead, due again. False: it is pending, or not there."""
    columns = WEBHOOK_EVENTS.c
    changed = await connection.execute(
        update(WEBHOOK_EVENTS)
        .where(
            columns.store_id == store_id,
            columns.id == event_id,
            columns.status != "pending",
        )
        .values(
            status="pending",
            outcome=None,
            attempts=0,
            next_attempt_at=None,
            error_message=None,
            processed_at=None,
        )
        .returning(columns.id)
    )
    return changed.first() is not None


async def read_counts(connection: AsyncConnection, store_id: int) -> Mapping[str, int]:
    """A store's webhook counters by name."""
    columns = WEBHOOK_COUNTERS.c
    rows = await connection.execute(
        select(columns.name, columns.count)
        .where(columns.store_id == store_id)
        .order_by(columns.name)
    )
    return {row[0]: int(row[1]) for row in rows}
