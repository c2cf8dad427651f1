"""A streaming standby of the shared PostgreSQL, for what is read from a replica."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from runtime.embedded.child import wait_until
from runtime.embedded.postgres import EmbeddedPostgres, _environment, _install_dir

_PATIENCE_S = 60.0
# After the state the server keeps one byte for the end (miscadmin.h: `standby `).
_READY = {"ready", "standby"}


class Standby(EmbeddedPostgres):
    """A copy of `primary` that follows it as its replicas do in production."""

    def __init__(self, data_dir: Path, primary: EmbeddedPostgres) -> None:
        super().__init__(data_dir, durable=False)
        self._primary = primary
        # The primary keeps for it what it has not had yet, however much others write meanwhile.
        self._slot = f"standby_{uuid4().hex[:8]}"

    def pause(self) -> None:
        """Fall behind: keep what comes, and show nothing of it until `resume`."""
        self._tell("select pg_wal_replay_pause()")
        assert wait_until(
            lambda: self._tell("select pg_get_wal_replay_pause_state()") == "paused", _PATIENCE_S
        )

    def resume(self) -> None:
        """Go on, and catch up with all that is committed by now."""
        self._tell("select pg_wal_replay_resume()")
        self.catch_up()

    def catch_up(self) -> None:
        """Wait until it shows all that is committed on the primary by now."""
        self._wait_for("pg_last_wal_replay_lsn()")

    def receive(self) -> None:
        """Wait until it has all that is committed on the primary by now, shown or not."""
        self._wait_for("pg_last_wal_receive_lsn()")

    def _wait_for(self, position: str) -> None:
        with psycopg.connect(self._primary.superuser_url, autocommit=True) as primary:
            row = primary.execute("select pg_current_wal_flush_lsn()").fetchone()
        reached = f"select {position} >= '{row[0] if row else None}'"
        assert wait_until(lambda: self._tell(reached) is True, _PATIENCE_S)

    def forget(self) -> None:
        """Let the primary keep nothing for it any more."""
        statement = "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
        with psycopg.connect(self._primary.superuser_url, autocommit=True) as primary:

            def is_gone() -> bool:
                primary.execute(f"{statement} where slot_name = '{self._slot}' and not active")
                slots = primary.execute("select slot_name from pg_replication_slots")
                return (self._slot,) not in slots.fetchall()

            assert wait_until(is_gone, _PATIENCE_S)

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Cancel at once what stands in the way of replay, where the default is after 30 s."""
        self._set_delay("0")
        try:
            yield
        finally:
            self._set_delay("30s")

    def _set_delay(self, delay: str) -> None:
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(f"alter system set max_standby_streaming_delay = '{delay}'")
            connection.execute("select pg_reload_conf()")
        shown = "show max_standby_streaming_delay"
        assert wait_until(lambda: self._tell(shown) == delay, _PATIENCE_S)

    def _tell(self, statement: str) -> object:
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            row = connection.execute(statement).fetchone()
        return row[0] if row else None

    def _initialise(self) -> None:
        account = self._account
        self._cluster.mkdir(mode=0o700)
        if account is not None:
            os.chown(self._cluster, account.uid, account.gid)
        subprocess.run(
            (
                *(_install_dir() / "bin" / "pg_basebackup", "-D", self._cluster, "-R"),
                *("-d", self._primary.superuser_url, "-c", "fast", "-X", "stream", "--no-sync"),
                *("-C", "-S", self._slot),
            ),
            user=account.uid if account else None,
            group=account.gid if account else None,
            cwd=self._cluster,
            env=_environment(),
            check=True,
            capture_output=True,
        )

    def _is_ready(self, pid: int) -> bool:
        """As of any server, but a standby's own word in postmaster.pid is `standby`."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() in _READY


@contextmanager
def standby_of(primary: EmbeddedPostgres, directory: Path) -> Iterator[Standby]:
    """A running standby, gone afterwards."""
    standby = Standby(directory, primary)
    try:
        standby.start()
        yield standby
    finally:
        standby.stop()
        standby.forget()
