"""schemathesis over the whole OpenAPI as a person who may only look."""

import asyncio

from domain.roles import Role
from tests.api.fuzzing.callers import as_other
from tests.api.fuzzing.planted import Two
from tests.api.fuzzing.real_ids import RealIds
from tests.api.fuzzing.run import follow, labels, load
from tests.api.fuzzing.served import ServedApi
from tests.api.hub import Hub
from tests.api.people import add_person


async def test_a_viewer_is_answered_as_the_schema_says(
    hub: Hub, served: ServedApi, two: Two
) -> None:
    viewer = await add_person(hub, Role.VIEWER, tenant=two.own.caller.tenant)
    caller = await viewer.log_in()
    # Who logs out is nobody from there on.
    schema = load(served, as_other(caller.headers, leave_out=r"^POST /api/auth/logout$"))
    before = await two.own.shown()
    found = await asyncio.to_thread(follow, schema, RealIds(two).fill_in)
    assert not found.failures, found.told
    assert found.operations == labels(schema)
    assert found.statuses.keys() >= {200, 400, 401, 403, 404, 422}
    assert await two.own.shown() == before
