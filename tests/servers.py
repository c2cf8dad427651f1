"""The servers that all test processes share, each started by whoever needs it first."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from runtime.embedded.postgres import APP_ROLE, OWNER_ROLE, EmbeddedPostgres

_KEEPER = Path(__file__).with_name("keeper.py")
_START_TIMEOUT_S = 60.0
TEMPLATE = "entrepot_template"


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A migrated database of its own, as each of the roles."""

    __test__ = False

    name: str
    owner_url: str
    app_url: str
    superuser_url: str


@contextmanager
def shared_server(kind: str, directory: Path) -> Iterator[str]:
    """Hold the shared server of this kind; yields its address (empty for PostgreSQL)."""
    with (directory / f"{kind}.users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with locked(directory / f"{kind}.start"):
            notice = _read_notice(directory / f"{kind}.json") or _start(kind, directory)
        if "error" in notice:
            raise RuntimeError(notice["error"])
        yield notice["address"]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def new_database(server: EmbeddedPostgres) -> TestDatabase:
    """A copy of the migrated template."""
    name = f"test_{uuid4().hex[:16]}"
    server.create_database(name, template=TEMPLATE)
    return TestDatabase(
        name=name,
        owner_url=server.url(OWNER_ROLE, name),
        app_url=server.url(APP_ROLE, name),
        superuser_url=server.url("postgres", name),
    )


def environment(
    database: TestDatabase, temporal_address: str, temporal_namespace: str
) -> dict[str, str]:
    """The variables of a process that uses these servers."""
    return {
        "ENTREPOT_DATABASE_URL": database.app_url,
        "ENTREPOT_MIGRATION_DATABASE_URL": database.owner_url,
        "ENTREPOT_ENCRYPTION_KEY": "5a" * 32,
        "ENTREPOT_ALLOW_PRIVATE_ADDRESSES": "true",
        "ENTREPOT_RETRY_LADDER_S": "0,1,1",
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_NAMESPACE": temporal_namespace,
    }


def _start(kind: str, directory: Path) -> dict[str, str]:
    with (directory / f"{kind}.log").open("w") as log:
        subprocess.run(
            [sys.executable, str(_KEEPER), kind, str(directory)],
            cwd=_KEEPER.parent.parent,
            env=_environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=True,
        )
    deadline = time.monotonic() + _START_TIMEOUT_S
    while (notice := _read_notice(directory / f"{kind}.json")) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{kind} did not start: see {directory / f'{kind}.log'}")
        time.sleep(0.01)
    return notice


def _read_notice(path: Path) -> dict[str, str] | None:
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        return None


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(_KEEPER.parent.parent)}
