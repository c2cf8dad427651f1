"""Small JSON files that only their owner may read, written whole or not at all."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runtime.embedded.child import EmbeddedError


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Put `content` in `path` with mode 0600; a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_private(path: Path) -> dict[str, Any] | None:
    """What `write_private` left in `path`; None when there is no such file.

    Raises:
        EmbeddedError: the file holds something else.
    """
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise EmbeddedError(f"{path} cannot be read ({type(error).__name__}): remove it") from None
    if not isinstance(content, dict):
        raise EmbeddedError(f"{path} does not hold a JSON object: remove it")
    return content
