"""`entrepot` as a process of its own, as people run it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
_PATIENCE_S = 180.0


def environment() -> dict[str, str]:
    """This process's, without what leads to other servers."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ENTREPOT_", "TEMPORAL_"))
    }
    return {**kept, "PYTHONPATH": str(ROOT)}


def run_cli(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "runtime.cli", *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )


@dataclass
class Running:
    """A running `entrepot up`."""

    process: "subprocess.Popen[str]"
    data_dir: Path
    ready_line: str
    connection: dict[str, str]

    def children(self) -> dict[str, int]:
        """The process id of each part, by a word of its command line (Linux)."""
        words = (
            "temporal",
            "worker.ready",
            "events.ready",
            "api_process",
            "sandbox_process",
            "postgres",
        )
        found = {}
        for pid in _children(self.process.pid):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
            found[next(word for word in words if f"{word} " in f"{command} ")] = pid
        return found


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in listed for child in path.read_text().split()]


@contextmanager
def running_up(data_dir: Path, options: Sequence[str] = ()) -> Iterator[Running]:
    """`entrepot up` until the block ends."""
    errors = data_dir.with_suffix(".err")
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "runtime.cli", "up", "--data-dir", str(data_dir), *options],
            cwd=data_dir.parent,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        assert process.stdout is not None
        try:
            ready_line = process.stdout.readline()
            assert ready_line, errors.read_text()
            connection: dict[str, Any] = json.loads((data_dir / "connection.json").read_text())
            yield Running(process, data_dir, ready_line, connection)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(_PATIENCE_S)
            process.stdout.close()


def eventually(is_so: Callable[[], bool]) -> bool:
    """Whether it becomes so before patience ends."""
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
