"""The channels of a tenant's alerts, and the messages still to be sent through them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.crypto import Sealed
from db.tables.upkeep import ALERT_CHANNELS, ALERT_MESSAGES

_NEXT_ID = text("select nextval(pg_get_serial_sequence('alert_channels', 'id'))")

_DUE = text("""
select m.id, m.alert_id, m.attempts, m.channel_id, c.encrypted_data, c.iv, c.tag, c.key_id
from alert_messages m
left join alert_channels c on c.tenant_id = m.tenant_id and c.id = m.channel_id
where m.status = 'pending' and (m.next_attempt_at is null or m.next_attempt_at <= :now)
order by m.id limit :limit
""")


def channel_context(channel_id: int) -> str:
    """What a channel's settings are bound to."""
    return f"alert_channel/{channel_id}"


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """A channel as it is kept."""

    id: int
    kind: str
    name: str
    is_active: bool
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message to send. Without a channel it is for the feed of changes."""

    id: int
    alert_id: int
    attempts: int
    channel_id: int | None
    sealed: Sealed | None


async def list_channels(connection: AsyncConnection) -> Sequence[StoredChannel]:
    """The tenant's channels, by id."""
    columns = ALERT_CHANNELS.c
    rows = await connection.execute(
        select(
            columns.id,
            columns.kind,
            columns.name,
            columns.is_active,
            columns.encrypted_data,
            columns.iv,
            columns.tag,
            columns.key_id,
        ).order_by(columns.id)
    )
    return [StoredChannel(*row[:4], Sealed(*row[4:])) for row in rows]


async def allocate_channel_id(connection: AsyncConnection) -> int:
    """An id for a channel to be: its settings are sealed to it."""
    return int((await connection.execute(_NEXT_ID)).scalar_one())


async def replace_channels(
    connection: AsyncConnection, tenant_id: int, channels: Sequence[StoredChannel]
) -> None:
    """Make these the tenant's channels. Those that are not named are gone, with their messages."""
    kept = [channel.id for channel in channels]
    await connection.execute(delete(ALERT_CHANNELS).where(ALERT_CHANNELS.c.id.not_in(kept)))
    known = await connection.execute(select(ALERT_CHANNELS.c.id))
    held = {row[0] for row in known}
    for channel in channels:
        values = {
            "kind": channel.kind,
            "name": channel.name,
            "is_active": channel.is_active,
            **asdict(channel.sealed),
        }
        if channel.id in held:
            await connection.execute(
                update(ALERT_CHANNELS)
                .where(ALERT_CHANNELS.c.id == channel.id)
                .values(**values, updated_at=func.now())
            )
        else:
            await connection.execute(
                insert(ALERT_CHANNELS).values(tenant_id=tenant_id, id=channel.id, **values)
            )


async def list_due_messages(
    connection: AsyncConnection, *, now: datetime, limit: int
) -> Sequence[DueMessage]:
    """Messages that are due, the oldest first."""
    rows = await connection.execute(_DUE, {"now": now, "limit": limit})
    return [
        DueMessage(
            row.id,
            row.alert_id,
            row.attempts,
            row.channel_id,
            None if row[4] is None else Sealed(*row[4:]),
        )
        for row in rows
    ]


async def record_sent(connection: AsyncConnection, message_id: int) -> None:
    """The message arrived."""
    await _set(connection, message_id, status="sent", next_attempt_at=None, last_error=None)


async def record_unsent(
    connection: AsyncConnection, message_id: int, *, error: str, next_attempt_at: datetime | None
) -> None:
    """The message did not arrive. Without a next attempt it never will."""
    await _set(
        connection,
        message_id,
        status="failed" if next_attempt_at is None else "pending",
        next_attempt_at=next_attempt_at,
        last_error=error[:1_000],
    )


async def _set(connection: AsyncConnection, message_id: int, **values: object) -> None:
    columns = ALERT_MESSAGES.c
    await connection.execute(
        update(ALERT_MESSAGES)
        .where(columns.id == message_id, columns.status == "pending")
        .values(**values, attempts=columns.attempts + 1, updated_at=func.now())
    )
