"""A lock on a directory that the kernel gives back when its holder dies."""

import fcntl
import os
from pathlib import Path

from runtime.embedded.child import EmbeddedError
from runtime.failures import WRONG_INPUT


class InUseError(EmbeddedError):
    """Another process holds the directory."""

    exit_code = WRONG_INPUT


class UnusableDirectoryError(EmbeddedError):
    """The directory cannot be made or written to."""

    exit_code = WRONG_INPUT


class DirectoryLock:
    """An exclusive lock held by one process; `subject` names what is locked in the refusal."""

    def __init__(self, path: Path, subject: str) -> None:
        self._path = path
        self._subject = subject
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; does nothing when this object holds it already.

        Raises:
            InUseError: another process holds it.
        """
        if self._descriptor is not None:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise InUseError(
                f"{self._subject} in {self._path.parent} is in use by process {holder}: "
                "stop that one first, or choose another --data-dir"
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
