"""The commands of a person who sees to things, against answers of the API's own shape."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI, Request

from api.schemas.alerts import RetryAnswer, RetryBody
from api.schemas.base import Answer
from api.schemas.conflicts import ConflictAnswer, ConflictListAnswer, ResolveBody
from runtime.cli.__main__ import run
from sandbox.server import listen, port_of, running


def example_of(model: type[Answer]) -> Answer:
    """The answer that the API's documents show; the models check it."""
    extra: Any = model.model_config["json_schema_extra"]
    return model.model_validate(extra["example"])


@pytest.fixture
async def api() -> AsyncIterator[tuple[list[str], list[ResolveBody]]]:
    """Where the API is, as options, and the decisions it got."""
    app, decided = FastAPI(), list[ResolveBody]()

    @app.get("/api/conflicts")
    async def listed(status: str, limit: int) -> ConflictListAnswer:
        assert (status, limit > 0) == ("open", True)
        answer = example_of(ConflictListAnswer)
        assert isinstance(answer, ConflictListAnswer)
        return answer

    @app.get("/api/conflicts/7")
    async def shown() -> ConflictAnswer:
        answer = example_of(ConflictAnswer)
        assert isinstance(answer, ConflictAnswer)
        return answer

    @app.post("/api/conflicts/7/resolve")
    async def resolved(request: Request) -> ConflictAnswer:
        decided.append(ResolveBody.model_validate(await request.json()))
        return await shown()

    @app.get("/api/stores")
    async def stores() -> dict[str, Any]:
        return {"data": [{"id": 1, "code": "main"}], "nextCursor": None}

    @app.post("/api/stores/1/retry-failed-sync")
    async def retried(request: Request) -> RetryAnswer:
        body = RetryBody.model_validate(await request.json())
        return RetryAnswer(
            pushes=len(set(body.push_ids or ()) & {7}),
            webhook_events=0,
            resumed_lanes=["push"],
            alerts_resolved=0,
            import_workflow_id=None,
        )

    bound = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{port_of(bound)}"
    async with running(app, bound):
        yield ["--api-url", url, "--api-key", "ek_a", "--api-secret", "es_a"], decided


async def test_open_conflicts_are_listed_with_their_fields(
    api: tuple[list[str], list[ResolveBody]], capsys: pytest.CaptureFixture[str]
) -> None:
    options, _ = api
    assert await asyncio.to_thread(run, ["conflicts", "list", *options]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split("\t") == ["conflict", "store", "entity", "record", "fields", "since"]
    assert row.split("\t")[:5] == ["7", "12", "products", "40", "title"]
    assert await asyncio.to_thread(run, ["conflicts", "list", "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out)[0]["paths"] == ["title"]


async def test_a_conflict_is_shown_side_by_side(
    api: tuple[list[str], list[ResolveBody]], capsys: pytest.CaptureFixture[str]
) -> None:
    options, _ = api
    assert await asyncio.to_thread(run, ["conflicts", "show", "7", *options]) == 0
    _, row = capsys.readouterr().out.splitlines()
    assert row.split("\t") == [
        *("title", '"Tea"', '"Black tea"', '"Ceylon tea"'),
        "remote: the store changed its record last",
    ]


@pytest.mark.parametrize("side", ["local", "remote", "merge"])
async def test_a_decision_is_sent_as_it_is(
    api: tuple[list[str], list[ResolveBody]], capsys: pytest.CaptureFixture[str], side: str
) -> None:
    options, decided = api
    line = ["conflicts", "resolve", "7", "--take", side, *options]
    assert await asyncio.to_thread(run, line) == 0
    assert capsys.readouterr().out == f"Conflict 7 is resolved: {side}.\n"
    assert [(one.resolution, one.data) for one in decided] == [(side, {})]


@pytest.mark.parametrize("as_json", [(), ("--json",)])
async def test_ids_of_which_none_has_failed_are_an_error(
    api: tuple[list[str], list[ResolveBody]],
    capsys: pytest.CaptureFixture[str],
    as_json: tuple[str, ...],
) -> None:
    options, _ = api
    line = ["retry", "main", *options, *as_json]
    assert await asyncio.to_thread(run, [*line, "--push", "7", "--push", "8"]) == 0
    assert capsys.readouterr().err == ""
    assert await asyncio.to_thread(run, [*line, "--push", "8"]) == 2
    assert "given up nothing of these ids; resumed: push" in capsys.readouterr().err
