import json
import pkgutil
from importlib import import_module
from typing import Any, cast

import pytest
from pydantic import BaseModel

from api import schemas
from api.app import describe_api
from tests.api.hub import Caller, Hub
from tests.api.permission_table import NOBODY_OR_CALLER, OPEN
from tests.api.promised_routes import ASKS_A_STORE, PROMISED

MODULES = list(pkgutil.iter_modules(schemas.__path__))
# Parts of bodies, which show an example as a whole elsewhere.
WITHOUT = {"api.schemas.base", "api.schemas.records", "api.schemas.writing"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The description that is served: see the test of that."""
    return describe_api("9.9.9")


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def has_example(document: dict[str, Any], content: dict[str, Any]) -> bool:
    """Whether a body shows one; a body that is one of several, each of them."""
    if "example" in content:
        return True
    schema = content["schema"]
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    named = document["components"]["schemas"]
    shown = [named[one["$ref"].rpartition("/")[2]].get("example") for one in kinds if "$ref" in one]
    return len(shown) == len(kinds) and None not in shown


def test_the_routes_are_those_we_promise(document: dict[str, Any]) -> None:
    """Each in its area, and with what it answers when all is well."""
    assert {
        name: (*operation["tags"], tuple(int(one) for one in operation["responses"] if one < "4"))
        for name, operation in operations(document).items()
    } == PROMISED


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    bodies = [
        (f"{name}: {place}", body)
        for name, operation in operations(document).items()
        for place, body in [
            ("request", operation.get("requestBody")),
            *operation["responses"].items(),
        ]
        if body is not None and (place == "request" or place.startswith("2")) and place != "204"
    ]
    missing = [
        f"{place} {kind}"
        for place, body in bodies
        for kind, content in body["content"].items()
        if not has_example(document, content)
    ]
    assert missing == []
    assert len(bodies) > 100


def test_every_example_is_valid() -> None:
    modules = [import_module(f"{schemas.__name__}.{one.name}") for one in MODULES]
    shown = {
        model: cast("dict[str, Any]", extra["example"])
        for module in modules
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, BaseModel)
        if isinstance(extra := model.model_config.get("json_schema_extra"), dict)
    }
    assert {model.__module__ for model in shown} >= {one.__name__ for one in modules} - WITHOUT
    for model, example in shown.items():
        assert model.model_validate(example).model_dump(by_alias=True).keys() >= example.keys()


def test_every_operation_is_in_an_area_and_says_what_it_does(document: dict[str, Any]) -> None:
    areas = {tag["name"]: tag["description"] for tag in document["tags"]}
    told = operations(document)
    assert {area for area, _ in PROMISED.values()} == set(areas)
    assert all(areas.values())
    for name, operation in told.items():
        summary = operation["summary"]
        assert (name, summary[0].isupper(), len(summary) < 60) == (name, True, True)
        assert operation["description"]
        # Several methods of one path may do the same.
        same = {one.split()[1] for one, other in told.items() if other["summary"] == summary}
        assert (summary, same) == (summary, {name.split()[1]})


def test_every_operation_tells_how_it_may_refuse(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        refused = {int(code) for code in operation["responses"] if code >= "400"}
        places = {one["in"] for one in operation.get("parameters", ())}
        named = {one["name"] for one in operation.get("parameters", ())}
        expected = {429, 500, 503} | ASKS_A_STORE.get(name, frozenset())
        if name not in OPEN:
            expected |= {400, 401, 403}
        if "requestBody" in operation:
            expected |= {400, 408, 413, 415, 422}
        if "path" in places or "storeId" in named:
            expected.add(404)
        if places & {"path", "query"}:
            expected.add(422)
        if not name.startswith("GET"):
            expected.add(409)
        assert (name, refused & {502, 504}) == (name, expected & {502, 504})
        assert (name, expected - refused) == (name, set())


def test_every_refusal_has_an_example(document: dict[str, Any]) -> None:
    others = set()
    for name, operation in operations(document).items():
        for code, one in operation["responses"].items():
            if code >= "400" and "$ref" in one:
                kind = document["components"]["responses"][one["$ref"].rpartition("/")[2]]
                example = kind["content"]["application/problem+json"]["example"]
                assert str(example["status"]) == code
            elif code >= "400":
                others.add((name, code))
                assert all(has_example(document, content) for content in one["content"].values())
    # Who is not well says so, part by part.
    assert others <= {("GET /api/health", "503")}


def test_a_key_with_its_secret_or_a_token_opens_every_route(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"] == {
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "apiSecret": {"type": "apiKey", "in": "header", "name": "X-API-Secret"},
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The accessToken of POST /api/auth/login",
        },
    }
    either: list[dict[str, list[str]]] = [{"apiKey": [], "apiSecret": []}, {"bearer": []}]
    for name, operation in operations(document).items():
        expected = either
        if name in NOBODY_OR_CALLER:
            expected = [{}, *either]
        elif name in OPEN:
            expected = [{}]
        assert (name, operation["security"]) == (name, expected)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [one for value in node.values() for one in references(value)]
        if isinstance(node, list):
            return [one for value in node for one in references(value)]
        return []

    for reference in set(references(document)):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


async def test_the_description_and_its_page_are_served(hub: Hub, document: dict[str, Any]) -> None:
    described = await hub.http.get("/openapi.json")
    page = await hub.http.get("/docs")
    assert (described.status_code, described.json()["info"]["version"]) == (200, "9.9.9")
    assert described.json() == json.loads(json.dumps(document))
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_providers_show_their_form(caller: Caller) -> None:
    listed = (await caller.get("/api/providers")).json()["data"]
    testshop = next(one for one in listed if one["slug"] == "testshop")
    schema = testshop.pop("configSchema")
    assert testshop == {
        "slug": "testshop",
        "title": "Test shop",
        "description": "For tests",
        "documentationUrl": "https://testshop.example/docs",
        "entities": ["categories", "products", "customers", "orders"],
        "tracksChanges": ["orders", "products"],
    }
    assert schema["required"] == ["storeUrl", "consumerKey", "consumerSecret"]
    assert schema["properties"]["consumerSecret"] == {
        "format": "password",
        "title": "Consumersecret",
        "type": "string",
        "writeOnly": True,
    }
