"""Rows of lanes, and what stands in them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from db.lane_failures import (
    LaneFailure,
    record_lane_failure,
)
from db.lanes import (
    LaneKey,
    LaneTurn,
    Woken,
    sleep_lane,
    take_turn,
    wake_lane,
)
from domain.lanes import LaneKind
from tests.db.room import Room

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = timedelta(minutes=5)


def push(room: Room) -> LaneKey:
    return LaneKey(room.tenant_id, LaneKind.PUSH, room.store_id)


def inbox(room: Room) -> LaneKey:
    return LaneKey(room.tenant_id, LaneKind.INBOX, room.store_id)


async def turn(room: Room, lane: LaneKey, now: datetime = NOW) -> LaneTurn:
    async with room.database.tenant(room.tenant_id) as connection:
        return await take_turn(connection, lane, now)


async def wake(room: Room, lane: LaneKey) -> Woken | None:
    async with room.database.tenant(room.tenant_id) as connection:
        return await wake_lane(connection, lane)


async def sleep(room: Room, lane: LaneKey, epoch: int) -> bool:
    async with room.database.tenant(room.tenant_id) as connection:
        return await sleep_lane(connection, lane, epoch)


async def fail(
    room: Room, lane: LaneKey, epoch: int, *, failures: int, again: datetime | None
) -> bool:
    failure = LaneFailure("the shop is down", failures, NOW, again)
    async with room.database.tenant(room.tenant_id) as connection:
        return await record_lane_failure(connection, lane, epoch, failure)


async def row(room: Room, lane: LaneKey) -> dict[str, Any]:
    columns = "awake, epoch, failures, next_attempt_at, last_error, paused_reason"
    found = await room.rows(
        f"select {columns} from lanes where kind = :kind and key = :key",
        kind=lane.kind.value,
        key=lane.key,
    )
    return dict(zip(columns.split(", "), found[0], strict=True))


async def shown(room: Room) -> tuple[Any, ...]:
    found = await room.rows(
        "select last_sync_error, sync_retry_count, next_retry_at, last_sync_attempt_at"
        " from stores where id = :store"
    )
    return found[0]


async def logged(room: Room) -> list[tuple[Any, ...]]:
    return await room.rows(
        "select action, status, details, error_message, retry_count from store_sync_logs"
        " where store_id = :store order by id"
    )


async def add_push(room: Room, record_id: int = 1, **columns: Any) -> None:
    values = {"entity": "products", "status": "pending", "next": None, **columns}
    await room.rows(
        "insert into pushes (tenant_id, store_id, entity, record_id, status, next_attempt_at,"
        " created_at) values (:tenant, :store, :entity, :record, :status, :next,"
        " coalesce(:created, now()))",
        **{"tenant": room.tenant_id, "record": record_id, "created": None, **values},
        store=room.store_id,
    )


async def add_event(room: Room, **columns: Any) -> None:
    values = {"entity": "orders", "external": "7", "next": None, "received": NOW, **columns}
    await room.rows(
        "insert into webhook_events (tenant_id, store_id, event_type, topic, entity, external_id,"
        " route, body, next_attempt_at, received_at) values (:tenant, :store, 'order_created',"
        " 'order.created', :entity, :external, 'generic', '', :next, :received)",
        **{"tenant": room.tenant_id, **values},
        store=room.store_id,
    )
