"""One child process: started with a log file, stopped in order, never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runtime.failures import CommandError

_LAUNCHER = Path(__file__).with_name("launch.py")
_LOG_LIMIT_BYTES = 16 * 1024 * 1024
_POLL_S = 0.01


class EmbeddedError(CommandError):
    """A part that runs embedded cannot start or stay up. The message says where to look."""


@dataclass(frozen=True, slots=True)
class Account:
    """The system user a program runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run. `inherited` are descriptors of ours that stay open in it.

    `stop_signals` are sent one after the other, each with its seconds to comply, then SIGKILL.
    The first of them is also what the program gets when its starter dies without a word (Linux).
    """

    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    account: Account | None = None
    inherited: tuple[int, ...] = ()
    stop_signals: tuple[tuple[signal.Signals, float], ...] = field(
        default=((signal.SIGTERM, 10.0),)
    )


class Child:
    """A running `Program`, in a session of its own so that Ctrl-C reaches only its starter.

    Start it from a thread that lives as long as the child should: Linux sends the parent-death
    signal when that thread ends, not the process (prctl(2)).
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._is_over = False
        _make_room(program.log)
        account = program.account
        launch = (
            *(sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid())),
            str(int(program.stop_signals[0][0])),
            *(str(account.uid if account else -1), str(account.gid if account else -1)),
        )
        with program.log.open("ab") as log:
            self._process = subprocess.Popen(
                launch + program.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=program.env,
                cwd=program.cwd,
                pass_fds=program.inherited,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id; it stays the same from start to end."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs."""
        return self._process.poll()

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.exit_code is None

    def stop(self) -> None:
        """Stop it, first politely; returns when it and its process group are gone."""
        for stop_signal, patience_s in self._program.stop_signals:
            if self._process.poll() is not None:
                break
            self._process.send_signal(stop_signal)
            try:
                self._process.wait(patience_s)
            except subprocess.TimeoutExpired:
                continue
        self.kill()

    def kill(self) -> None:
        """End it and what it started, at once; a second call does nothing (ids are used again)."""
        if self._is_over:
            return
        self._is_over = True
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # gone; macOS says so with EPERM
            self._process.poll()
        self._process.wait()


class Restartable:
    """Something that runs as one child at a time, and again after that one died."""

    _child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child and self._child.is_alive() else None

    @property
    def exit_code(self) -> int | None:
        """How the last run ended, None while it runs."""
        return self._child.exit_code if self._child else None

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.pid is not None


def wait_until(ready: Callable[[], bool], timeout_s: float) -> bool:
    """Ask `ready` until it says yes; False when `timeout_s` is over first."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _make_room(log: Path) -> None:
    """Keep one old log beside the current one, so that restarts do not fill the disk."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".1.log"))
