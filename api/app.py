"""The API as an ASGI application."""

from functools import partial
from typing import Any, Final

from fastapi import FastAPI

from api import errors
from api.ingress import Ingress
from api.middleware import BodyLimit, RequestLog, WebhookBodies
from api.openapi import api_routes, describe
from api.rate_limits import AddressLimit
from api.routers import (
    activation,
    alert_channels,
    alerts,
    audit,
    auth,
    conflicts,
    connect,
    drift,
    health,
    inventory,
    invoices,
    keys,
    mappings,
    product_writes,
    providers,
    pushes,
    record_writes,
    records,
    retries,
    run_diffs,
    schedules,
    stores,
    syncs,
    webhook_events,
    webhooks,
)
from api.services import ApiServices
from api.woocommerce_sync import connection, exports, pulls, reports, webhook_test
from api.woocommerce_sync import pushes as woocommerce_pushes

__all__ = ["ApiServices", "create_app", "describe_api"]

ROUTERS: Final = (
    # Routes are tried one by one: first what is asked for most, on paths that nobody else has.
    records.router,
    # A test is no delivery: the path that takes those from any shop would take it too.
    webhook_test.router,
    # Before all others: nothing else may take what shops send, whatever its path says.
    webhooks.router,
    auth.router,
    keys.router,
    audit.router,
    connection.router,
    pulls.router,
    woocommerce_pushes.router,
    reports.router,
    exports.router,
    connect.router,
    stores.router,
    mappings.router,
    # Before the runs: their ids have slashes, and take what follows.
    run_diffs.router,
    syncs.router,
    schedules.router,
    drift.router,
    activation.router,
    record_writes.router,
    product_writes.router,
    inventory.router,
    invoices.router,
    providers.router,
    conflicts.router,
    alerts.router,
    alert_channels.router,
    retries.router,
    pushes.router,
    webhook_events.router,
    health.router,
)


def create_app(services: ApiServices) -> FastAPI:
    """Build the API. It opens nothing of its own: who made the services closes them.

    `app.state.ingress` has work under way after answers: close it before the services.
    """
    app = _with_routers(services.config.version)
    app.state.services = services
    app.state.ingress = ingress = Ingress(services)
    errors.install(app, tuple(api_routes(ROUTERS)))
    config = services.config
    app.add_middleware(
        BodyLimit,
        limit_bytes=config.request_limit_bytes,
        timeout_s=config.body_timeout_s,
        webhooks=WebhookBodies(config.webhook_limit_bytes, ingress.count_too_large),
    )
    app.add_middleware(
        AddressLimit, limits=services.limits, requests_per_minute=config.requests_per_minute
    )
    app.add_middleware(RequestLog, count=services.key_usage.count)
    app.openapi = partial(describe, app, ROUTERS)  # type: ignore[method-assign]
    return app


def describe_api(version: str) -> dict[str, Any]:
    """The OpenAPI document of the API, without anything that serves it."""
    return describe(_with_routers(version), ROUTERS)


def _with_routers(version: str) -> FastAPI:
    app = FastAPI(
        title="Entrepot",
        version=version,
        redirect_slashes=False,
        docs_url="/docs",
        redoc_url=None,
    )
    # As they are: included, each would be worked out anew by every application, when first asked.
    app.router.routes.extend(api_routes(ROUTERS))
    return app
