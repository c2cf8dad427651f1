from typing import Any

from api.app import describe_api
from scripts.api_reference import PAGE, render


def document(**operation: Any) -> dict[str, Any]:
    told = {"tags": ["tea"], "summary": "Show tea", "responses": {"200": {"description": "Tea"}}}
    return {
        "info": {"description": "All of it."},
        "tags": [{"name": "tea", "description": "What is drunk."}, {"name": "empty"}],
        "paths": {"/api/tea": {"get": told | operation}},
        "components": {"schemas": {"Problem": {"example": {}}, "Tea": {"example": {"id": 1}}}},
    }


def test_the_page_is_what_the_api_says() -> None:
    assert PAGE.read_text() == render(describe_api("0.1.0")), "make docs writes it"


def test_an_operation_tells_its_permission_parameters_body_and_answers() -> None:
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/Tea"}}}
    limit = {"type": "integer", "minimum": 1, "maximum": 9, "default": 5}
    page = render(
        document(
            **{"x-permission": "tea:read", "description": "Shows\nit."},
            parameters=[{"name": "limit", "in": "query", "schema": limit, "description": "Most"}],
            requestBody={"content": body},
            responses={"200": {"description": "Tea", "content": body}, "404": {}},
        )
    )
    for told in (
        "### GET /api/tea",
        "**Show tea.** Needs the permission `tea:read`.",
        "Shows it.",
        "| `limit` | query | integer 1 to 9 | Most. Default `5` |",
        'Body:\n\n```json\n{\n  "id": 1\n}\n```',
        "Answer 200: Tea. `application/json`",
        "Other answers: 404.",
    ):
        assert told in page
    assert "empty" not in page


def test_an_open_operation_says_so() -> None:
    assert "Needs no key." in render(document(security=[{}]))
    assert "Needs a key or a login." in render(document(security=[{"bearer": []}]))
