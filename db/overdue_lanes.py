"""What the sweeper asks: which lanes have rows that should have been worked off by now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.lanes import LaneKey
from domain.lanes import LaneKind

_OVERDUE: Final = text("select * from list_overdue_lanes(:due_before, :alive_since, :most)")


@dataclass(frozen=True, slots=True)
class OverdueLane:
    """A lane that is neither paused nor waiting, of an active store, with rows that are late.

    Attributes:
        provider: of the store; None for an `alert` lane.
        since: when the oldest of the late rows came due.
        is_alive: whether a drain is at work on it.
    """

    lane: LaneKey
    provider: str | None
    since: datetime
    is_alive: bool


async def list_overdue_lanes(
    connection: AsyncConnection, now: datetime, overdue: timedelta, *, most: int
) -> Sequence[OverdueLane]:
    """Lanes of all tenants with rows that were due so long ago; those that wait longest first."""
    rows = await connection.execute(
        _OVERDUE, {"due_before": now - overdue, "alive_since": now - overdue, "most": most}
    )
    return [
        OverdueLane(
            LaneKey(row.tenant_id, LaneKind(row.kind), row.key),
            row.provider,
            row.since,
            row.is_alive,
        )
        for row in rows
    ]
