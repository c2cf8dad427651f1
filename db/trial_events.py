"""Events that a person puts into a store's inbox, and what became of them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.lanes import WEBHOOK_EVENTS
from domain.deliveries import Notice

ROUTE: Final = "test"
"""The route of such an event: it is signed by nobody, and was sent by somebody with a key."""


@dataclass(frozen=True, slots=True)
class EventState:
    """How far an event is. `status` is `pending`, `processed` or `failed`."""

    status: str
    outcome: str | None
    error_message: str | None
    attempts: int


async def add_trial_event(
    connection: AsyncConnection, tenant_id: int, store_id: int, notice: Notice, body: bytes
) -> int:
    """Put an event into the inbox; its id. The store's inbox lane wants waking then."""
    entity = None if notice.entity is None else notice.entity.value
    added = await connection.execute(
        insert(WEBHOOK_EVENTS)
        .values(
            tenant_id=tenant_id,
            store_id=store_id,
            event_type=notice.event_type[:50],
            topic=notice.topic[:100],
            entity=entity,
            external_id=None if notice.external_id is None else notice.external_id[:200],
            route=ROUTE,
            headers={},
            body=body,
        )
        .returning(WEBHOOK_EVENTS.c.id)
    )
    return int(added.scalar_one())


async def find_event_state(
    connection: AsyncConnection, store_id: int, event_id: int
) -> EventState | None:
    """How far an event of the store is."""
    columns = WEBHOOK_EVENTS.c
    found = await connection.execute(
        select(*(columns[name] for name in EventState.__dataclass_fields__)).where(
            columns.store_id == store_id, columns.id == event_id
        )
    )
    row = found.mappings().one_or_none()
    return None if row is None else EventState(**row)
