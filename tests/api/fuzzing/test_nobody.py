"""schemathesis over the whole OpenAPI as nobody, and what its check of ours finds."""

import asyncio

import pytest
from fastapi import FastAPI

from tests.api.fuzzing.callers import as_other
from tests.api.fuzzing.checks import NothingOfOthers
from tests.api.fuzzing.planted import MARK, SECRET, Two
from tests.api.fuzzing.real_ids import RealIds
from tests.api.fuzzing.run import follow, labels, load
from tests.api.fuzzing.served import ServedApi


async def test_nobody_is_answered_as_the_schema_says(served: ServedApi, two: Two) -> None:
    schema = load(served, as_other({}))
    before = await two.own.shown()
    found = await asyncio.to_thread(follow, schema, RealIds(two).fill_in)
    assert not found.failures, found.told
    assert found.operations == labels(schema)
    assert found.statuses.keys() >= {200, 401, 404, 422}
    assert await two.own.shown() == before


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (f"Main shop {MARK}", "another tenant"),
        (f"cs_{SECRET}", "a secret"),
        ("$argon2id$v=19$m=65536", "how we work"),
    ],
)
async def test_an_answer_that_tells_too_much_is_found(told: str, why: str) -> None:
    app = FastAPI()

    @app.get("/leak")
    async def leak() -> dict[str, str]:
        return {"told": told}

    found = await asyncio.to_thread(follow, load(app, as_other({})))
    [failure] = found.failures.items()
    assert NothingOfOthers.__name__ in failure[0]
    assert why in failure[1]
