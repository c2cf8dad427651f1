"""The API's description: what FastAPI finds out, and the problems that every route may answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import MEDIA_TYPE, Problem
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
Every request carries `X-API-Key` and `X-API-Secret`. Errors are problem details (RFC 9457).
Lists take `limit` (up to 500) and `cursor`, and answer `{data, nextCursor}`. A POST may carry an
`Idempotency-Key`: sent again within 24 hours with the same body, it is answered the same and done
once. Amounts and quantities are decimal strings, times are UTC.
"""
_PROBLEM = {"$ref": "#/components/responses/Problem"}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _with_problems(
            get_openapi(
                title=app.title,
                version=app.version,
                description=_DESCRIPTION.strip(),
                routes=app.routes,
                tags=TAGS,
            )
        )
    return app.openapi_schema


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    components = document["components"]
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"] |= schema.pop("$defs")
    components["schemas"]["Problem"] = schema
    components["schemas"].pop("HTTPValidationError", None)
    components["schemas"].pop("ValidationError", None)
    components["responses"] = {
        "Problem": {
            "description": "A problem (RFC 9457)",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    }
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _PROBLEM
            _join_key_and_secret(operation)
    return document


def _join_key_and_secret(operation: dict[str, Any]) -> None:
    """Both headers together, where FastAPI lists one or the other."""
    listed = operation.get("security", [])
    both = {name: scopes for one in listed for name, scopes in one.items()}
    operation["security"] = [{}, both] if {} in listed else [both]
