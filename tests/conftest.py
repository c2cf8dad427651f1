"""Real PostgreSQL and real Temporal for every test that asks for them.

Both start on first use and are shared by all xdist workers. A test module gets a database of its
own (a copy of the migrated template) and a Temporal namespace of its own, so modules never meet;
within a module, tests keep apart by making a new tenant each.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from db.migrate import upgrade
from runtime.embedded.postgres import OWNER_ROLE, EmbeddedPostgres
from runtime.search_attributes import register_search_attributes
from runtime.settings import Settings, load_settings
from tests.servers import (
    TEMPLATE,
    TestDatabase,
    environment,
    locked,
    new_database,
    shared_server,
)

# What takes longest, the longest first. Those that mostly wait for processes of their own stand
# between those that never wait.
_LONGEST = (
    "e2e/test_storm.py",
    "api/fuzzing/test_owner.py",
    "e2e/test_woocommerce_document.py",
    "api/fuzzing/test_owner_of_stores.py",
    "runtime/cli/test_embedded_hub.py",
    "e2e/test_kills.py",
    "api/fuzzing/",
    "e2e/",
    "workflows/",
    "bench/",
    "runtime/",
    "activities/",
    "api/",
    "db/",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with what takes longest where processes share the tests: none works on alone at last.

    They take whole files in this order (`--no-loadscope-reorder`); by themselves they would take
    the files with most tests first, and those with a single long one last.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    name = item.path.relative_to(Path(__file__).parent).as_posix()
    return next((n for n, one in enumerate(_LONGEST) if name.startswith(one)), len(_LONGEST))


@pytest.fixture(scope="session")
def shared_dir(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A directory that all test processes of this run see."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def postgres(shared_dir: Path) -> Iterator[EmbeddedPostgres]:
    """The shared PostgreSQL, with the template migrated; for making databases and URLs."""
    with shared_server("postgres", shared_dir):
        server = EmbeddedPostgres(shared_dir / "postgres")
        with locked(shared_dir / "template.lock"):
            done = shared_dir / "postgres" / "template.done"
            if not done.exists():
                server.drop_database(TEMPLATE)
                server.create_database(TEMPLATE)
                upgrade(server.url(OWNER_ROLE, TEMPLATE))
                done.touch()
        yield server


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[TestDatabase]:
    """A freshly migrated database for this module."""
    made = new_database(postgres)
    yield made
    postgres.drop_database(made.name)


@pytest.fixture(scope="module")
def owner_url(database: TestDatabase) -> str:
    """This module's database as the owner of its tables."""
    return database.owner_url


@pytest.fixture(scope="module")
def app_url(database: TestDatabase) -> str:
    """This module's database as the application role, under row-level security."""
    return database.app_url


@pytest.fixture(scope="session")
def temporal_address(shared_dir: Path) -> Iterator[str]:
    """The shared Temporal server's `host:port`."""
    with shared_server("temporal", shared_dir) as address:
        yield address


@pytest.fixture(scope="module")
def temporal_namespace(temporal_address: str) -> str:
    """A Temporal namespace for this module, with our search attributes."""
    name = f"test-{uuid4().hex[:16]}"
    asyncio.run(_register_namespace(temporal_address, name))
    return name


@pytest.fixture
async def temporal_client(temporal_address: str, temporal_namespace: str) -> Client:
    """A client of this module's namespace that speaks pydantic."""
    return await Client.connect(
        temporal_address, namespace=temporal_namespace, data_converter=pydantic_data_converter
    )


@pytest.fixture
def settings_env(
    monkeypatch: pytest.MonkeyPatch,
    database: TestDatabase,
    temporal_address: str,
    temporal_namespace: str,
) -> dict[str, str]:
    """The environment of a process that uses this module's servers; set here too.

    Hand it to subprocesses: `env={**os.environ, **settings_env}`.
    """
    variables = environment(database, temporal_address, temporal_namespace)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def settings(settings_env: dict[str, str]) -> Settings:
    """The settings as `settings_env` says."""
    return load_settings(env_file=None)


async def _register_namespace(address: str, name: str) -> None:
    client = await Client.connect(address, namespace=name)
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace=name, workflow_execution_retention_period=Duration(seconds=86_400)
        )
    )
    await register_search_attributes(client)
