"""schemathesis over the routes of stores, syncs and webhooks with a key that may do everything."""

import asyncio

from tests.api.fuzzing.callers import OF_OTHERS, as_owner
from tests.api.fuzzing.planted import Two
from tests.api.fuzzing.real_ids import RealIds
from tests.api.fuzzing.run import follow, labels, load
from tests.api.fuzzing.served import ServedApi


async def test_an_owner_is_answered_as_the_schema_says(served: ServedApi, two: Two) -> None:
    schema = load(served, as_owner(two, leave_out=OF_OTHERS))
    found = await asyncio.to_thread(follow, schema, RealIds(two).fill_in)
    assert not found.failures, found.told
    assert found.operations == labels(schema)
    assert "GET /api/stores" in found.operations
    assert found.statuses.keys() >= {200, 201, 202, 400, 401, 404, 405, 409, 415, 422}
