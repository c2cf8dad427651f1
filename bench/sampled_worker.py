"""The worker, looked at while it works: `python -m bench.sampled_worker OUT [ARGUMENT …]`.

SIGUSR1 begins and ends the sampling, so that neither start nor end is in it. The report goes to
OUT when the worker has ended.
"""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.sampler import Sampler
from runtime import worker_process

TOP: Final = 40


def main(arguments: Sequence[str]) -> int:
    """Work until told to stop; returns the exit code."""
    sampler = Sampler()
    steps = iter((sampler.start, sampler.stop))

    def next_step(_number: int, _frame: object) -> None:
        step = next(steps, None)
        if step is not None:
            step()

    signal.signal(signal.SIGUSR1, next_step)
    code = worker_process.main(arguments[1:])
    Path(arguments[0]).write_text(json.dumps(sampler.report(top=TOP)))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
