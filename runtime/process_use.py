"""What this process uses of the machine it runs on."""

import os
import resource
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

_BEGAN: Final = time.monotonic()
_SHORTEST_S: Final = 1.0
_STATM: Final = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """CPU seconds since the process began, and of one core since it was last asked; memory."""

    cpu_s: float
    cpu_percent: float
    memory_bytes: int
    peak_memory_bytes: int


class ProcessMeter:
    """Measures this process. What it says of the CPU is since it was last asked."""

    def __init__(self) -> None:
        self._at, self._cpu_s, self._percent = _BEGAN, 0.0, 0.0

    def read(self) -> ProcessUse:
        """Measure now."""
        at, cpu_s = time.monotonic(), time.process_time()
        if at - self._at >= _SHORTEST_S:  # less would be chance
            self._percent = 100 * (cpu_s - self._cpu_s) / (at - self._at)
            self._at, self._cpu_s = at, cpu_s
        peak = _peak_bytes()
        memory = _memory_bytes(peak)
        return ProcessUse(cpu_s, self._percent, memory, max(peak, memory))


def began_at() -> datetime:
    """When this process began, within what it took to load us."""
    return datetime.now(UTC) - timedelta(seconds=time.monotonic() - _BEGAN)


def _memory_bytes(otherwise: int) -> int:
    """What is resident now (proc(5)); where the system does not tell, the most there ever was."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return otherwise


def _peak_bytes() -> int:
    """getrusage(2) tells kilobytes, but bytes on macOS."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
