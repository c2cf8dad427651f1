"""One request budget per store, over all workers: a row that says when the next request may leave.

The generic cell rate algorithm (GCRA, ITU-T I.371) with a burst of 1: requests leave at least one
interval apart, so that no window holds more than the limit. Time is the database's, because the
clocks of workers differ; tests hand in theirs.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

LONGEST_WAIT_S = 5.0
"""A slot farther away than this is not reserved: who asked comes back later."""

SLOWEST = 32
"""The most a store's pace is divided by after it asked us to slow down."""

RECOVERY_S = 60
"""So long without another complaint, and the pace doubles again."""


@dataclass(frozen=True, slots=True)
class Slot:
    """When the next request may leave; not `is_reserved`: ask again then."""

    wait_s: float
    is_reserved: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """What a store asked of everybody. `slowdown` 1 is full pace."""

    blocked_for_s: float = 0.0
    slowdown: int = 1

    @property
    def is_free(self) -> bool:
        """Whether nothing has to be waited for."""
        return self.blocked_for_s <= 0 and self.slowdown <= 1


_NOW = "coalesce(cast(:now as timestamptz), clock_timestamp())"

# `updated_at` is when the store complained last: the pace recovers with the time since, without
# anybody writing it down.
_SLOWDOWN = f"""
greatest(1, b.slowdown >> least(30, greatest(0,
  floor(extract(epoch from {_NOW} - b.updated_at) / {RECOVERY_S})::int)))
"""
_STEP = f"make_interval(secs => :interval_s * {_SLOWDOWN})"

_RESERVE = text(f"""
insert into store_budgets as b (tenant_id, store_id, next_slot_at, updated_at)
values (:tenant, :store, {_NOW} + make_interval(secs => :interval_s), {_NOW})
on conflict (tenant_id, store_id) do update
set next_slot_at = greatest(b.next_slot_at, b.blocked_until, {_NOW}) + {_STEP}
where greatest(b.next_slot_at, b.blocked_until, {_NOW})
      <= {_NOW} + make_interval(secs => :longest_s)
returning extract(epoch from b.next_slot_at - {_STEP} - {_NOW})
""")  # noqa: S608 - made of the constants above

_WAIT = text(f"""
select extract(epoch from greatest(b.next_slot_at, b.blocked_until, {_NOW}) - {_NOW})
from store_budgets b where b.store_id = :store
""")  # noqa: S608

_PACE = text(f"""
select coalesce(extract(epoch from b.blocked_until - {_NOW}), 0), {_SLOWDOWN}
from store_budgets b where b.store_id = :store
""")  # noqa: S608

# A complaint while everybody is blocked already is an answer to a request from before the block.
_SLOW_DOWN = text(f"""
insert into store_budgets as b (tenant_id, store_id, blocked_until, slowdown, updated_at)
values (:tenant, :store, {_NOW} + make_interval(secs => :wait_s), :factor, {_NOW})
on conflict (tenant_id, store_id) do update
set blocked_until = greatest(b.blocked_until, excluded.blocked_until),
    slowdown = case when b.blocked_until > {_NOW} then b.slowdown
                    else least({SLOWEST}, {_SLOWDOWN} * :factor) end,
    updated_at = case when :factor > 1 then excluded.updated_at else b.updated_at end
""")  # noqa: S608


async def reserve_slot(
    connection: AsyncConnection,
    tenant_id: int,
    store_id: int,
    *,
    interval_s: float,
    now: datetime | None = None,
) -> Slot:
    """Reserve the store's next slot, if it is near enough."""
    params = {
        "tenant": tenant_id,
        "store": store_id,
        "interval_s": interval_s,
        "longest_s": LONGEST_WAIT_S,
        "now": now,
    }
    reserved = (await connection.execute(_RESERVE, params)).scalar_one_or_none()
    if reserved is not None:
        return Slot(max(float(reserved), 0.0), is_reserved=True)
    wait = (await connection.execute(_WAIT, {"store": store_id, "now": now})).scalar_one()
    return Slot(max(float(wait), 0.0), is_reserved=False)


async def load_pace(
    connection: AsyncConnection, store_id: int, *, now: datetime | None = None
) -> Pace:
    """What the store asked of everybody; a store without a row never complained."""
    row = (await connection.execute(_PACE, {"store": store_id, "now": now})).one_or_none()
    return Pace() if row is None else Pace(float(row[0]), int(row[1]))


async def slow_down(
    connection: AsyncConnection,
    tenant_id: int,
    store_id: int,
    *,
    wait_s: float,
    is_too_fast: bool,
    now: datetime | None = None,
) -> None:
    """Nobody asks the store for `wait_s`; if we were too fast, everybody asks half as often."""
    await connection.execute(
        _SLOW_DOWN,
        {
            "tenant": tenant_id,
            "store": store_id,
            "wait_s": wait_s,
            "factor": 2 if is_too_fast else 1,
            "now": now,
        },
    )
