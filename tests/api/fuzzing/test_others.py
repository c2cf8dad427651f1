"""schemathesis over the whole OpenAPI as somebody who may only look, and as nobody."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from domain.roles import Role
from tests.api.fuzzing.checks import NothingOfOthers
from tests.api.fuzzing.planted import MARK, SECRET, Two
from tests.api.fuzzing.real_ids import RealIds
from tests.api.fuzzing.run import configuration, follow, labels, load
from tests.api.fuzzing.served import ServedApi
from tests.api.hub import Hub
from tests.api.people import add_person


def settings(headers: dict[str, str]) -> dict[str, Any]:
    return configuration(
        headers,
        phases=("examples", "fuzzing"),
        examples=5,
        markers=[MARK],
        secrets=[SECRET],
    )


async def test_a_viewer_is_answered_as_the_schema_says(
    hub: Hub, served: ServedApi, two: Two
) -> None:
    viewer = await add_person(hub, Role.VIEWER, tenant=two.own.caller.tenant)
    caller = await viewer.log_in()
    # Who logs out is nobody from there on.
    schema = load(served, settings(caller.headers)).exclude(path="/api/auth/logout")
    before = await two.own.shown()
    found = await asyncio.to_thread(follow, schema, RealIds(two).fill_in)
    assert not found.failures, found.told
    assert found.operations == labels(schema)
    assert found.statuses.keys() >= {200, 400, 401, 403, 404, 422}
    assert await two.own.shown() == before


async def test_nobody_is_answered_as_the_schema_says(served: ServedApi, two: Two) -> None:
    schema = load(served, settings({}))
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

    found = await asyncio.to_thread(follow, load(app, settings({})))
    [failure] = found.failures.items()
    assert NothingOfOthers.__name__ in failure[0]
    assert why in failure[1]
