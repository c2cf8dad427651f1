"""A program of our own (worker, API, sandbox) as a service for the supervisor."""

from collections.abc import Callable
from pathlib import Path

from runtime.embedded.child import Child, EmbeddedError, Program, Restartable, wait_until

_READY_TIMEOUT_S = 60.0


class EmbeddedProgram(Restartable):
    """One program; ready when `is_ready` says so.

    Args:
        name: what people call it; names the log file's service in messages.
        program: how to run it.
        is_ready: asked until it is true; a program without it is ready when it runs.
    """

    def __init__(
        self, name: str, program: Program, *, is_ready: Callable[[], bool] = lambda: True
    ) -> None:
        self.name = name
        self.log: Path = program.log
        self._program = program
        self._is_ready = is_ready

    def prepare(self) -> None:
        """End what the last run may have left in its process group."""
        self.stop()

    def spawn(self) -> None:
        """Start it; call from the thread that will live as long as it."""
        self._child = Child(self._program)

    def wait_ready(self) -> None:
        """Wait until it serves.

        Raises:
            EmbeddedError: it ended, or is not ready in time.
        """
        child = self._child
        if child is None:
            raise EmbeddedError(f"{self.name} was not started")
        wait_until(lambda: not child.is_alive() or self._is_ready(), _READY_TIMEOUT_S)
        if not child.is_alive():
            raise EmbeddedError(
                f"{self.name} ended with exit code {child.exit_code}: see {self.log}"
            )
        if not self._is_ready():
            raise EmbeddedError(
                f"{self.name} is not ready after {_READY_TIMEOUT_S:.0f} s: see {self.log}"
            )

    def stop(self) -> None:
        """End it, politely first; does nothing when it never ran."""
        if self._child is not None:
            self._child.stop()
