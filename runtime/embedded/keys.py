"""The master keys of an embedded installation, in a file: the newest first, made on first use."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

KEY_FILE = "encryption.key"
_DRAFT = f".{KEY_FILE}.next"


def ensure_key_file(data_dir: Path) -> Path:
    """The file of keys in `data_dir`. A new one has one key and is readable by its owner alone.

    Losing the file loses the stored credentials: back it up with the database.
    """
    path = data_dir / KEY_FILE
    data_dir.mkdir(parents=True, exist_ok=True)
    draft = data_dir / f".{KEY_FILE}.{os.getpid()}"
    draft.unlink(missing_ok=True)  # of one that was killed, and had our number
    try:
        _write(draft, [new_key()])
        os.link(draft, path)  # whole or not at all, and never over an existing key
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    _sync(data_dir)
    return path


def new_key() -> bytes:
    """A key that nobody has."""
    return secrets.token_bytes(32)


def replace_keys(data_dir: Path, keys: Sequence[bytes]) -> None:
    """Make these the keys, the newest first. A reader sees the old file or the new one, and so does
    whoever comes after a power failure. For one process at a time."""
    path, draft = data_dir / KEY_FILE, data_dir / _DRAFT
    draft.unlink(missing_ok=True)
    _write(draft, keys)
    owner = path.stat()
    if owner.st_uid != os.geteuid():  # the hub has to read what an administrator replaces
        os.chown(draft, owner.st_uid, owner.st_gid)
    draft.replace(path)
    _sync(data_dir)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, keys: Sequence[bytes]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{key.hex()}\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())
