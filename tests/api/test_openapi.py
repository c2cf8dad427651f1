import pkgutil
from importlib import import_module
from typing import Any, cast

import pytest
from pydantic import BaseModel

from api import schemas
from api.app import create_app
from tests.api.hub import Caller, Hub

# What counts there is what is sent: its signature, or a password or token in its body.
OPEN_TO_ANYBODY = {
    "POST /api/auth/login",
    "POST /api/auth/refresh",
    "POST /api/stores/webhooks/{store_code}",
    "POST /api/stores/webhooks/{store_code}/newOrder",
    "PUT /api/stores/webhooks/{store_code}/newOrder",
    "POST /api/stores/webhooks/{store_code}/orderStatus",
    "PUT /api/stores/webhooks/{store_code}/orderStatus",
    "POST /api/{provider}-sync/webhook/{event}",
    "POST /api/webhooks/{provider}/{organization_id}",
}
OPEN_WITHOUT_A_CALLER = {
    "GET /api/health",
    "GET /api/woocommerce-sync/connection/test",
    "POST /api/auth/logout",
}

MODULES = list(pkgutil.iter_modules(schemas.__path__))
# Parts of bodies, which show an example as a whole elsewhere.
WITHOUT = {"api.schemas.base", "api.schemas.records", "api.schemas.writing"}


@pytest.fixture
def document(hub: Hub) -> dict[str, Any]:
    return create_app(hub.services).openapi()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def example_of(document: dict[str, Any], body: dict[str, Any]) -> Any:
    schema = body["content"]["application/json"]["schema"]
    # A body that may be left out is one of two: the body, or null.
    (name,) = (
        one["$ref"].removeprefix("#/components/schemas/")
        for one in schema.get("anyOf", [schema])
        if one.get("type") != "null"
    )
    return document["components"]["schemas"][name].get("example")


def test_the_routes_are_those_we_promise(document: dict[str, Any]) -> None:
    assert sorted(operations(document)) == [
        "DELETE /api/categories/{record_id}",
        "DELETE /api/customers/{record_id}",
        "DELETE /api/keys/{record_id}",
        "DELETE /api/products/{record_id}",
        "DELETE /api/stores/{store_id}",
        "DELETE /api/stores/{store_id}/schedule",
        "GET /api/alert-channels",
        "GET /api/alerts",
        "GET /api/alerts/{record_id}",
        "GET /api/audit",
        "GET /api/auth/me",
        "GET /api/categories",
        "GET /api/categories/{record_id}",
        "GET /api/conflicts",
        "GET /api/conflicts/{record_id}",
        "GET /api/customers",
        "GET /api/customers/{record_id}",
        "GET /api/health",
        "GET /api/inventory/levels",
        "GET /api/inventory/movements",
        "GET /api/invoices",
        "GET /api/invoices/{record_id}",
        "GET /api/keys",
        "GET /api/keys/{record_id}",
        "GET /api/keys/{record_id}/usage",
        "GET /api/orders",
        "GET /api/orders/{record_id}",
        "GET /api/products",
        "GET /api/products/{record_id}",
        "GET /api/providers",
        "GET /api/stores",
        "GET /api/stores/{store_id}",
        "GET /api/stores/{store_id}/drift",
        "GET /api/stores/{store_id}/mapping",
        "GET /api/stores/{store_id}/push-preview",
        "GET /api/stores/{store_id}/pushes",
        "GET /api/stores/{store_id}/schedule",
        "GET /api/stores/{store_id}/sync-logs",
        "GET /api/stores/{store_id}/sync-status",
        "GET /api/stores/{store_id}/webhook-events",
        "GET /api/stores/{store_id}/webhook-events/counters",
        "GET /api/syncs",
        "GET /api/syncs/{workflow_id}",
        "GET /api/syncs/{workflow_id}/diff",
        "GET /api/warehouses",
        "GET /api/woocommerce-sync/analytics",
        "GET /api/woocommerce-sync/conflicts",
        "GET /api/woocommerce-sync/connection/test",
        "GET /api/woocommerce-sync/export/{entity}",
        "GET /api/woocommerce-sync/history",
        "GET /api/woocommerce-sync/status",
        "PATCH /api/categories/{record_id}",
        "PATCH /api/customers/{record_id}",
        "PATCH /api/keys/{record_id}",
        "PATCH /api/orders/{record_id}",
        "PATCH /api/products/{record_id}",
        "PATCH /api/stores/{store_id}",
        "PATCH /api/stores/{store_id}/activate",
        "PATCH /api/stores/{store_id}/deactivate",
        "PATCH /api/warehouses/{record_id}",
        "POST /api/alerts/{record_id}/resolve",
        "POST /api/auth/login",
        "POST /api/auth/logout",
        "POST /api/auth/refresh",
        "POST /api/categories",
        "POST /api/conflicts/{record_id}/resolve",
        "POST /api/customers",
        "POST /api/inventory/movements",
        "POST /api/invoices",
        "POST /api/keys",
        "POST /api/keys/{record_id}/rotate",
        "POST /api/products",
        "POST /api/stores",
        "POST /api/stores/connect/{provider}/start",
        "POST /api/stores/webhooks/{store_code}",
        "POST /api/stores/webhooks/{store_code}/newOrder",
        "POST /api/stores/webhooks/{store_code}/orderStatus",
        "POST /api/stores/{store_id}/import",
        "POST /api/stores/{store_id}/mapping/preview",
        "POST /api/stores/{store_id}/retry-failed-sync",
        "POST /api/stores/{store_id}/schedule/pause",
        "POST /api/stores/{store_id}/schedule/resume",
        "POST /api/stores/{store_id}/schedule/trigger",
        "POST /api/stores/{store_id}/sync",
        "POST /api/stores/{store_id}/test-connection",
        "POST /api/stores/{store_id}/webhook-events/{record_id}/replay",
        "POST /api/syncs/{workflow_id}/cancel",
        "POST /api/warehouses",
        "POST /api/webhooks/{provider}/{organization_id}",
        "POST /api/woocommerce-sync/sync/batch",
        "POST /api/woocommerce-sync/sync/customers/pull",
        "POST /api/woocommerce-sync/sync/customers/push",
        "POST /api/woocommerce-sync/sync/full",
        "POST /api/woocommerce-sync/sync/inventory/push",
        "POST /api/woocommerce-sync/sync/inventory/push/{productId}",
        "POST /api/woocommerce-sync/sync/orders/pull",
        "POST /api/woocommerce-sync/sync/orders/{wcOrderId}",
        "POST /api/woocommerce-sync/sync/products/pull",
        "POST /api/woocommerce-sync/sync/products/{wcProductId}",
        "POST /api/woocommerce-sync/webhook/test",
        "POST /api/{provider}-sync/webhook/{event}",
        "PUT /api/alert-channels",
        "PUT /api/stores/webhooks/{store_code}/newOrder",
        "PUT /api/stores/webhooks/{store_code}/orderStatus",
        "PUT /api/stores/{store_id}/mapping",
        "PUT /api/stores/{store_id}/schedule",
    ]


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    missing = [
        f"{name}: {place}"
        for name, operation in operations(document).items()
        for place, body in [
            ("request", operation.get("requestBody")),
            *(
                (status, answer)
                for status, answer in operation["responses"].items()
                if status.startswith("2") and status != "204"
            ),
        ]
        if body is not None and example_of(document, body) is None
    ]
    assert missing == []


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


def test_every_operation_has_a_tag_a_summary_and_problems(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for operation in operations(document).values():
        assert set(operation["tags"]) < tags
        assert operation["summary"]
        assert operation["description"]
        refused = {code: one for code, one in operation["responses"].items() if code >= "400"}
        assert refused.keys() >= {"429", "500", "503"}
        for code, one in refused.items():
            kind = document["components"]["responses"][one["$ref"].rpartition("/")[2]]
            example = kind["content"]["application/problem+json"]["example"]
            assert str(example["status"]) == code


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
        if name in OPEN_WITHOUT_A_CALLER:
            expected = [{}, *either]
        elif name in OPEN_TO_ANYBODY:
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


async def test_the_description_and_its_page_are_served(hub: Hub) -> None:
    described = await hub.http.get("/openapi.json")
    page = await hub.http.get("/docs")
    assert (described.status_code, described.json()["info"]["version"]) == (200, "9.9.9")
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
