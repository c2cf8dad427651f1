"""The API as a process of its own: `python -m runtime.api_process`.

It serves at once, whatever else is up: `GET /api/health` tells, and every other answer that cannot
be given is a problem with status 503.
"""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import structlog
import uvicorn
from temporalio.client import Client

from api.app import ApiServices, create_app
from api.config import ApiConfig
from api.temporal import TemporalGateway
from db.crypto import SecretBox
from db.session import Database
from providers._kit.registry import Registry
from runtime.connections import connect_temporal
from runtime.processes import StartError, run_process
from runtime.readiness import schema_problem, wait_until_ready
from runtime.settings import Settings

_log = structlog.get_logger("runtime.api_process")

_GRACE_S = 10
_KEEP_ALIVE_S = 65  # longer than a proxy's 60, so that it is the proxy who closes
_BACKLOG = 2_048


def build_services(settings: Settings, client: Client) -> ApiServices:
    """What the API works with. Opens no connection yet. Raises SettingsError."""
    return ApiServices(
        database=Database(
            settings.database_url.get_secret_value(), pool_size=settings.api_pool_size
        ),
        secrets=SecretBox(settings.encryption_ring()),
        registry=Registry(),
        temporal=TemporalGateway(client),
        config=ApiConfig(
            public_url=settings.public_url,
            temporal_ui_url=settings.temporal_ui_url,
            namespace=client.namespace,
            environment=settings.environment,
            version=_version(),
            ladder_s=settings.retry_ladder_s,
            request_limit_bytes=settings.max_request_bytes,
        ),
        started_at=datetime.now(UTC),
    )


async def serve_api(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, then finish the requests in flight."""
    bound = listen(settings.host, settings.port)
    try:
        services = build_services(settings, await connect_temporal(lazy=True))
        look = partial(schema_problem, services.database)
        telling = asyncio.create_task(wait_until_ready("the database", look, stop))
        try:
            await _serve(services, bound, stop)
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
            await services.database.close()
    finally:
        bound.close()


async def _serve(services: ApiServices, bound: socket.socket, stop: asyncio.Event) -> None:
    server = _Server(
        uvicorn.Config(
            create_app(services),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `runtime.processes`, so that what comes after serving still runs."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        await super().startup(sockets=sockets)
        for bound in sockets or ():
            host, port = bound.getsockname()[:2]
            _log.info("api_ready", host=host, port=port)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket.

    Raises:
        StartError: the port is taken, or the host is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise StartError(
            f"cannot listen on {host} port {port} ({error.strerror}): "
            "set ENTREPOT_HOST and ENTREPOT_PORT to an address that is free"
        ) from None
    return bound


def _version() -> str:
    try:
        return version("entrepot")
    except PackageNotFoundError:  # run from a clone that was not installed
        return ApiConfig.model_fields["version"].default  # type: ignore[no-any-return]


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    return run_process("api", serve_api)


if __name__ == "__main__":
    sys.exit(main())
