"""The servers that are loaded: the API and the floors beneath it, each a process of its own."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from bench.processes import cpu_seconds
from bench.rig import BenchDatabase, Rig, pid_of, running
from bench.webhook_load import Load, send_for
from runtime.embedded.child import Program
from runtime.embedded.hub import child_environment
from runtime.embedded.ports import choose_port
from runtime.embedded.programs import EmbeddedProgram

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Server:
    """Something that answers requests, and its process."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Served:
    """A load, and the CPU time that its server used, of PostgreSQL apart."""

    load: Load
    cpu_s: float

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU time for a request."""
        return 1e6 * self.cpu_s / len(self.load.latencies_s)


@contextmanager
def serving_api(rig: Rig, database: BenchDatabase, **settings: str) -> Iterator[Server]:
    """The API; `settings` are environment variables beside the rig's."""
    port = choose_port()
    log = rig.directory / "logs" / f"api-{database.name}.log"
    environment = {**rig.settings(database), "ENTREPOT_PORT": str(port), **settings}
    with _serving(("runtime.api_process",), port, log, environment, lambda: _is_up(log)) as server:
        yield server


@contextmanager
def serving_floor(rig: Rig, module: str, url: str) -> Iterator[Server]:
    """A floor: a module that takes a database's URL, a port and the file that says it is ready."""
    port, ready = choose_port(), rig.directory / "floor.ready"
    log = rig.directory / "logs" / "floor.log"
    with _serving((module, url, str(port), str(ready)), port, log, {}, ready.exists) as server:
        yield server


@contextmanager
def _serving(
    words: Sequence[str],
    port: int,
    log: Path,
    settings: dict[str, str],
    is_ready: Callable[[], bool],
) -> Iterator[Server]:
    log.unlink(missing_ok=True)
    program = EmbeddedProgram(
        words[0],
        Program(
            argv=(sys.executable, "-m", *words),
            log=log,
            env=child_environment(settings),
            cwd=log.parent,
        ),
        is_ready=is_ready,
    )
    with running(program):
        yield Server(f"http://127.0.0.1:{port}", pid_of(program))


def _is_up(log: Path) -> bool:
    return log.exists() and "api_ready" in log.read_text()


def load_server(
    server: Server, requests: Iterator[bytes], *, seconds: float, connections: int
) -> Served:
    """Send requests for so long and see what the server needed for them."""
    before = cpu_seconds(server.pid)
    load = run(send_for(server.url, requests, seconds=seconds, connections=connections))
    return Served(load, cpu_seconds(server.pid) - before)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)
