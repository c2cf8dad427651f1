"""What processes use, as the Linux kernel counts it: CPU seconds and peak memory (proc(5))."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_LOOKS: Final = 200
_LOOK_AGAIN_S: Final = 0.005
# Of the fields behind the name in `/proc/PID/stat`: utime, stime, and those of ended children.
_CPU_FIELDS: Final = slice(11, 15)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and everything it started, whether that still runs or not.

    Raises:
        RuntimeError: there is no such process, or what it starts never stands still.
    """
    for _ in range(_LOOKS):
        family = [pid, *_descendants(pid)]
        try:
            ticks = sum(_ticks(one) for one in family)
        except (FileNotFoundError, ProcessLookupError):
            ticks = None
        # Who ends while we look is counted twice, or not at all.
        if ticks is not None and family == [pid, *_descendants(pid)]:
            return ticks / _TICKS
        time.sleep(_LOOK_AGAIN_S)
    raise RuntimeError(f"process {pid} cannot be looked at")


def cpu_of(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds of several processes, by name."""
    return {name: cpu_seconds(pid) for name, pid in pids.items()}


def since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was used between two looks."""
    return {name: after[name] - used for name, used in before.items()}


def peak_mb(pid: int) -> float:
    """The most memory a process ever held (`VmHWM`), in MB of 1,000,000 bytes."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(f"process {pid} has no memory of its own")


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in (PROC / str(pid) / "task").glob("*/children"):
        try:
            children = [int(word) for word in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def _ticks(pid: int) -> int:
    return sum(_fields(PROC / str(pid) / "stat")[_CPU_FIELDS])


def _fields(stat: Path) -> list[int]:
    """The numbers behind the name, which is in brackets and may hold anything."""
    state, *numbers = stat.read_text().rpartition(")")[2].split()
    return [ord(state), *map(int, numbers)]
