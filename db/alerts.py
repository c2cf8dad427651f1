"""Alerts: what a person has to see to, told once.

There is one open alert for each kind and subject. What happens again raises its count; nobody is
told twice. Telling is a lane of the tenant's (`LaneKind.ALERT`): one message per channel, and one
that puts the alert into the feed of changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast

from psycopg import AsyncConnection as Driver
from sqlalchemy import Select, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.staging import PUBLISH
from db.tables.upkeep import ALERTS

_LONGEST: Final = 2_000


class AlertKind(StrEnum):
    """What happened."""

    SYNC_FAILED = "sync_failed"
    ROW_FAILED = "row_failed"
    OVERSOLD = "oversold"
    LOOP = "loop"
    MASS_DELETE = "mass_delete"
    LANE_OVERDUE = "lane_overdue"
    UNKNOWN_STATUS = "unknown_status"

    @property
    def event(self) -> str:
        """The event partners and channels are told."""
        failed = (AlertKind.SYNC_FAILED, AlertKind.ROW_FAILED)
        return "sync.failed" if self in failed else "alert.raised"


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert to raise.

    Attributes:
        subject: what it is about, for telling it from others of its kind: `push/12`, `order/7`.
        message: what happened and what to do about it.
        command: the call that tries again, as a person would type it.
        details: ids and counts; never secrets, never personal data.
    """

    tenant_id: int
    kind: AlertKind
    subject: str
    title: str
    message: str
    store_id: int | None = None
    command: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is kept."""

    id: int
    store_id: int | None
    kind: str
    subject: str
    event: str
    title: str
    message: str
    command: str
    details: Mapping[str, Any]
    status: str
    count: int
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None


_COLUMNS = [ALERTS.c[name] for name in Alert.__dataclass_fields__]

_TELL = text("""
insert into alert_messages (tenant_id, alert_id, channel_id)
select :tenant, :alert, null
union all
select :tenant, :alert, c.id from alert_channels c where c.tenant_id = :tenant and c.is_active
""")


async def raise_alert(connection: AsyncConnection, alert: NewAlert) -> int | None:
    """Raise an alert in the caller's transaction, or count an open one up.

    Returns:
        The new alert's id: the tenant's alert lane wants waking. None when one is open already.
    """
    statement = insert(ALERTS).values(
        tenant_id=alert.tenant_id,
        store_id=alert.store_id,
        kind=alert.kind.value,
        subject=alert.subject,
        event=alert.kind.event,
        title=alert.title[:_LONGEST],
        message=alert.message[:_LONGEST],
        command=alert.command,
        details=dict(alert.details),
    )
    raised = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "kind", "subject"],
            # Not a parameter: a plan made for any value finds no index for it.
            index_where=text("status = 'open'"),
            set_={
                "count": ALERTS.c.count + 1,
                "message": statement.excluded.message,
                "details": statement.excluded.details,
                "updated_at": func.now(),
            },
        ).returning(ALERTS.c.id, ALERTS.c.count)
    )
    alert_id, count = raised.one()
    if count > 1:
        return None
    await connection.execute(_TELL, {"tenant": alert.tenant_id, "alert": alert_id})
    return int(alert_id)


async def resolve_alerts(connection: AsyncConnection, *, kind: AlertKind, subject: str) -> int:
    """Close the open alert of a kind and subject. How many there were."""
    return await _close(connection, ALERTS.c.kind == kind.value, ALERTS.c.subject == subject)


async def resolve_store_alerts(connection: AsyncConnection, store_id: int) -> int:
    """Close a store's alerts of failures: what failed is tried again."""
    kinds = [AlertKind.SYNC_FAILED.value, AlertKind.ROW_FAILED.value, AlertKind.LANE_OVERDUE.value]
    return await _close(connection, ALERTS.c.store_id == store_id, ALERTS.c.kind.in_(kinds))


async def resolve_alert(connection: AsyncConnection, alert_id: int) -> bool:
    """Close one alert. False when it is closed already, or not there."""
    return bool(await _close(connection, ALERTS.c.id == alert_id))


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts; None: whatever it is."""

    status: str | None = None
    store_id: int | None = None
    kind: AlertKind | None = None


async def list_alerts(
    connection: AsyncConnection, wanted: AlertFilter, *, before: int, limit: int
) -> Sequence[Alert]:
    """Alerts, the newest first, with an id below `before`."""
    query = _alerts().where(ALERTS.c.id < before).order_by(ALERTS.c.id.desc()).limit(limit)
    if wanted.status is not None:
        query = query.where(ALERTS.c.status == wanted.status)
    if wanted.store_id is not None:
        query = query.where(ALERTS.c.store_id == wanted.store_id)
    if wanted.kind is not None:
        query = query.where(ALERTS.c.kind == wanted.kind.value)
    return [Alert(**row) for row in (await connection.execute(query)).mappings()]


async def find_alert(connection: AsyncConnection, alert_id: int) -> Alert | None:
    """One alert."""
    row = (await connection.execute(_alerts().where(ALERTS.c.id == alert_id))).mappings()
    found = row.one_or_none()
    return None if found is None else Alert(**found)


async def announce_alert(connection: AsyncConnection, tenant_id: int, alert_id: int) -> None:
    """Put an alert into the feed of changes. The last thing its transaction does."""
    raw = await connection.get_raw_connection()
    driver = cast("Driver[Any]", raw.driver_connection)
    await driver.execute(
        "insert into touched (entity, key, record_id, action)"
        " values ('alerts', null, %s, 'created')",
        (alert_id,),
    )
    await driver.execute(PUBLISH, {"tenant": tenant_id, "store": None, "bulk": False})


async def _close(connection: AsyncConnection, *conditions: Any) -> int:
    closed = await connection.execute(
        update(ALERTS)
        .where(ALERTS.c.status == "open", *conditions)
        .values(status="resolved", resolved_at=func.now(), updated_at=func.now())
    )
    return closed.rowcount


def _alerts() -> Select[Any]:
    return select(*_COLUMNS)
