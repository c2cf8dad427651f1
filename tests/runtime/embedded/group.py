"""A supervised group in a process of its own: `group.py DATA_DIR`, then signals."""

import asyncio
import json
import sys
from pathlib import Path

from runtime.embedded.child import Program
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.programs import EmbeddedProgram
from runtime.embedded.supervisor import Supervisor

# Starts a process of its own and prints that one's id, then ignores the polite signal.
_PARENT = (
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, lambda *a: sys.exit(7));"
    "child = subprocess.Popen(['sleep', '600']); print(child.pid, flush=True); time.sleep(600)"
)


async def main() -> None:
    data_dir = Path(sys.argv[1])
    log = data_dir / "logs" / "parent.log"
    postgres = EmbeddedPostgres(data_dir, durable=False)
    parent = EmbeddedProgram(
        "parent",
        Program(argv=(sys.executable, "-c", _PARENT), log=log),
        is_ready=lambda: log.exists() and log.stat().st_size > 0,
    )
    async with Supervisor() as group:
        await group.start(postgres)
        await group.start(parent)
        _say(json.dumps([postgres.pid, parent.pid, int(log.read_text())]))
        await group.wait()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
    _say("stopped")
