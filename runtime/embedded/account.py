"""PostgreSQL refuses to run as root; started by root, it runs as a system user of its own."""

import os
import pwd
import stat
import subprocess
from pathlib import Path

from runtime.embedded.child import Account, EmbeddedError

_USER = "pgserver"


def server_account(*needed: Path) -> Account | None:
    """The account for the server, or None when the caller's own will do.

    Gives that account the right to pass through (not to read) the directories above `needed`.

    Raises:
        EmbeddedError: the user is missing and cannot be made.
    """
    if os.geteuid() != 0:
        return None
    entry = _find_user() or _create_user()
    for path in needed:
        _let_pass(path)
    return Account(_USER, entry.pw_uid, entry.pw_gid)


def _find_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(_USER)
    except KeyError:
        return None


def _create_user() -> pwd.struct_passwd:
    try:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", _USER],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        if (entry := _find_user()) is not None:  # another process was faster
            return entry
        raise EmbeddedError(
            f"PostgreSQL does not run as root and the user {_USER!r} could not be made: "
            "run entrepot as an ordinary user"
        ) from None
    return pwd.getpwnam(_USER)


def _let_pass(path: Path) -> None:
    for directory in (path, *path.parents):
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
