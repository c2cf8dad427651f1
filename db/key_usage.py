"""How much a key was used, by day: counted elsewhere, added up here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.people import API_KEY_USAGE

# A key that is gone meanwhile has nobody to count for.
_ADD: Final = text("""
insert into api_key_usage (tenant_id, api_key_id, day, requests, refused, failed)
select :tenant, k.id, :day, :requests, :refused, :failed from api_keys k where k.id = :key
on conflict (tenant_id, api_key_id, day) do update set
  requests = api_key_usage.requests + excluded.requests,
  refused = api_key_usage.refused + excluded.refused,
  failed = api_key_usage.failed + excluded.failed
""")

_USED: Final = text("""
update api_keys set last_used_at = :last_used_at
where id = :key and (last_used_at is null or last_used_at < :last_used_at)
""")


@dataclass(slots=True)
class Use:
    """What came with one key on one day, since it was last added up."""

    last_used_at: datetime
    requests: int = 0
    refused: int = 0
    failed: int = 0

    def add(self, other: "Use") -> None:
        """Take over what another one counted."""
        self.last_used_at = max(self.last_used_at, other.last_used_at)
        self.requests += other.requests
        self.refused += other.refused
        self.failed += other.failed


@dataclass(frozen=True, slots=True)
class UsedDay:
    """Requests of a key on one day (UTC); `refused` of them by 4xx, `failed` by 5xx."""

    day: date
    requests: int
    refused: int
    failed: int


async def add_uses(
    connection: AsyncConnection, tenant_id: int, uses: Mapping[tuple[int, date], Use]
) -> None:
    """Add what was counted, by key and day. Keys in order: other processes add theirs too."""
    rows = [
        {
            "tenant": tenant_id,
            "key": key_id,
            "day": day,
            "requests": use.requests,
            "refused": use.refused,
            "failed": use.failed,
            "last_used_at": use.last_used_at,
        }
        for (key_id, day), use in sorted(uses.items(), key=lambda one: one[0])
    ]
    await connection.execute(_ADD, rows)
    await connection.execute(_USED, rows)


async def list_used_days(
    connection: AsyncConnection, key_id: int, *, since: date
) -> Sequence[UsedDay]:
    """The days on which a key was used, the newest first."""
    columns = API_KEY_USAGE.c
    rows = await connection.execute(
        select(columns.day, columns.requests, columns.refused, columns.failed)
        .where(columns.api_key_id == key_id, columns.day >= since)
        .order_by(columns.day.desc())
    )
    return [UsedDay(*row) for row in rows]
