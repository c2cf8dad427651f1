"""The API's description: what FastAPI finds out, and the problems that every route may answer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api.openapi_answers import components as problem_answers
from api.openapi_answers import declare, permissions
from api.problems import Problem
from api.woocommerce_sync.stores import DOCUMENT_TAG

TAGS = [
    {"name": "stores", "description": "Connect shops, show and change them."},
    {"name": "syncs", "description": "Import shops, watch and stop it."},
    {"name": "schedules", "description": "When shops are synced by themselves."},
    {"name": "webhooks", "description": "What shops send, and what becomes of it."},
    {"name": "categories", "description": "The catalogue's tree."},
    {"name": "products", "description": "Products with variants and stock."},
    {"name": "customers", "description": "Buyers, guests among them."},
    {"name": "orders", "description": "Sales with lines, charges and refunds."},
    {"name": "inventory", "description": "Warehouses, levels of stock, and what moved them."},
    {"name": "invoices", "description": "Invoices written elsewhere, which lower stock."},
    {"name": "conflicts", "description": "What two sides changed, and a person's decision."},
    {"name": "alerts", "description": "What a person has to see to, and how they are told."},
    DOCUMENT_TAG,
    {"name": "mapping", "description": "A store's own rules for its fields."},
    {"name": "auth", "description": "People who log in."},
    {"name": "keys", "description": "API keys: who may call, for what, from where, how often."},
    {"name": "audit", "description": "Who did what."},
    {"name": "providers", "description": "What shops can be connected to."},
    {"name": "health", "description": "Whether the hub serves."},
]

_DESCRIPTION = """
Every request carries `X-API-Key` and `X-API-Secret`, or `Authorization: Bearer` with the access
token of `POST /api/auth/login`. Errors are problem details (RFC 9457).
Lists take `limit` (up to 500) and `cursor`, and answer `{data, nextCursor}`. A POST may carry an
`Idempotency-Key`: sent again within 24 hours with the same body, it is answered the same and done
once. Amounts and quantities are decimal strings, times are UTC.
"""


def describe(app: FastAPI, routers: Sequence[APIRouter]) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _with_problems(
            get_openapi(
                title=app.title,
                version=app.version,
                description=_DESCRIPTION.strip(),
                routes=app.routes,
                tags=TAGS,
            ),
            permissions(api_routes(routers)),
        )
    return app.openapi_schema


def api_routes(routers: Sequence[APIRouter]) -> Iterator[APIRoute]:
    """Every route of these routers."""
    for router in routers:
        yield from (route for route in router.routes if isinstance(route, APIRoute))


def _with_problems(
    document: dict[str, Any], needed: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    components = document["components"]
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"] |= schema.pop("$defs")
    components["schemas"]["Problem"] = schema
    components["schemas"].pop("HTTPValidationError", None)
    components["schemas"].pop("ValidationError", None)
    components["responses"] = problem_answers()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _join_key_and_secret(operation)
            # FastAPI writes `{id:path}` as `{id}`.
            declare(method, operation, needed.get((method.upper(), path)))
    return document


def _join_key_and_secret(operation: dict[str, Any]) -> None:
    """A key with its secret, or a login's token, where FastAPI lists any of the three headers."""
    listed = operation.get("security", [])
    names = {name for one in listed for name in one}
    ways: list[dict[str, list[str]]] = [{}] if {} in listed or not names else []
    if {"apiKey", "apiSecret"} <= names:
        ways.append({"apiKey": [], "apiSecret": []})
    if "bearer" in names:
        ways.append({"bearer": []})
    operation["security"] = ways
