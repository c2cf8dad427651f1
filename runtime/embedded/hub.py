"""The whole hub in one data directory: PostgreSQL, Temporal, worker and API as one group."""

import asyncio
import json
import os
import socket
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from runtime.default_store_settings import load_default_store, load_logged_providers
from runtime.embedded.child import EmbeddedError, Program
from runtime.embedded.connection import CONNECTION_FILE, Connection
from runtime.embedded.keys import ensure_key_file
from runtime.embedded.locks import DirectoryLock, UnusableDirectoryError
from runtime.embedded.memory import Memory
from runtime.embedded.ports import HOST, choose_port
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.programs import EmbeddedProgram
from runtime.embedded.supervisor import Service, Supervisor
from runtime.embedded.temporal import EmbeddedTemporal
from runtime.later import later
from runtime.listening import listen, listen_near
from runtime.settings import PREFIX, load_settings
from workflows.task_queues import TaskQueue

API_PORT: Final = 4000
TEMPORAL_UI_PORT: Final = 8233

# Webhooks and pushes do not wait for a large import to hand over the interpreter.
_WORKERS: Final = {
    "worker": (TaskQueue.PULL, TaskQueue.IMPORT),
    "events": (TaskQueue.INTERACTIVE, TaskQueue.EVENTS),
}

_SOURCES: Final = Path(__file__).parents[2]
_EVERYWHERE: Final = frozenset(("0.0.0.0", "::", HOST, "localhost"))  # noqa: S104 - compared with


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOptions:
    """What to run.

    Attributes:
        data_dir: where everything is kept; made when missing.
        port: where the API listens; None takes the last one, else 4000, else a free one.
        temporal_ui_port: the same for the Temporal UI, 8233.
        settings: settings (by field) that win over the environment.
        is_public_here: whether shops on this machine are told the API's own address, where no
            public URL is configured.
    """

    data_dir: Path
    port: int | None = None
    temporal_ui_port: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    is_public_here: bool = False


class EmbeddedHub:
    """One hub in one data directory.

    Raises:
        InUseError: from `take`, when another process runs it.
        UnusableDirectoryError: from `take`, when files cannot be written there.
        EmbeddedError: from `start`, when a part does not come up.
        ListenError: from `start`, when a port that was asked for is in use.
        SettingsError: from `start`, when a setting of the environment is wrong.
    """

    def __init__(self, options: HubOptions) -> None:
        self._options = options
        self.data_dir = options.data_dir.absolute()
        self._lock = DirectoryLock(self.data_dir / "hub.lock", "the hub")
        self._postgres = EmbeddedPostgres(self.data_dir)
        self._memory = Memory()
        self._socket: socket.socket | None = None

    def take(self) -> None:
        """Take the directory, so that no other process runs this hub."""
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except OSError as error:
            raise UnusableDirectoryError(
                f"{self.data_dir} cannot be used ({error.strerror}): choose another --data-dir"
            ) from None
        (self.data_dir / ".gitignore").write_text("*\n")  # it holds keys and people's data
        # Whoever waits for the file waits for this run, not for what is left of the last one.
        self._connection_file.unlink(missing_ok=True)
        self._memory = Memory.load(self.data_dir)

    @property
    def _connection_file(self) -> Path:
        return self.data_dir / CONNECTION_FILE

    async def start(self, group: Supervisor, *others: Service) -> Connection:
        """Start everything (and `others` beside it); returns when all of it serves."""
        known = load_settings(given=self._settings(API_PORT))
        # Here, where a person reads what is wrong: the processes would tell their logs alone.
        load_default_store()
        load_logged_providers()
        host = known.host
        self._socket = self._listen(host)
        port = int(self._socket.getsockname()[1])
        given = self._settings(port)
        if self._options.is_public_here and known.public_url is None:
            given["public_url"] = _url(host, port)
        temporal = self._temporal()
        try:
            async with asyncio.TaskGroup() as tasks:
                key = tasks.create_task(self._start_database(group))
                tasks.create_task(_start(group, others))
                tasks.create_task(self._start_programs(group, temporal, given, self._socket))
        except BaseExceptionGroup as failures:
            if (ours := failures.subgroup(EmbeddedError)) is not None:
                raise _first(ours) from None
            raise
        api_key, api_secret = key.result()
        connection = Connection(
            api_url=_url(host, port),
            temporal_address=temporal.address,
            temporal_ui_url=temporal.ui_url,
            database_url=self._postgres.app_url,
            api_key=api_key,
            api_secret=api_secret,
        )
        self._remember(connection, port)
        connection.save(self.data_dir)
        return connection

    def release(self) -> None:
        """Give the directory back. `connection.json` is there while the hub runs."""
        if self._socket is not None:
            self._socket.close()
        self._connection_file.unlink(missing_ok=True)
        self._lock.release()

    def _listen(self, host: str) -> socket.socket:
        """The API's socket is ours, so that requests wait while the API is started again."""
        if self._options.port:
            return listen(host, self._options.port)
        preferred = self._memory.api_port or API_PORT
        return listen_near(host, choose_port() if self._options.port == 0 else preferred)

    def _settings(self, port: int) -> dict[str, str]:
        return {
            **self._options.settings,
            "environment": "embedded",
            "data_dir": str(self.data_dir),
            "database_url": self._postgres.app_url,
            "port": str(port),
            "encryption_key_file": str(ensure_key_file(self.data_dir)),
        }

    def _temporal(self) -> EmbeddedTemporal:
        asked = self._options.temporal_ui_port
        if asked:
            listen(HOST, asked).close()
        preferred = self._memory.temporal_ui_port or TEMPORAL_UI_PORT
        return EmbeddedTemporal(
            self.data_dir,
            port=self._memory.temporal_port,
            ui_port=None if asked == 0 else asked or preferred,
        )

    async def _start_database(self, group: Supervisor) -> tuple[str, str]:
        """What prepares the database is loaded while the server starts."""
        prepare = later("runtime.embedded.database:prepare_database")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.to_thread(prepare.load))
            tasks.create_task(_start(group, (self._postgres,)))
        key: tuple[str, str] = await asyncio.to_thread(
            prepare,
            *(self._postgres.owner_url, self._postgres.app_url),
            key=self._memory.api_key,
            secret=self._memory.api_secret,
        )
        return key

    async def _start_programs(
        self,
        group: Supervisor,
        temporal: EmbeddedTemporal,
        given: Mapping[str, str],
        bound: socket.socket,
    ) -> None:
        """They wait for the database by themselves, so it comes up while they load."""
        await group.start(temporal)
        variables = {f"{PREFIX}{name.upper()}": value for name, value in given.items()}
        variables[f"{PREFIX}TEMPORAL_UI_URL"] = temporal.ui_url or ""
        variables[f"{PREFIX}MIGRATION_DATABASE_URL"] = ""  # they are not to change the schema
        variables["TEMPORAL_ADDRESS"] = temporal.address
        environment = child_environment(variables)
        await group.start(
            *(self._worker(name, queues, environment) for name, queues in _WORKERS.items()),
            self._api(environment, bound),
        )

    def _worker(
        self, name: str, queues: Sequence[TaskQueue], environment: Mapping[str, str]
    ) -> EmbeddedProgram:
        ready = self.data_dir / f"{name}.ready"
        argv = ("-m", "runtime.worker_process", "--ready-file", str(ready))
        served = {f"{PREFIX}WORKER_QUEUES": ",".join(queue.value for queue in queues)}
        worker = EmbeddedProgram(
            name,
            self._program(name, argv, {**environment, **served}),
            is_ready=lambda: ready.exists() and ready.read_text().strip() == str(worker.pid),
        )
        return worker

    def _api(self, environment: Mapping[str, str], bound: socket.socket) -> EmbeddedProgram:
        descriptor = bound.fileno()
        argv = ("-m", "runtime.api_process", "--socket", str(descriptor))
        program = replace(self._program("api", argv, environment), inherited=(descriptor,))
        host, port = bound.getsockname()[:2]
        url = f"{_url(host, port)}/api/health"
        return EmbeddedProgram("api", program, is_ready=lambda: _is_healthy(url))

    def _program(
        self, name: str, arguments: tuple[str, ...], environment: Mapping[str, str]
    ) -> Program:
        return Program(
            argv=(sys.executable, *arguments),
            log=self.data_dir / "logs" / f"{name}.log",
            env=environment,
            cwd=self.data_dir,
        )

    def _remember(self, connection: Connection, port: int) -> None:
        """Written when all is up, so that a run that failed is not a habit."""
        ui_url = connection.temporal_ui_url
        Memory(
            api_port=port,
            temporal_port=_port_of(connection.temporal_address),
            temporal_ui_port=_port_of(ui_url) if ui_url else None,
            api_key=connection.api_key,
            api_secret=connection.api_secret,
        ).save(self.data_dir)


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of our own programs: what this process was told, and `variables` above it.

    Without `TEMPORAL_*` of outside: those lead to another server.
    """
    inherited = {
        name: value
        for name, value in (dotenv_values(".env") | os.environ).items()
        if value is not None and not name.startswith("TEMPORAL_")
    }
    path = os.pathsep.join(filter(None, (str(_SOURCES), inherited.get("PYTHONPATH", ""))))
    return {**inherited, **variables, "PYTHONPATH": path}


async def _start(group: Supervisor, services: tuple[Service, ...]) -> None:
    await group.start(*services)


def _first(failures: BaseExceptionGroup[EmbeddedError]) -> EmbeddedError:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _url(host: str, port: int) -> str:
    if host in _EVERYWHERE:
        host = HOST
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def _is_healthy(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(json.load(answer)["status"] == "healthy")
    except (OSError, ValueError, KeyError):
        return False
