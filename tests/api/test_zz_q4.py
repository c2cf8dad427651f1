import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import pytest
from schemathesis.python.asgi import shutdown_lifespans

from api.config import ApiConfig, PeopleConfig
from api.services import ApiServices
from db.crypto import SecretBox
from db.session import Database
from providers._kit.registry import Registry
from tests.api.fake_gateway import FakeGateway, FakeWaker
from tests.api.hub import Caller, Hub
from tests.api.planted import MARK, count_from, plant
from tests.api.schema_ids import RealIds
from tests.api.schema_run import configuration, run
from tests.api.served_api import DoneAtOnce, ServedApi, found_a_record
from workflows.models import DemandResult


@pytest.fixture
def config() -> ApiConfig:
    return ApiConfig(
        public_url="https://hub.example",
        temporal_ui_url="http://127.0.0.1:8233",
        environment="test",
        version="9.9.9",
        ladder_s=(0, 1),
        check_timeout_s=3,
        requests_per_minute=1_000_000,
        people=PeopleConfig(
            failed_keys=1_000_000,
            failed_logins_per_account=1_000_000,
            failed_logins_per_address=1_000_000,
        ),
    )


@pytest.fixture
def served(app_url: str, registry: Registry, config: ApiConfig) -> Iterator[ServedApi]:
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


@pytest.fixture
async def planted(hub: Hub):
    await count_from(hub.owner, 9_900_000_000)
    caller = await hub.new_caller()
    await count_from(hub.owner, 4_100_000)
    own = await plant(hub, caller, "ownword")
    await count_from(hub.owner, 7_700_000_000)
    return own, await plant(hub, await hub.new_caller(), MARK)


def test_owner(served, planted) -> None:
    own, strangers = planted
    import os
    phases = os.environ.get("PH", "examples,coverage,fuzzing").split(",")
    began = time.time()
    found = run(real=RealIds(own, strangers), app=served, config=configuration(own.caller.headers, own, strangers, phases={p: {"enabled": p in phases, **({"extra-data-sources": {"responses": False}} if p != "stateful" else {})} for p in ("examples", "coverage", "fuzzing", "stateful")}))
    with open("/tmp/q4-fuzz.txt", "w") as f:
        print(time.time() - began, found.statuses, len(found.operations), file=f)
        for k, v in sorted(found.failures.items()):
            print("=====", k, "\n", v[:700], file=f)
    assert not found.failures
