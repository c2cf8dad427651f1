"""How far a standby is behind its primary."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Who replayed all that came, and is still connected, is up to date however long ago the last
# commit was (PostgreSQL manual, "Recovery Information Functions"). Without a receiver nobody knows.
_LAG: Final = text("""
select case
  when not pg_is_in_recovery() then 0
  when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
    and exists (select from pg_stat_wal_receiver) then 0
  else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())
end::float8
""")


async def read_lag_s(connection: AsyncConnection) -> float | None:
    """Seconds since the newest commit that this server shows, 0 where it shows all that it was
    sent and on a primary; None: it replayed no commit since it started."""
    lag: float | None = await connection.scalar(_LAG)
    return None if lag is None else max(lag, 0.0)
