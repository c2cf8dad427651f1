"""The API over real PostgreSQL, with Temporal played by a fake."""

import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Final

import httpx
import pytest

from api.app import create_app
from api.config import ApiConfig
from api.services import ApiServices
from db.crypto import SecretBox
from db.session import Database
from providers._kit.registry import Registry
from tests.api.fake_gateway import FakeGateway, FakeWaker
from tests.api.hub import Caller, Hub, answer_at_its_address
from tests.api.shared_servers import SharedServer
from tests.servers import TestDatabase

QUARTER_OF_AN_HOUR_S: Final = 900


@pytest.fixture(autouse=True)
def early_in_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits in memory count by the clock's minutes and quarters: none ends within a test."""
    shift = 1 - time.time() % QUARTER_OF_AN_HOUR_S
    clock = SimpleNamespace(time=lambda: time.time() + shift)
    monkeypatch.setattr("limits.aio.storage.memory.time", clock)
    monkeypatch.setattr("api.limits.time", clock)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """With a provider made for these tests, found in a folder as any other."""
    folder = tmp_path_factory.mktemp("shops")
    (folder / "testshop").mkdir()
    (folder / "testshop" / "__init__.py").write_text("from tests.api.testshop import PROVIDER\n")
    return Registry(extra_paths=[folder])


@pytest.fixture
def config() -> ApiConfig:
    """Overridden where a test wants another."""
    return ApiConfig(
        public_url="https://hub.example",
        temporal_ui_url="http://127.0.0.1:8233",
        environment="test",
        version="9.9.9",
        ladder_s=(0, 1),
        request_limit_bytes=20_000,
        check_timeout_s=3,
        body_timeout_s=0.5,
    )


@pytest.fixture
async def hub(
    app_url: str, owner_url: str, registry: Registry, config: ApiConfig
) -> AsyncIterator[Hub]:
    """A running API."""
    database, owner = Database(app_url, pool_size=4), Database(owner_url, pool_size=1)
    gateway, waker = FakeGateway(), FakeWaker()
    services = ApiServices(
        database=database,
        secrets=SecretBox([b"k" * 32]),
        registry=registry,
        temporal=gateway,
        waker=waker,
        config=config,
        started_at=datetime.now(UTC),
    )
    gateway.verdict = partial(answer_at_its_address, services)
    app = create_app(services)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.internal") as http:
        yield Hub(services, gateway, waker, http, owner)
    await app.state.ingress.close()
    await database.close()
    await owner.close()


@pytest.fixture
async def caller(hub: Hub) -> Caller:
    """A new tenant with a key that may do everything."""
    return await hub.new_caller()


@pytest.fixture
def superuser_url(database: TestDatabase) -> str:
    """The database as one who sees every row."""
    return database.superuser_url


@pytest.fixture(scope="session")
def shared_server() -> Iterator[SharedServer]:
    """A Valkey server for all tests that share it; who kills one starts another."""
    with SharedServer() as server:
        yield server
