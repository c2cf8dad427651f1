from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from db.session import Database
from domain.lanes import LaneKind
from runtime.embedded.temporal import _binary
from tests.db.room import new_room
from tests.servers import TestDatabase
from tests.workflows.lanes import Sending, Street
from workflows.search_attributes import ALL
from workflows.waking import LaneWaker


async def test_a_lane_whose_history_grows_long_is_continued_as_new_and_forgets_nothing(
    database: TestDatabase,
) -> None:
    app, owner = Database(database.app_url, pool_size=4), Database(database.owner_url, pool_size=1)
    room = await new_room(app, owner)
    street = Street(room, Sending(app))
    async with await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=_binary(),
        dev_server_extra_args=[
            *("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=8"),
        ],
        search_attributes=list(ALL),
    ) as server:
        waker = LaneWaker(app, server.client)
        async with street.working(server.client):
            await street.add(*range(1, 9))
            await room.rows(
                "update pushes set next_attempt_at = now() + make_interval(secs => record_id * 0.3)"
                " where store_id = :store"
            )
            await waker.wake(room.tenant_id, LaneKind.PUSH, room.store_id)
            assert await street.emptied()
            handle = server.client.get_workflow_handle(street.workflow_id)
            result = await handle.result()
        first = (await handle.fetch_history()).events[0]
    assert result == {"state": "quiet", "settled": 8}
    assert street.take.sent == dict.fromkeys(range(1, 9), 1)
    assert first.workflow_execution_started_event_attributes.continued_execution_run_id
    await app.close()
    await owner.close()
