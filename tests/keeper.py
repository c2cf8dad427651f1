"""Runs one server for all test processes, until the last of them is gone.

`keeper.py postgres|temporal DIRECTORY`: starts the server in DIRECTORY/KIND, then writes
DIRECTORY/KIND.json. Each test process holds a shared lock on DIRECTORY/KIND.users; the kernel
drops it however the process ends, and the exclusive lock awaited here is the sign to stop.
"""

import fcntl
import json
import os
import shutil
import sys
from pathlib import Path

from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.temporal import EmbeddedTemporal


def main() -> None:
    kind, directory = sys.argv[1], Path(sys.argv[2])
    if os.fork():  # the starter need not wait for us
        os._exit(0)
    data_dir, notice = directory / kind, directory / f"{kind}.json"
    server = (
        EmbeddedPostgres(data_dir, durable=False)
        if kind == "postgres"
        else EmbeddedTemporal(data_dir, headless=True)
    )
    try:
        server.start()
    except Exception as error:
        _publish(notice, {"error": str(error)})
        raise
    address = server.address if isinstance(server, EmbeddedTemporal) else ""
    _publish(notice, {"address": address})
    with (directory / f"{kind}.users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        notice.unlink()
        server.stop()
        shutil.rmtree(data_dir)


def _publish(notice: Path, content: dict[str, str]) -> None:
    draft = notice.with_suffix(".draft")
    draft.write_text(json.dumps(content))
    draft.replace(notice)


if __name__ == "__main__":
    main()
