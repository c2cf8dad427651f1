"""What has to be done now and then, by one worker process at a time.

An advisory lock decides which: the others look again at the next turn, so a killed worker is
replaced without anybody noticing.
"""

from datetime import UTC, datetime
from functools import partial

import structlog
from sqlalchemy import text

from db.processes import discard_lost_processes
from db.recurring import Outage, repeat
from db.run_diffs import discard_old
from db.session import Database

TURN_S = 60.0
_LOCK = 7_264_002

_log = structlog.get_logger(__name__)


async def sweep_forever(database: Database) -> None:
    """Take a turn every minute until cancelled. A database that is away is tried at the next."""
    turn = partial(Outage("sweep_failed").bear, partial(sweep_once, database))
    await repeat(turn, every_s=TURN_S)


async def sweep_once(database: Database, *, now: datetime | None = None) -> bool:
    """Discard credentials whose trial expired, what dry runs found a day ago and the rows of killed
    processes, and make the partitions of the months to come.

    Returns:
        Whether it was this process's turn.
    """
    async with database.lookup() as connection:
        is_ours = await connection.execute(
            text("select pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}
        )
        if not is_ours.scalar_one():
            return False
        now = now or datetime.now(UTC)
        discarded = await connection.execute(
            text("select discard_expired_checks(:now)"), {"now": now}
        )
        await connection.execute(text("select discard_expired_previews(:now)"), {"now": now})
        await connection.execute(text("select ensure_partitions()"))
        if count := discarded.scalar_one():
            _log.info("expired_checks_discarded", count=count)
        # In batches: what is left is the next turn's, so that no transaction takes long.
        if count := await discard_old(connection, now):
            _log.info("dry_run_diffs_discarded", count=count)
        if count := await discard_lost_processes(connection):
            _log.warning("processes_lost", count=count)
    return True
