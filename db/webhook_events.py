"""The inbox: webhooks that were accepted, worked off in order per record."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import func, insert, or_, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.lanes import WEBHOOK_COUNTERS, WEBHOOK_EVENTS
from db.tables.stores import STORE_SYNC_LOGS
from domain.entities import Entity

_LONGEST_ERROR: Final = 2_000


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """An event to be worked off."""

    id: int
    received_at: datetime
    event_type: str
    topic: str
    entity: str | None
    external_id: str | None
    route: str
    attempts: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an event. `reason` is for people: why it was ignored."""

    event: InboxEvent
    outcome: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Setback:
    """An event that failed: tried again at `next_attempt_at`, or not any more if that is None."""

    event: InboxEvent
    reason: str
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True)
class BatchLog:
    """One row of the store's log: what a batch did to one kind of record."""

    action: str
    counts: Mapping[str, int]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LinkMark:
    """How a link stands. `is_touched`: the transaction that asks has written record or link."""

    version: datetime | None
    is_deleted: bool
    is_touched: bool


_EVENT = [WEBHOOK_EVENTS.c[name] for name in InboxEvent.__dataclass_fields__]

# A record's later events wait with the one before them; when it is over the time is, too.
_POSTPONE: Final = text("""
update webhook_events e set next_attempt_at = held.until
from (
  select w.entity, w.external_id, w.id, w.next_attempt_at as until
  from webhook_events w
  where w.tenant_id = :tenant and w.store_id = :store and w.status = 'pending'
    and w.next_attempt_at > :now and w.external_id is not null) held
where e.tenant_id = :tenant and e.store_id = :store and e.status = 'pending'
  and e.entity = held.entity and e.external_id = held.external_id and e.id > held.id
  and (e.next_attempt_at is null or e.next_attempt_at < held.until)
""")
_ANY_WAITING: Final = text("""
select exists (
  select from webhook_events
  where tenant_id = :tenant and store_id = :store and status = 'pending'
    and next_attempt_at is not null and next_attempt_at > :now)
""")

_SETTLE: Final = text("""
update webhook_events e
set status = 'processed', outcome = x.outcome, error_message = x.reason, processed_at = now(),
    next_attempt_at = null
from unnest(cast(:ids as bigint[]), cast(:received as timestamptz[]), cast(:outcomes as text[]),
            cast(:reasons as text[])) as x(id, received_at, outcome, reason)
where e.tenant_id = :tenant and e.id = x.id and e.received_at = x.received_at
""")
_SET_BACK: Final = text("""
update webhook_events e
set attempts = e.attempts + 1, error_message = x.reason, next_attempt_at = x.next_attempt_at,
    status = case when x.next_attempt_at is null then 'failed' else 'pending' end,
    processed_at = case when x.next_attempt_at is null then now() end
from unnest(cast(:ids as bigint[]), cast(:received as timestamptz[]), cast(:reasons as text[]),
            cast(:times as timestamptz[])) as x(id, received_at, reason, next_attempt_at)
where e.tenant_id = :tenant and e.id = x.id and e.received_at = x.received_at
""")

_MARKS: Final = text("""
select external_id, version, deleted_at is not null,
       created_at = now() or updated_at = now()
from links
where tenant_id = :tenant and store_id = :store and entity = :entity
  and external_id = any(:keys)
""")


async def claim_events(
    connection: AsyncConnection, tenant_id: int, store_id: int, *, now: datetime, limit: int
) -> Sequence[InboxEvent]:
    """The events that are due, oldest first; none whose record has an earlier one waiting.

    Nothing is marked: only the holder of the lane's turn works events off.
    """
    params = {"tenant": tenant_id, "store": store_id, "now": now}
    if (await connection.execute(_ANY_WAITING, params)).scalar_one():
        await connection.execute(_POSTPONE, params)
    columns = WEBHOOK_EVENTS.c
    rows = await connection.execute(
        select(*_EVENT)
        .where(
            columns.store_id == store_id,
            columns.status == "pending",
            or_(columns.next_attempt_at.is_(None), columns.next_attempt_at <= now),
        )
        .order_by(columns.id)
        .limit(limit)
    )
    return [InboxEvent(**row) for row in rows.mappings()]


async def settle_events(
    connection: AsyncConnection, tenant_id: int, settled: Sequence[Settled]
) -> None:
    """Record what became of events, in the transaction that did it."""
    if not settled:
        return
    await connection.execute(
        _SETTLE,
        {
            "tenant": tenant_id,
            "ids": [one.event.id for one in settled],
            "received": [one.event.received_at for one in settled],
            "outcomes": [one.outcome for one in settled],
            "reasons": [_shortened(one.reason) for one in settled],
        },
    )


async def set_back_events(
    connection: AsyncConnection, tenant_id: int, setbacks: Sequence[Setback]
) -> None:
    """Record that events failed, and when each is tried again, if it is."""
    if not setbacks:
        return
    await connection.execute(
        _SET_BACK,
        {
            "tenant": tenant_id,
            "ids": [one.event.id for one in setbacks],
            "received": [one.event.received_at for one in setbacks],
            "reasons": [_shortened(one.reason) for one in setbacks],
            "times": [one.next_attempt_at for one in setbacks],
        },
    )


async def look_at_links(
    connection: AsyncConnection,
    tenant_id: int,
    store_id: int,
    entity: Entity,
    external_ids: Sequence[str],
) -> Mapping[str, LinkMark]:
    """How the links of these external ids stand; those that are not there are left out."""
    rows = await connection.execute(
        _MARKS,
        {
            "tenant": tenant_id,
            "store": store_id,
            "entity": entity.value,
            "keys": list(external_ids),
        },
    )
    return {row[0]: LinkMark(row[1], row[2], row[3]) for row in rows}


async def add_counts(
    connection: AsyncConnection, tenant_id: int, store_id: int, counts: Mapping[str, int]
) -> None:
    """Add to a store's webhook counters."""
    rows = [
        {"tenant_id": tenant_id, "store_id": store_id, "name": name, "count": count}
        for name, count in sorted(counts.items())
    ]
    if not rows:
        return
    statement = upsert(WEBHOOK_COUNTERS).values(rows)
    columns = WEBHOOK_COUNTERS.c
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[columns.tenant_id, columns.store_id, columns.name],
            set_={
                "count": columns.count + statement.excluded.count,
                "updated_at": func.now(),
            },
        )
    )


async def log_batches(
    connection: AsyncConnection, tenant_id: int, store_id: int, logs: Sequence[BatchLog]
) -> None:
    """Write rows of the store's log."""
    if not logs:
        return
    await connection.execute(
        insert(STORE_SYNC_LOGS),
        [
            {
                "tenant_id": tenant_id,
                "store_id": store_id,
                "action": log.action,
                "status": "failed" if log.error else "success",
                "details": json.dumps({"direction": "webhook", **log.counts}),
                "error_message": _shortened(log.error),
            }
            for log in logs
        ],
    )


def _shortened(reason: str | None) -> str | None:
    """As PostgreSQL keeps it: valid UTF-8 without NUL."""
    if reason is None:
        return None
    return reason[:_LONGEST_ERROR].replace("\0", "").encode("utf-8", "replace").decode()
