"""Where the main thread of a process spends its CPU time, found by looking now and then.

A timer of the kernel (`ITIMER_PROF`, setitimer(2)) interrupts the process each time it has used a
few milliseconds of CPU; the frames of that moment are charged with what the main thread used since
the last look. It costs about one percent, where tracing every call would double the time.
"""

import gc
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, Final

from bench.processes import cpu_by_thread, since

INTERVAL_S: Final = 0.005
_ROOTS: Final = sorted((f"{path}/" for path in sys.path if path), key=len, reverse=True)

STAGES: Final[Sequence[tuple[str, tuple[str, ...]]]] = (
    ("prepare", ("domain/reconcile.py", "domain/guests.py")),
    ("database", ("db/", "psycopg/", "psycopg_pool/", "sqlalchemy/")),
    ("parse and map", ("providers/_kit/answers.py", "providers/_kit/wire_values.py")),
    ("fetch", ("providers/_kit/", "httpcore/", "httpx/", "h11/", "anyio/")),
    ("fetch", ("providers/woocommerce/auth.py", "providers/woocommerce/access.py")),
    ("parse and map", ("providers/",)),
    ("workflows", ("temporalio/", "workflows/")),
    ("activities", ("activities/",)),
)
"""Which file belongs to which stage of an import, the first match counts."""
COLLECTING: Final = "garbage collection"
OTHER: Final = "other"


@dataclass(slots=True)
class Sampler:
    """Looks from `start` to `stop`, in the main thread."""

    own: Counter[CodeType] = field(default_factory=Counter)
    within: Counter[CodeType] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    threads: dict[str, float] = field(default_factory=dict)
    cpu_s: float = 0.0
    _last: float = 0.0
    _is_collecting: bool = False

    def start(self) -> None:
        """Begin to look."""
        self.threads = cpu_by_thread("self")
        self.cpu_s = time.process_time()
        self._last = time.thread_time()
        gc.callbacks.append(self._collecting)
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def stop(self) -> None:
        """Stop looking."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        gc.callbacks.remove(self._collecting)
        now = cpu_by_thread("self")
        self.threads = since({name: self.threads.get(name, 0.0) for name in now}, now)
        self.cpu_s = time.process_time() - self.cpu_s

    def report(self, *, top: int) -> dict[str, Any]:
        """CPU seconds: of the process, by thread, by stage, and of the functions with most."""
        return {
            "cpu_s": self.cpu_s,
            "main_thread_s": sum(self.stages.values()),
            "threads": self.threads,
            "stages": dict(self.stages.most_common()),
            "own": [(_name(code), used) for code, used in self.own.most_common(top)],
            "within": [(_name(code), used) for code, used in self.within.most_common(top)],
        }

    def _look(self, _number: int, frame: FrameType | None) -> None:
        now = time.thread_time()
        used, self._last = now - self._last, now
        if frame is None or used <= 0:
            return
        self.own[frame.f_code] += used  # type: ignore[assignment]
        # A collection holds signals back until Python runs again: in a callback of a weak
        # reference, or in ours at the end.
        stage = COLLECTING if self._is_collecting else None
        seen = set()
        at: FrameType | None = frame
        while at is not None:
            code = at.f_code
            if code not in seen:
                seen.add(code)
                self.within[code] += used  # type: ignore[assignment]
            stage = stage or stage_of(code.co_filename)
            at = at.f_back
        self.stages[stage or OTHER] += used  # type: ignore[assignment]


    def _collecting(self, phase: str, _info: dict[str, int]) -> None:
        self._is_collecting = phase == "start"


def stage_of(filename: str) -> str | None:
    """The stage a source file belongs to; None where the caller decides."""
    path = _short(filename)
    for stage, prefixes in STAGES:
        if path.startswith(prefixes):
            return stage
    return None


def _name(code: CodeType) -> str:
    return f"{_short(code.co_filename)}:{code.co_firstlineno} {code.co_qualname}"


def _short(filename: str) -> str:
    """Without the folder it is imported from."""
    return next((filename.removeprefix(one) for one in _ROOTS if filename.startswith(one)), filename)
