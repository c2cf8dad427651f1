"""The API as a process of its own: `python -m runtime.api_process`.

`--socket N` makes it serve on the listening socket N that its starter left open, so that requests
wait while it is being started again, where they would be refused.

It serves at once, whatever else is up: `GET /api/health` tells, and every other answer that cannot
be given is a problem with status 503.
"""

import asyncio
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
import uvicorn
from temporalio.client import Client

from api.app import ApiServices, create_app
from api.caching import AnswerCache
from api.config import ApiConfig, PeopleConfig
from api.limits import Limits
from api.temporal_mappings import TemporalMappingGateway
from db.processes import ProcessKind
from db.session import Database
from domain.ip_allow_list import spell_both_ways
from providers._kit.registry import Registry
from runtime.connections import connect_temporal
from runtime.default_store import keep_default_store
from runtime.default_store_settings import load_default_store
from runtime.listening import adopt, listen
from runtime.master_keys import secret_box
from runtime.people_settings import PeopleSettings
from runtime.process_reports import ProcessReports
from runtime.processes import run_process
from runtime.readiness import schema_problem, wait_until_ready
from runtime.release import answers_digest, release_version
from runtime.settings import Settings
from workflows.waking import LaneWaker

_log = structlog.get_logger("runtime.api_process")

_DESCRIPTOR = "--socket"
_NAME = "entrepot"
_GRACE_S = 8
_KEEP_ALIVE_S = 65  # longer than a proxy's 60, so that it is the proxy who closes
_LONGEST_HEAD_BYTES = 16 * 1024


def build_services(
    settings: Settings, client: Client, *, default_store_url: str | None = None
) -> ApiServices:
    """What the API works with. Opens no connection yet. Raises SettingsError."""
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.api_pool_size)
    secrets = secret_box(settings)
    shared = settings.redis_url.get_secret_value() if settings.redis_url else None
    return ApiServices(
        database=database,
        secrets=secrets,
        registry=Registry(extra_paths=settings.provider_paths),
        temporal=TemporalMappingGateway(client),
        waker=LaneWaker(database, client, ladder_s=settings.retry_ladder_s),
        config=ApiConfig(
            public_url=settings.public_url,
            shops_are_near=settings.allow_private_addresses,
            temporal_ui_url=settings.temporal_ui_url,
            namespace=client.namespace,
            environment=settings.environment,
            version=release_version(),
            ladder_s=settings.retry_ladder_s,
            request_limit_bytes=settings.max_request_bytes,
            webhook_limit_bytes=settings.max_webhook_bytes,
            people=people_config(settings),
            requests_per_minute=settings.requests_per_minute,
            cache_records_s=settings.cache_records_s,
            cache_analytics_s=settings.cache_analytics_s,
            cache_status_s=settings.cache_status_s,
            cache_connection_s=settings.cache_connection_s,
            default_store_url=default_store_url,
            default_tenant=settings.default_tenant,
        ),
        started_at=datetime.now(UTC),
        limits=Limits(shared),
        cache=AnswerCache(shared, secrets, release=answers_digest() if shared else ""),
        replica=_replica(settings),
    )


def _replica(settings: Settings) -> Database | None:
    if settings.reports_database_url is None:
        return None
    url = settings.reports_database_url.get_secret_value()
    return Database(url, pool_size=settings.api_pool_size, is_replica=True)


def people_config(settings: Settings) -> PeopleConfig:
    """What the API is told of people who log in."""
    told = settings.model_dump(include=set(PeopleSettings.model_fields), exclude={"token_issuer"})
    issuer = settings.token_issuer or settings.public_url or _NAME
    return PeopleConfig(token_issuer=issuer, **told)


async def serve_api(settings: Settings, stop: asyncio.Event, *, descriptor: int = 0) -> None:
    """Serve until `stop` is set, then finish the requests in flight. Raises ListenError."""
    bound = adopt(descriptor) if descriptor else listen(settings.host, settings.port)
    try:
        default_store = load_default_store()
        services = build_services(
            settings,
            await connect_temporal(lazy=True),
            default_store_url=default_store.site_url if default_store else None,
        )
        look = partial(schema_problem, services.database)
        telling = asyncio.create_task(wait_until_ready("the database", look, stop))
        reports = ProcessReports(services.database, ProcessKind.API)
        aside: list[asyncio.Task[Any]] = [telling, asyncio.create_task(reports.run())]
        if services.replica is not None:
            look = partial(schema_problem, services.replica)
            aside.append(asyncio.create_task(wait_until_ready("the replica", look, stop)))
        if default_store is not None:
            aside.append(asyncio.create_task(keep_default_store(services, default_store)))
        try:
            await _serve(services, bound, stop, settings.trusted_proxies)
        finally:
            await _end(aside)
            await reports.leave()
            await services.cache.close()
            await services.limits.close()
            if services.replica is not None:
                await services.replica.close()
            await services.database.close()
    finally:
        bound.close()


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


async def _serve(
    services: ApiServices,
    bound: socket.socket,
    stop: asyncio.Event,
    trusted_proxies: Sequence[str],
) -> None:
    app = create_app(services)
    services.key_usage.start(services.database)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            # Whom to believe X-Forwarded-For and -Proto; nobody, unless the settings say so.
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=spell_both_ways(trusted_proxies),
            # The parser that bounds a request's head; another would be taken if it were installed.
            http="h11",
            h11_max_incomplete_event_size=_LONGEST_HEAD_BYTES,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    try:
        await serving
    finally:
        await app.state.ingress.close()
        await services.key_usage.close(services.database)


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


def main(arguments: Sequence[str] = ()) -> int:
    """Serve until told to stop; returns the exit code."""
    given = dict(zip(arguments[::2], arguments[1::2], strict=False))
    descriptor = int(given.get(_DESCRIPTOR, "0"))
    return run_process("api", partial(serve_api, descriptor=descriptor))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
