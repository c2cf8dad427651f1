"""Master keys in a file that several processes read: a key per line, the newest first.

The file is replaced whole, never written into, so a reader sees the old keys or the new ones.
"""

import base64
import binascii
import os
from pathlib import Path
from typing import Final

MAKE_A_KEY: Final = "python3 -c 'import secrets; print(secrets.token_hex(32))' makes one"

_KEY_BYTES: Final = 32
_LONGEST_BYTES: Final = 64 * 1024

_Mark = tuple[int, int, int]


def decode_key(text: str) -> bytes:
    """The 32 bytes of a key written as hex or base64 (either alphabet).

    Raises:
        ValueError: it is neither, or has another length.
    """
    text = text.strip()
    try:
        if len(text) == 2 * _KEY_BYTES:
            return bytes.fromhex(text)
        padded = text + "=" * (-len(text) % 4)
        key = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ValueError(f"a key is {_KEY_BYTES} bytes in hex or base64; {MAKE_A_KEY}") from None
    return key


class KeyFile:
    """The keys in a file, read again when it was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: _Mark | None = None

    def read(self) -> tuple[bytes, ...]:
        """The keys, the newest first.

        Raises:
            OSError: the file cannot be read.
            ValueError: it holds something else than keys, or none.
        """
        with self._path.open("rb") as file:
            mark = _mark(os.fstat(file.fileno()))
            content = file.read(_LONGEST_BYTES)
        keys = tuple(decode_key(line) for line in content.decode().splitlines() if line.strip())
        if not keys:
            raise ValueError("a file of keys holds at least one")
        self._seen = mark
        return keys

    def reread(self) -> tuple[bytes, ...] | None:
        """The keys, if the file is another one than was read last. Raises as `read`."""
        if _mark(self._path.stat()) == self._seen:
            return None
        return self.read()


def _mark(found: os.stat_result) -> _Mark:
    return found.st_ino, found.st_mtime_ns, found.st_size
