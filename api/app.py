"""The API as an ASGI application."""

from functools import partial

from fastapi import FastAPI

from api import errors
from api.middleware import BodyLimit, RequestLog
from api.openapi import describe
from api.routers import health, providers, records, stores, syncs
from api.services import ApiServices

__all__ = ["ApiServices", "create_app"]


def create_app(services: ApiServices) -> FastAPI:
    """Build the API. It opens nothing of its own: who made the services closes them."""
    app = FastAPI(
        title="Entrepot",
        version=services.config.version,
        redirect_slashes=False,
        docs_url="/docs",
        redoc_url=None,
    )
    app.state.services = services
    for router in (
        stores.router,
        syncs.router,
        records.router,
        providers.router,
        health.router,
    ):
        app.include_router(router)
    errors.install(app)
    config = services.config
    app.add_middleware(
        BodyLimit, limit_bytes=config.request_limit_bytes, timeout_s=config.body_timeout_s
    )
    app.add_middleware(RequestLog)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    return app
