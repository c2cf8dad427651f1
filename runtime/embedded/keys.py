"""The master key of an embedded installation, made on first use."""

import os
import secrets
from pathlib import Path

KEY_FILE = "encryption.key"


def load_or_make_key(data_dir: Path) -> str:
    """The key in `data_dir`, as hex. A new one is readable by its owner alone.

    Losing the file loses the stored credentials: back it up with the database.
    """
    path = data_dir / KEY_FILE
    data_dir.mkdir(parents=True, exist_ok=True)
    draft = data_dir / f".{KEY_FILE}.{os.getpid()}"
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{secrets.token_hex(32)}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # whole or not at all, and never over an existing key
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    return path.read_text().strip()
