"""Counts the requests of each key without a write per request.

Counts are kept in memory and added up in the database every few seconds and at the end. A process
that is killed loses what it counted since: a few seconds of counts, and never a request. Requests
without a key (signed webhooks, people, anybody) are not counted here.
"""

import asyncio
from datetime import UTC, date, datetime
from functools import partial
from typing import Final

from starlette.types import Scope

from db.key_usage import Use, add_uses
from db.recurring import AWAY, Outage, repeat
from db.session import Database

FLUSH_S: Final = 5.0

_PATIENCE_S: Final = 3.0
_REFUSED: Final = 400
_FAILED: Final = 500

_Counts = dict[int, dict[tuple[int, date], Use]]


def note_key(scope: Scope, tenant_id: int, key_id: int) -> None:
    """Say whose key this request came with, as soon as the secret proved right."""
    scope.setdefault("state", {})["key"] = (tenant_id, key_id)


class KeyUsage:
    """The counts of one process. It holds one entry per key in use, so it stays small."""

    def __init__(self) -> None:
        self._counts: _Counts = {}
        self._outage = Outage("key_usage_not_written")
        self._stopped = asyncio.Event()
        self._flushing: asyncio.Task[None] | None = None

    def count(self, scope: Scope, status: int) -> None:
        """Count a request that is being answered, if it came with a key."""
        noted = scope.get("state", {}).get("key")
        if noted is None:
            return
        tenant_id, key_id = noted
        moment = datetime.now(UTC)
        use = Use(
            moment,
            requests=1,
            refused=int(_REFUSED <= status < _FAILED),
            failed=int(status >= _FAILED),
        )
        self._add(tenant_id, (key_id, moment.date()), use)

    def start(self, database: Database, *, every_s: float = FLUSH_S) -> None:
        """Begin to add up what is counted."""
        flush = partial(self.flush, database)
        self._flushing = asyncio.create_task(repeat(flush, every_s=every_s, stop=self._stopped))

    async def close(self, database: Database) -> None:
        """Add up what is left. Call it when no more requests come, before the database closes."""
        self._stopped.set()
        if self._flushing is not None:
            await self._flushing
        await self.flush(database)

    async def flush(self, database: Database) -> None:
        """Add up now. What cannot be written is kept for the next time."""
        counts, self._counts = self._counts, {}
        failure: BaseException | None = None
        for tenant_id, uses in counts.items():
            work = partial(add_uses, tenant_id=tenant_id, uses=uses)
            try:
                async with asyncio.timeout(_PATIENCE_S):  # a server that stops waits no longer
                    await database.transact(tenant_id, work)
            except AWAY as error:
                failure = error
                for which, use in uses.items():
                    self._add(tenant_id, which, use)
        self._outage.tell(failure)

    def _add(self, tenant_id: int, which: tuple[int, date], use: Use) -> None:
        known = self._counts.setdefault(tenant_id, {}).setdefault(which, Use(use.last_used_at))
        known.add(use)
