"""The embedded PostgreSQL: a real server that comes back with its data."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from runtime.embedded.child import EmbeddedError, wait_until
from runtime.embedded.postgres import EmbeddedPostgres

HOLD_LOCK = """
import sys
from pathlib import Path
from runtime.embedded.locks import DirectoryLock
DirectoryLock(Path(sys.argv[1]), "x").acquire()
print("held", flush=True)
sys.stdin.read()
"""


def count(server: EmbeddedPostgres) -> int:
    with psycopg.connect(server.owner_url) as connection:
        row = connection.execute("select count(*) from kept").fetchone()
        assert row is not None
        return int(row[0])


def test_committed_rows_survive_kill_9_of_the_server_under_a_busy_backend(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.start()
    try:
        with psycopg.connect(server.owner_url, autocommit=True) as connection:
            connection.execute("create table kept as select generate_series(1, 100) as n")
        busy = psycopg.connect(server.owner_url)
        busy.pgconn.send_query(b"select count(*) from generate_series(1, 2000000000)")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert wait_until(lambda: not server.is_alive(), 5)
        server.start()
        assert count(server) == 100
        busy.close()
    finally:
        server.stop()


def test_a_second_start_keeps_roles_and_data_and_a_long_path_works(tmp_path: Path) -> None:
    data_dir = tmp_path / ("a-long-name-" * 12)
    server = EmbeddedPostgres(data_dir, durable=False)
    server.start()
    with psycopg.connect(server.owner_url, autocommit=True) as connection:
        connection.execute("create table kept as select generate_series(1, 3) as n")
    server.stop()
    server.start()
    try:
        assert count(server) == 3
        with psycopg.connect(server.app_url) as connection:
            shown = connection.execute("select current_user, version()").fetchone()
        assert shown is not None
        assert (shown[0], str(shown[1]).split()[:1]) == ("entrepot_app", ["PostgreSQL"])
        socket_dir = Path(server.app_url.partition("?host=")[2])
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
    finally:
        server.stop()


def test_a_directory_in_use_is_refused_by_name(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(tmp_path / "postgres.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(EmbeddedError) as refusal:
            EmbeddedPostgres(tmp_path).start()
        assert str(refusal.value) == (
            f"this PostgreSQL in {tmp_path} is in use by process {holder.pid}: "
            "stop that one first, or choose another --data-dir"
        )
        holder.kill()
    assert not (tmp_path / "postgres").exists()
