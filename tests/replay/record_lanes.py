"""The histories of lanes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.draining import Pace
from activities.lanes import Turn
from db.lane_failures import resume_lane
from db.session import Database
from domain.errors import CredentialsError, RateLimitedError
from domain.lanes import LaneKind
from runtime.embedded.temporal import _binary
from tests.db.room import new_room
from tests.workflows.lanes import LADDER_S, Sending, Street, always, raising
from workflows.ids import lane_id
from workflows.search_attributes import ALL
from workflows.waking import LaneWaker

LONG = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=20")
SLOWER = RateLimitedError("the shop asks for a pause", status=429, retry_after_s=31.0)


@dataclass(frozen=True)
class LaneRecorder:
    """A Temporal server, a database, and what was recorded so far."""

    client: Client
    app: Database
    owner: Database
    taken: dict[str, WorkflowHistory] = field(default_factory=dict)

    async def open(self) -> tuple[Street, LaneWaker]:
        """A store with a push lane, and who wakes it."""
        room = await new_room(self.app, self.owner)
        street = Street(room, Sending(self.app), pace=Pace(linger_s=0.1, look_s=0.01))
        return street, LaneWaker(self.app, self.client, ladder_s=LADDER_S)

    async def take(self, name: str, workflow_id: str, *, run_id: str | None = None) -> None:
        """Keep a run once it has ended, the newest if none is named."""
        handle = self.client.get_workflow_handle(workflow_id, run_id=run_id)
        if run_id is None:
            with suppress(WorkflowFailureError):
                await handle.result()
        self.taken[name] = await handle.fetch_history()


async def wake(waker: LaneWaker, street: Street) -> None:
    await waker.wake(street.room.tenant_id, LaneKind.PUSH, street.room.store_id)


async def record_quiet(to: LaneRecorder) -> None:
    """A lane of each kind; the pushes are woken once more while they are worked off."""
    street, waker = await to.open()
    tenant_id, store_id = street.room.tenant_id, street.room.store_id

    async def insist(_turn: Turn) -> None:
        street.take.before_send = None
        await waker.insist(street.lane, "woocommerce")

    street.take.before_send = insist
    await street.add(1, 2, 3)
    async with street.working(to.client):
        await wake(waker, street)
        await waker.wake(tenant_id, LaneKind.INBOX, store_id)
        await waker.wake(tenant_id, LaneKind.ALERT, tenant_id)
        await to.take("push_quiet", street.workflow_id)
        await to.take("inbox_quiet", lane_id(LaneKind.INBOX, store_id))
        await to.take("alert_quiet", lane_id(LaneKind.ALERT, tenant_id))


async def record_failures(to: LaneRecorder) -> None:
    """A lane that waits and is resumed, one that waits its time, one paused, one cancelled."""
    street, waker = await to.open()
    street.take.before_send = raising(SLOWER)
    await street.add(1)
    async with street.working(to.client):
        await wake(waker, street)
        await street.once_row(lambda row: row["failures"] > 0)
        async with to.app.tenant(street.room.tenant_id) as connection:
            await resume_lane(connection, street.lane)
        await wake(waker, street)
        await to.take("push_resumed", street.workflow_id)

    street, waker = await to.open()
    street.take.before_send = raising(RateLimitedError("wait 0.5 s", retry_after_s=0.5))
    await street.add(1)
    async with street.working(to.client):
        await wake(waker, street)
        await to.take("push_waited", street.workflow_id)

    street, waker = await to.open()
    street.take.before_send = always(CredentialsError("401: enter the keys again", status=401))
    await street.add(1)
    async with street.working(to.client):
        await wake(waker, street)
        await to.take("push_paused", street.workflow_id)

    street, waker = await to.open()
    street.take.before_send = always(SLOWER)
    await street.add(1)
    async with street.working(to.client):
        await wake(waker, street)
        await street.once_row(lambda row: row["failures"] > 0)
        await to.client.get_workflow_handle(street.workflow_id).cancel()
        await to.take("push_cancelled", street.workflow_id)


async def record_continuation(to: LaneRecorder) -> None:
    """Rows that come due one after the other, until the history is long."""
    street, waker = await to.open()
    async with street.working(to.client):
        await street.add(*range(1, 6))
        await street.room.rows(
            "update pushes set next_attempt_at = now() + make_interval(secs => record_id * 0.8)"
            " where store_id = :store"
        )
        await wake(waker, street)
        await to.take("push_continuation", street.workflow_id)
    started = to.taken["push_continuation"].events[0].workflow_execution_started_event_attributes
    first = started.first_execution_run_id
    await to.take("push_continued", street.workflow_id, run_id=first)


@asynccontextmanager
async def lane_recorder(
    app: Database, owner: Database, *options: str
) -> AsyncIterator[LaneRecorder]:
    """A Temporal server of its own."""
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=_binary(),
        dev_server_extra_args=options,
        search_attributes=list(ALL),
    ) as server:
        yield LaneRecorder(server.client, app, owner)


async def record_lanes(app_url: str, owner_url: str) -> dict[str, WorkflowHistory]:
    """Run every case of a lane."""
    app, owner = Database(app_url, pool_size=6), Database(owner_url, pool_size=1)
    try:
        async with lane_recorder(app, owner) as ordinary:
            await record_quiet(ordinary)
            await record_failures(ordinary)
        async with lane_recorder(app, owner, *LONG) as long:
            await record_continuation(long)
    finally:
        await app.close()
        await owner.close()
    return ordinary.taken | long.taken
