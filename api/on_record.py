"""What people ask of Temporal: on record before it is asked.

No transaction holds both an entry of the audit trail and what Temporal does. So the entry says what
was asked for, and is durable first. When it is not done, a second entry of the same action says
so: its `outcome`, and the `entry` that it is about. Why so: docs/decisions/0019.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from api.services import ApiServices
from api.temporal_calls import Started, TemporalUnavailableError
from api.temporal_syncs import WrongCronError
from db.audit import Actor, record_audit

Write = Callable[[AsyncConnection], Awaitable[object]]


class Outcome(StrEnum):
    """What became of something that was not simply done."""

    REFUSED = "refused"
    """Nothing was done."""
    UNCLEAR = "unclear"
    """It may have been done, or a part of it."""
    ALREADY_RUNNING = "already_running"
    """Somebody else started the same meanwhile."""
    NOT_RUNNING = "not_running"
    """It ended meanwhile."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What somebody asks for, as `db.audit.record_audit` takes it."""

    tenant_id: int
    actor: Actor
    action: str
    subject: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Asked:
    """What is on record. `is_begun` is set where more than one thing is asked, after the first."""

    services: ApiServices
    intent: Intent
    entry: int
    is_begun: bool = False

    async def tell(self, outcome: Outcome, undo: Write | None = None) -> None:
        """Write down that it was not simply done; `undo` is done in the same transaction."""
        details = {"outcome": outcome.value, "entry": self.entry}
        async with self.services.database.tenant(self.intent.tenant_id) as connection:
            if undo is not None:
                await undo(connection)
            await _record(connection, replace(self.intent, details=details))


@asynccontextmanager
async def asking(
    services: ApiServices, intent: Intent, *, do: Write | None = None, undo: Write | None = None
) -> AsyncIterator[Asked]:
    """Have an entry for what is asked of Temporal inside, and another if that fails.

    Args:
        do: rows that say what is asked for, written with the entry.
        undo: takes them back when nothing was done. When that is unclear they stay: the same
            request again makes it so.
    """
    async with services.database.tenant(intent.tenant_id) as connection:
        if do is not None:
            await do(connection)
        asked = Asked(services, intent, await _record(connection, intent))
    try:
        yield asked
    except Exception as error:
        if did_nothing(error) and not asked.is_begun:
            await asked.tell(Outcome.REFUSED, undo)
        else:
            await asked.tell(Outcome.UNCLEAR)
        raise


def did_nothing(error: Exception) -> bool:
    """Whether Temporal certainly did nothing of what ended with this."""
    if isinstance(error, TemporalUnavailableError):
        return error.did_nothing
    return isinstance(error, WrongCronError)


async def start_on_record(
    services: ApiServices,
    intent: Intent,
    workflow_id: str,
    start: Callable[[], Awaitable[Started]],
) -> Started:
    """Start a workflow, or find the one of its id that runs: no deed, so it leaves no entry.

    Raises:
        TemporalUnavailableError: it could not be started.
    """
    try:
        run_id = await services.temporal.running_run(workflow_id)
    except TemporalUnavailableError as error:
        raise TemporalUnavailableError(str(error), did_nothing=True) from error
    if run_id is not None:
        return Started(workflow_id, run_id, already_running=True)
    details = {**intent.details, "workflowId": workflow_id}
    async with asking(services, replace(intent, details=details)) as asked:
        started = await start()
    if started.already_running:
        await asked.tell(Outcome.ALREADY_RUNNING)
    return started


async def check_reachable(services: ApiServices) -> None:
    """Look before an entry is written, so that an hour without Temporal does not fill the trail.

    Raises:
        TemporalUnavailableError: it does not answer, and was asked to do nothing.
    """
    if not await services.temporal.is_healthy():
        raise TemporalUnavailableError("not healthy", did_nothing=True)


async def _record(connection: AsyncConnection, intent: Intent) -> int:
    return await record_audit(
        connection,
        intent.tenant_id,
        intent.actor,
        intent.action,
        intent.subject,
        **intent.details,
    )
