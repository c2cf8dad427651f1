"""What the schema promises of values and answers, where frameworks are laxer."""

from typing import Any

import pytest

from api.app import describe_api
from tests.api.hub import Caller, connect


async def test_a_refused_method_is_told_all_that_the_path_takes(caller: Caller) -> None:
    for path, methods in (
        ("/api/stores/1", "DELETE, GET, PATCH"),
        ("/api/categories", "GET, POST"),
        ("/api/health", "GET"),
    ):
        answer = await caller.send("PUT", path, json={})
        assert (path, answer.status_code) == (path, 405)
        assert (path, answer.headers["allow"]) == (path, methods)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body", [{"dryRun": 0}, {"dryRun": "true"}, {"force": 1}, {"kind": "pull", "force": "no"}]
)
async def test_a_flag_is_true_or_false(caller: Caller, body: dict[str, Any]) -> None:
    store_id = await connect(caller)
    answer = await caller.post(f"/api/stores/{store_id}/sync", json=body)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("number", [True, "7", 7.5])
async def test_an_id_is_a_whole_number(caller: Caller, number: object) -> None:
    body = {"kind": "receipt", "quantity": "1", "variantId": number}
    answer = await caller.post("/api/inventory/movements", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/variantId")


MOMENTS = ("webhook-events?from=", "webhook-events?to=", "drift?since=")


@pytest.mark.parametrize("query", MOMENTS)
@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2026-11-21T16:02:11Z", 200),
        ("2026-11-21T16:02:11%2B23:59", 200),
        ("2026-11-21T16:02:11", 422),
        ("0001-01-01T00:00:00%2B23:59", 422),
        ("1763740931", 422),
        ("0.5", 422),
        ("1e9", 422),
    ],
)
async def test_a_moment_has_a_zone_and_is_no_count_of_seconds(
    caller: Caller, query: str, moment: str, status: int
) -> None:
    store_id = await connect(caller)
    answer = await caller.get(f"/api/stores/{store_id}/{query}{moment}")
    assert answer.status_code == status, answer.text


def test_a_change_tells_for_which_fields_null_is_a_value() -> None:
    schemas = describe_api("1")["components"]["schemas"]
    told = schemas["ChangeWarehouseBody"]["properties"]
    assert {"type": "null"} in told["code"]["anyOf"]
    assert (told["isActive"]["type"], "default" in told["isActive"]) == ("boolean", False)
    assert "unknown" not in schemas["ChangeOrderBody"]["properties"]["status"]["enum"]


def test_health_tells_of_an_answer_that_is_no_problem() -> None:
    answers = describe_api("1")["paths"]["/api/health"]["get"]["responses"]
    assert answers["503"]["content"].keys() == {"application/json", "application/problem+json"}
