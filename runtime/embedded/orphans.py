"""Ends PostgreSQL processes that outlived the process that looked after them.

After a `kill -9` of the postmaster, a backend that is busy in a statement goes on and holds the
shared memory; a new postmaster refuses to start beside it. They are found by their working
directory, which PostgreSQL sets to the cluster's (`ChangeToDataDir`).
"""

import os
import signal
from pathlib import Path

from runtime.embedded.child import EmbeddedError, wait_until

_PATIENCE_S = 10.0


def end_orphans(cluster: Path) -> None:
    """End every process that works in `cluster`; only for a caller who holds its lock.

    Raises:
        EmbeddedError: one of them does not end.
    """
    for stop_signal in (signal.SIGQUIT, signal.SIGKILL):
        found = _processes_in(cluster)
        for pid in found:
            _signal(pid, stop_signal)
        if not found or wait_until(lambda: not _processes_in(cluster), _PATIENCE_S / 2):
            return
    raise EmbeddedError(f"processes {_processes_in(cluster)} still use {cluster}: end them")


def _processes_in(cluster: Path) -> list[int]:
    """The processes whose working directory is `cluster`; none where there is no /proc."""
    target = os.path.realpath(cluster)
    return [int(entry) for entry in _pids() if _working_directory(entry) == target]


def _pids() -> list[str]:
    proc = Path("/proc")
    return [entry.name for entry in proc.iterdir() if entry.name.isdigit()] if proc.is_dir() else []


def _working_directory(pid: str) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:  # it ended, or is not ours to look at
        return None


def _signal(pid: int, stop_signal: signal.Signals) -> None:
    try:
        os.kill(pid, stop_signal)
    except ProcessLookupError:
        return
