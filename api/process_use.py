"""What this process uses of the machine it runs on."""

import os
import resource
import sys
import time
from pathlib import Path
from typing import Final

from api.schemas.woocommerce_status import ProcessAnswer
from db.session import Database

_STARTED: Final = time.monotonic()
_STATM: Final = Path("/proc/self/statm")
_MB: Final = 1_000_000


def process_use(database: Database, *, uptime_s: float) -> ProcessAnswer:
    """Memory, CPU and connections of the process that answers. `uptime_s` is the API's own."""
    cpu_s = time.process_time()
    lived_s = max(time.monotonic() - _STARTED, 0.001)
    peak = _peak_bytes()
    memory = _memory_bytes(peak)
    return ProcessAnswer(
        uptime_s=int(uptime_s),
        cpu_s=round(cpu_s, 1),
        cpu_percent=round(100 * cpu_s / lived_s, 1),
        memory_mb=round(memory / _MB, 1),
        peak_memory_mb=round(max(peak, memory) / _MB, 1),
        database_connections_in_use=database.connections_in_use,
        database_connections_max=database.pool_size,
    )


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
