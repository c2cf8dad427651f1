"""What is measured: a real PostgreSQL, a real Temporal, a shop and a worker, a process each.

They run as in production, in a directory that is gone afterwards, and talk over loopback and unix
sockets alone.
"""

import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg

from db.migrate import upgrade
from runtime.embedded.child import Program
from runtime.embedded.hub import child_environment
from runtime.embedded.postgres import APP_ROLE, OWNER_ROLE, EmbeddedPostgres
from runtime.embedded.programs import EmbeddedProgram
from runtime.embedded.temporal import EmbeddedTemporal
from runtime.failures import CommandError

WORKER: Final = ("runtime.worker_process",)


class BenchError(CommandError):
    """Something that is measured did not do what it should, so there are no figures."""


@dataclass(frozen=True, slots=True)
class BenchDatabase:
    """A database of its own, as each of the roles."""

    name: str
    owner_url: str
    app_url: str


@dataclass(frozen=True, slots=True)
class Rig:
    """The servers that every part of a bench shares."""

    directory: Path
    postgres: EmbeddedPostgres
    temporal: EmbeddedTemporal
    encryption_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    @property
    def pids(self) -> dict[str, int]:
        """The servers' process ids."""
        pids = {"postgres": self.postgres.pid, "temporal": self.temporal.pid}
        return {name: pid for name, pid in pids.items() if pid is not None}

    def write_back(self) -> None:
        """A checkpoint, so that what is measured next does not pay for what was before."""
        with psycopg.connect(self.postgres.superuser_url, autocommit=True) as connection:
            connection.execute("checkpoint")

    @contextmanager
    def database(self, name: str, *, migrated: bool = True) -> Iterator[BenchDatabase]:
        """An empty database, dropped at the end."""
        self.postgres.create_database(name)
        try:
            made = BenchDatabase(
                name, self.postgres.url(OWNER_ROLE, name), self.postgres.url(APP_ROLE, name)
            )
            if migrated:
                upgrade(made.owner_url, made.app_url)
            yield made
        finally:
            self.postgres.drop_database(name)

    def settings(self, database: BenchDatabase) -> dict[str, str]:
        """The environment of a process that works on `database`."""
        return {
            "ENTREPOT_ENVIRONMENT": "embedded",
            "ENTREPOT_DATABASE_URL": database.app_url,
            "ENTREPOT_MIGRATION_DATABASE_URL": "",
            "ENTREPOT_ENCRYPTION_KEY": self.encryption_key,
            "ENTREPOT_ALLOW_PRIVATE_ADDRESSES": "true",
            "TEMPORAL_ADDRESS": self.temporal.address,
        }

    @contextmanager
    def worker(
        self, database: BenchDatabase, *, module: tuple[str, ...] = WORKER, queues: str = ""
    ) -> Iterator[EmbeddedProgram]:
        """A fresh worker that takes work; `module` is what runs it, with its first arguments.

        It serves all task queues unless `queues` names some (separated by commas).
        """
        name = f"{database.name}-{queues.partition(',')[0]}"
        ready = self.directory / f"{name}.ready"
        worker = EmbeddedProgram(
            "worker",
            Program(
                argv=(sys.executable, "-m", *module, "--ready-file", str(ready)),
                log=self.directory / "logs" / f"worker-{name}.log",
                env=child_environment(
                    {**self.settings(database), "ENTREPOT_WORKER_QUEUES": queues}
                ),
                cwd=self.directory,
            ),
            is_ready=ready.exists,
        )
        with running(worker):
            yield worker


@contextmanager
def running(program: EmbeddedProgram) -> Iterator[None]:
    """Run a program for as long as the block lasts."""
    program.spawn()
    try:
        program.wait_ready()
        yield
    finally:
        program.stop()


def pid_of(program: EmbeddedProgram) -> int:
    """The id of a process that must run.

    Raises:
        BenchError: it ended.
    """
    if program.pid is None:
        raise BenchError(
            f"{program.name} ended with exit code {program.exit_code}: {_end_of(program.log)}"
        )
    return program.pid


@contextmanager
def start_rig() -> Iterator[Rig]:
    """The servers, in a directory of their own that is removed with them."""
    signal.signal(signal.SIGTERM, _leave)
    with tempfile.TemporaryDirectory(prefix="entrepot-bench-") as path:
        directory = Path(path)
        rig = Rig(
            directory, EmbeddedPostgres(directory), EmbeddedTemporal(directory, headless=True)
        )
        try:
            rig.postgres.start()
            rig.temporal.start()
            yield rig
        finally:
            rig.temporal.stop()
            rig.postgres.stop()


def _leave(number: int, _frame: object) -> None:
    """An exception, so that servers and files are cleared away."""
    sys.exit(128 + number)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2_000:]
