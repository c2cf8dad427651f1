import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from api.app import create_app
from db.session import Database
from tests.api.hub import KEY, SECRET, Caller, Hub, store_body
from workflows.models import CheckStoreInput, CheckStoreResult

JSON = {"content-type": "application/json"}


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    assert set(told) - {"errors"} == {"type", "title", "status", "detail", "instance"}
    return told


async def test_an_unknown_path(caller: Caller) -> None:
    assert problem(await caller.get("/api/nothing?secret=1")) == {
        "type": "urn:entrepot:problem:not-found",
        "title": "There is no such thing",
        "status": 404,
        "detail": "There is no such path. /openapi.json describes those there are.",
        "instance": "/api/nothing",
    }


async def test_a_path_with_a_slash_too_many_is_not_redirected(caller: Caller) -> None:
    assert problem(await caller.get("/api/stores/"))["status"] == 404


async def test_a_method_a_path_does_not_have(caller: Caller) -> None:
    answer = await caller.send("PUT", "/api/stores")
    assert problem(answer)["type"] == "urn:entrepot:problem:method-not-allowed"
    assert set(answer.headers["allow"].split(", ")) <= {"GET", "POST", "HEAD"}


async def test_a_record_that_is_not_there(caller: Caller) -> None:
    assert problem(await caller.get("/api/products/12")) == {
        "type": "urn:entrepot:problem:not-found",
        "title": "There is no such thing",
        "status": 404,
        "detail": "There is no product 12. GET /api/products lists those there are.",
        "instance": "/api/products/12",
    }


@pytest.mark.parametrize("record_id", ["x", "0", "-1", str(2**63), "1e3"])
async def test_an_id_that_is_none(caller: Caller, record_id: str) -> None:
    told = problem(await caller.get(f"/api/products/{record_id}"))
    assert (told["status"], told["errors"][0]["pointer"]) == (422, "/path/record_id")


@pytest.mark.parametrize("limit", ["0", "501", "many"])
async def test_a_limit_out_of_bounds(caller: Caller, limit: str) -> None:
    told = problem(await caller.get("/api/products", params={"limit": limit}))
    assert (told["status"], told["errors"][0]["pointer"]) == (422, "/query/limit")


@pytest.mark.parametrize(
    "cursor",
    [
        "rubbish",
        "é",
        "W10",
        "WyJvcmRlcnMiLDFd",  # ["orders",1]
        "WyJwcm9kdWN0cyJd",  # ["products"]
        "WyJwcm9kdWN0cyIsIjEiXQ",  # ["products","1"]
        "WyJwcm9kdWN0cyIsLTFd",  # ["products",-1]
        "WyJwcm9kdWN0cyIsdHJ1ZV0",  # ["products",true]
        "WyJwcm9kdWN0cyIsOTIyMzM3MjAzNjg1NDc3NTgwOF0",  # ["products",2**63]
        "eyJhIjoxfQ",  # {"a":1}
        "WwBb",
    ],
)
async def test_a_cursor_that_is_not_ours(caller: Caller, cursor: str) -> None:
    told = problem(await caller.get("/api/products", params={"cursor": cursor}))
    assert (told["status"], told["type"]) == (400, "urn:entrepot:problem:bad-cursor")


@pytest.mark.parametrize(
    "body", [b"{", b"", b"nul", b"\xff\xfe", b'{"a": "\xff"}', b"[" * 9_000 + b"]" * 9_000]
)
async def test_a_body_that_is_no_json(caller: Caller, body: bytes) -> None:
    told = problem(await caller.post("/api/stores", content=body, headers=JSON))
    assert told["status"] in {400, 422}
    assert "Traceback" not in told["detail"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_that_does_not_say_it_is_json(caller: Caller, kind: str) -> None:
    answer = await caller.post(
        "/api/stores", content=json.dumps(store_body()), headers={"content-type": kind}
    )
    assert problem(answer)["type"] == "urn:entrepot:problem:unsupported-media-type"


async def test_who_calls_is_asked_before_what_is_sent(hub: Hub) -> None:
    answer = await hub.http.post("/api/stores", content=b"x", headers={"content-type": "a/b"})
    assert problem(answer)["status"] == 401


async def test_a_body_too_large_by_what_arrives(hub: Hub, caller: Caller) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 1_000

    answer = await caller.post("/api/stores", content=chunks(), headers=JSON)
    assert problem(answer) == {
        "type": "urn:entrepot:problem:too-large",
        "title": "The request is too large",
        "status": 413,
        "detail": "A body has at most 20000 bytes.",
        "instance": "/api/stores",
    }
    assert hub.gateway.checks == []


async def test_a_body_of_just_the_limit_is_read(caller: Caller) -> None:
    body = json.dumps(store_body()).encode()
    padded = body + b" " * (20_000 - len(body))
    assert (await caller.post("/api/stores", content=padded, headers=JSON)).status_code == 201
    larger = padded + b" "
    assert (await caller.post("/api/stores", content=larger, headers=JSON)).status_code == 413


async def test_an_unforeseen_error_is_logged_and_not_told(hub: Hub, caller: Caller) -> None:
    async def explode(_check: CheckStoreInput) -> CheckStoreResult:
        raise RuntimeError(f"boom {SECRET}")

    hub.gateway.verdict = explode
    with capture_logs() as lines:
        answer = await caller.post(
            "/api/stores", json=store_body(), headers={"X-Request-Id": "request-0001"}
        )
    assert problem(answer) == {
        "type": "urn:entrepot:problem:internal",
        "title": "Something went wrong on our side",
        "status": 500,
        "detail": "The failure was logged as request-0001. Try again later.",
        "instance": "/api/stores",
    }
    assert [line["event"] for line in lines] == ["request_failed", "request"]


async def test_a_database_that_is_down(hub: Hub, caller: Caller) -> None:
    gone = Database("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1)
    app = create_app(replace(hub.services, database=gone))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.internal") as http:
        answer = await http.get("/api/stores", headers=caller.headers)
    assert problem(answer)["type"] == "urn:entrepot:problem:unavailable"
    assert "127.0.0.1" not in answer.text


async def test_a_secret_that_no_key_opens(hub: Hub, caller: Caller) -> None:
    made = (await caller.post("/api/stores", json=store_body())).json()
    await hub.execute(caller.tenant, "update stores set key_id = 'lost'")
    answer = await caller.patch(
        f"/api/stores/{made['id']}", json={"config": {"consumerKey": "ck_new"}}
    )
    told = problem(answer)
    assert (told["status"], told["detail"][:43]) == (
        500,
        "The stored secrets cannot be read with the ",
    )


async def test_every_answer_has_a_request_id_and_is_not_cached(caller: Caller) -> None:
    given = await caller.get("/api/alerts", headers={"X-Request-Id": "from-the-client"})
    made = await caller.get("/api/alerts", headers={"X-Request-Id": "bad id\x7f"})
    assert given.headers["x-request-id"] == "from-the-client"
    assert len(made.headers["x-request-id"]) == 16
    assert given.headers["cache-control"] == "no-store"


async def test_a_request_is_one_line_without_query_and_webhook_code(
    hub: Hub, caller: Caller
) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await caller.post(
            "/api/stores/webhooks/Zb6n0uQyT1mR4sK8vW2xJw/newOrder?consumer_secret=cs_1",
            headers={"X-Request-Id": "request-0002"},
        )
        await caller.get("/api/stores?limit=3")
    durations = [line.pop("duration_ms") for line in lines]
    request_ids = [line.pop("request_id") for line in lines]
    assert lines == [
        {
            "event": "request",
            "log_level": "info",
            "method": "POST",
            "path": "/api/stores/webhooks/***/newOrder",
            "status": 404,
            "tenant_id": None,
        },
        {
            "event": "request",
            "log_level": "info",
            "method": "GET",
            "path": "/api/stores",
            "status": 200,
            "tenant_id": caller.tenant.id,
        },
    ]
    assert (request_ids[0], len(durations)) == ("request-0002", 2)


async def test_no_wrong_value_is_repeated(caller: Caller) -> None:
    body = {"name": [SECRET], "code": KEY + " ", "provider": "testshop", "config": SECRET}
    answer = await caller.post("/api/stores", json=body)
    assert problem(answer)["status"] == 422
    assert (KEY in answer.text, SECRET in answer.text) == (False, False)
