"""The API as an ASGI application."""

from functools import partial

from fastapi import FastAPI

from api import errors
from api.ingress import Ingress
from api.middleware import BodyLimit, RequestLog, WebhookBodies
from api.openapi import describe
from api.routers import (
    activation,
    alert_channels,
    alerts,
    conflicts,
    connect,
    drift,
    health,
    inventory,
    invoices,
    product_writes,
    providers,
    pushes,
    record_writes,
    records,
    retries,
    schedules,
    stores,
    syncs,
    webhook_events,
    webhooks,
)
from api.services import ApiServices

__all__ = ["ApiServices", "create_app"]


def create_app(services: ApiServices) -> FastAPI:
    """Build the API. It opens nothing of its own: who made the services closes them.

    `app.state.ingress` has work under way after answers: close it before the services.
    """
    app = FastAPI(
        title="Entrepot",
        version=services.config.version,
        redirect_slashes=False,
        docs_url="/docs",
        redoc_url=None,
    )
    app.state.services = services
    app.state.ingress = ingress = Ingress(services)
    for router in (
        # First: nothing else may take what shops send, whatever the code in its path says.
        webhooks.router,
        connect.router,
        stores.router,
        syncs.router,
        schedules.router,
        drift.router,
        activation.router,
        records.router,
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
    ):
        app.include_router(router)
    errors.install(app)
    config = services.config
    app.add_middleware(
        BodyLimit,
        limit_bytes=config.request_limit_bytes,
        timeout_s=config.body_timeout_s,
        webhooks=WebhookBodies(config.webhook_limit_bytes, ingress.count_too_large),
    )
    app.add_middleware(RequestLog)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    return app
