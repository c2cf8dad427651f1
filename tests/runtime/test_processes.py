import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest

from db.migrate import upgrade
from runtime.embedded.ports import choose_port
from runtime.embedded.postgres import EmbeddedPostgres
from tests.runtime.cli.processes import ROOT, eventually


@contextmanager
def running(command: str, variables: dict[str, str], log: Path) -> Iterator[None]:
    """A process of ours until SIGTERM."""
    environment = {**os.environ, **variables, "PYTHONPATH": str(ROOT)}
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "runtime.cli", command],
            cwd=log.parent,
            env=environment,
            stderr=stderr,
        )
        try:
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()


def said(log: Path, event: str) -> list[str]:
    """The reasons, or whatever is told, of this event's lines."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [str(line.get("reason", "")) for line in lines if line["event"] == event]


def processes(variables: dict[str, str]) -> list[tuple[str, str]]:
    """The processes that say that they run, with their queues."""
    with psycopg.connect(variables["ENTREPOT_DATABASE_URL"]) as connection:
        return connection.execute("select kind::text, queues::text from processes").fetchall()


@pytest.fixture
def empty_database(
    settings_env: dict[str, str], postgres: EmbeddedPostgres
) -> Iterator[dict[str, str]]:
    """A database without a schema, in the variables of a process."""
    name = f"test_{uuid4().hex[:16]}"
    postgres.create_database(name)
    yield {
        "ENTREPOT_DATABASE_URL": postgres.url("entrepot_app", name),
        "ENTREPOT_MIGRATION_DATABASE_URL": postgres.url("entrepot_owner", name),
    }
    postgres.drop_database(name)


def test_a_worker_waits_for_its_database_and_ends_in_order(
    empty_database: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with running("worker", empty_database, log):
        assert eventually(lambda: len(said(log, "waiting")) > 0)
        upgrade(empty_database["ENTREPOT_MIGRATION_DATABASE_URL"])
        assert eventually(lambda: len(said(log, "worker_ready")) == 1)
        assert processes(empty_database) == [("worker", "{interactive,events,pull,import}")]
    assert processes(empty_database) == []
    assert said(log, "waiting")[0] == "no migration has been applied: run `entrepot migrate`"


def test_the_api_serves_at_once_and_tells_what_is_missing(
    empty_database: dict[str, str], tmp_path: Path
) -> None:
    port = choose_port()
    log = tmp_path / "api.log"
    with (
        running("api", {**empty_database, "ENTREPOT_PORT": str(port)}, log),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        assert eventually(lambda: len(said(log, "api_ready")) == 1)
        health = client.get("/api/health")
        assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
        upgrade(empty_database["ENTREPOT_MIGRATION_DATABASE_URL"])
        # Nobody works off what the API takes in.
        assert eventually(lambda: client.get("/api/health").json()["status"] == "degraded")
        # A head that does not end is not waited for beyond 16 KiB.
        with socket.create_connection(("127.0.0.1", port), timeout=5) as endless:
            endless.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 17_000)
            assert endless.recv(100).startswith(b"HTTP/1.1 400 ")
