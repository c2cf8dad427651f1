"""The API over real PostgreSQL, open to schemathesis, with two tenants that have everything."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial

import pytest
from schemathesis.python.asgi import shutdown_lifespans

from api.config import ApiConfig, PeopleConfig
from api.services import ApiServices
from db.crypto import SecretBox
from db.session import Database
from providers._kit.registry import Registry
from tests.api.fake_gateway import FakeGateway
from tests.api.fuzzing.planted import Two, plant_two
from tests.api.fuzzing.served import DoneAtOnce, ServedApi, found_a_record
from tests.api.hub import Hub
from workflows.models import DemandResult

MANY = 1_000_000


@pytest.fixture
def config() -> ApiConfig:
    """Nobody is told to wait."""
    return ApiConfig(
        public_url="https://hub.example",
        environment="test",
        check_timeout_s=3,
        requests_per_minute=MANY,
        people=PeopleConfig(
            failed_keys=MANY,
            failed_logins_per_account=MANY,
            failed_logins_per_address=MANY,
            access_token_s=3_600,
        ),
    )


@pytest.fixture
async def two(hub: Hub) -> AsyncIterator[Two]:
    """The caller's tenant, and another, which is as it was at the end."""
    planted = await plant_two(hub)
    before = await planted.strangers.shown()
    yield planted
    assert await planted.strangers.shown() == before


@pytest.fixture
def served(app_url: str, registry: Registry, config: ApiConfig) -> Iterator[ServedApi]:
    """The API, on the loop of whoever calls it."""

    def open_services() -> ApiServices:
        database = Database(app_url, pool_size=4)
        gateway = FakeGateway(demanded=DemandResult())
        gateway.try_mapping = partial(found_a_record, database)
        return ApiServices(
            database=database,
            secrets=SecretBox([b"k" * 32]),
            registry=registry,
            temporal=gateway,
            waker=DoneAtOnce(database),
            config=config,
            started_at=datetime.now(UTC),
        )

    yield ServedApi(open_services)
    shutdown_lifespans()
