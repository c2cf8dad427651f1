"""Where the main thread of a process spends its CPU time, found by looking now and then.

A timer of the kernel (`ITIMER_PROF`, setitimer(2)) interrupts the process each time it has used a
few milliseconds of CPU; the frames of that moment are charged with what the main thread used since
the last look. It costs about one percent, where tracing every call would double the time.
"""

import gc
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, Final, TypeVar

T = TypeVar("T")

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


def _zeroes() -> defaultdict[Any, float]:
    return defaultdict(float)


@dataclass(slots=True)
class Sampler:
    """Looks from `start` to `stop`, in the main thread."""

    own: defaultdict[CodeType, float] = field(default_factory=_zeroes)
    within: defaultdict[CodeType, float] = field(default_factory=_zeroes)
    stages: defaultdict[str, float] = field(default_factory=_zeroes)
    cpu_s: float = 0.0
    _last: float = 0.0
    _collected: float = 0.0
    _collecting_since: float | None = None

    def start(self) -> None:
        """Begin to look."""
        self.cpu_s = time.process_time()
        self._last = time.thread_time()
        gc.callbacks.append(self._collecting)
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def stop(self) -> None:
        """Stop looking."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        gc.callbacks.remove(self._collecting)
        self.cpu_s = time.process_time() - self.cpu_s

    def report(self, *, top: int) -> dict[str, Any]:
        """CPU seconds: of the process, of its main thread, by stage and by function."""
        return {
            "cpu_s": self.cpu_s,
            "main_thread_s": sum(self.stages.values()),
            "stages": dict(_most(self.stages, top)),
            "own": [(_name(code), used) for code, used in _most(self.own, top)],
            "within": [(_name(code), used) for code, used in _most(self.within, top)],
        }

    def _look(self, _number: int, frame: FrameType | None) -> None:
        now = time.thread_time()
        if self._collecting_since is not None:
            self._collected += now - self._collecting_since
            self._collecting_since = now
        # What the collector used is known exactly, and is not the doing of the function it
        # happened to interrupt.
        self.stages[COLLECTING] += self._collected
        used = max(0.0, now - self._last - self._collected)
        self._last, self._collected = now, 0.0
        if frame is not None and frame.f_code is _COLLECTING_CODE:
            frame = frame.f_back
        if frame is None:
            return
        self.own[frame.f_code] += used
        codes = list(_codes(frame))
        for code in set(codes):
            self.within[code] += used
        stages = (stage_of(code.co_filename) for code in codes)
        self.stages[next(filter(None, stages), OTHER)] += used

    def _collecting(self, phase: str, _info: dict[str, int]) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        now, began = time.thread_time(), self._collecting_since
        self._collecting_since = now if phase == "start" else None
        if began is not None:
            self._collected += now - began


_COLLECTING_CODE: Final = Sampler._collecting.__code__  # noqa: SLF001 - our own


def stage_of(filename: str) -> str | None:
    """The stage a source file belongs to; None where the caller decides."""
    path = _short(filename)
    for stage, prefixes in STAGES:
        if path.startswith(prefixes):
            return stage
    return None


def _codes(frame: FrameType) -> Iterator[CodeType]:
    at: FrameType | None = frame
    while at is not None:
        yield at.f_code
        at = at.f_back


def _most(used: Mapping[T, float], top: int) -> list[tuple[T, float]]:
    return sorted(used.items(), key=lambda item: item[1], reverse=True)[:top]


def _name(code: CodeType) -> str:
    return f"{_short(code.co_filename)}:{code.co_firstlineno} {code.co_qualname}"


def _short(filename: str) -> str:
    """Without the folder it is imported from."""
    return next(
        (filename.removeprefix(one) for one in _ROOTS if filename.startswith(one)), filename
    )
