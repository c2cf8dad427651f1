"""Secrets at rest: AES-256-GCM with a key ring, each ciphertext bound to what it belongs to.

NIST SP 800-38D: a 96-bit random nonce per message, a 128-bit tag. The context (such as `store/12`)
is authenticated with it, so a ciphertext moved to another row does not open.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import SecretError

_NONCE_BYTES = 12
_TAG_BYTES = 16
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext as the columns of a row: hex text, and which key it was made with."""

    encrypted_data: str
    iv: str
    tag: str
    key_id: str


@dataclass(frozen=True, slots=True)
class _Key:
    key_id: str
    cipher: AESGCM = field(repr=False)


def store_context(store_id: int) -> str:
    """What a store's credentials are bound to, while on trial and after."""
    return f"store/{store_id}"


@dataclass(frozen=True, slots=True)
class _Ring:
    newest: _Key
    by_id: Mapping[str, _Key]


Reread = Callable[[], Sequence[bytes] | None]
"""Gives the keys, the newest first, if they are others than it gave last; else None."""


class SecretBox:
    """Seals with the newest key and opens with any of the ring.

    With `reread` the ring is that of a place several processes share: it is looked at before
    anything is sealed, so that nobody goes on sealing with a key that was replaced, and when a
    secret comes that was sealed with a key which is not in the ring yet.
    """

    def __init__(self, keys: Sequence[bytes], *, reread: Reread | None = None) -> None:
        """Args: keys: 32 bytes each, the newest first. Raises ValueError for anything else."""
        self._ring = _ring_of(keys)
        self._reread = reread

    def __repr__(self) -> str:
        return f"SecretBox(keys={list(self._ring.by_id)})"

    @property
    def newest_key_id(self) -> str:
        """The name of the key that seals, as `Sealed.key_id` tells it."""
        self._look()
        return self._ring.newest.key_id

    def seal(self, plain: bytes, *, context: str) -> Sealed:
        """Encrypt, bound to `context`. Raises SecretError: the shared keys cannot be read."""
        self._look()
        key = self._ring.newest
        nonce = os.urandom(_NONCE_BYTES)
        boxed = key.cipher.encrypt(nonce, plain, context.encode())
        return Sealed(
            encrypted_data=boxed[:-_TAG_BYTES].hex(),
            iv=nonce.hex(),
            tag=boxed[-_TAG_BYTES:].hex(),
            key_id=key.key_id,
        )

    def open(self, sealed: Sealed, *, context: str) -> bytes:
        """Decrypt. Raises SecretError: altered, bound elsewhere, or made with another key."""
        key = self._ring.by_id.get(sealed.key_id)
        if key is None:
            self._look()
            key = self._ring.by_id.get(sealed.key_id)
        if key is None:
            raise SecretError(
                f"a secret was encrypted with key {sealed.key_id}, which is not configured: "
                "add it to ENTREPOT_ENCRYPTION_KEYS_OLD"
            )
        try:
            return key.cipher.decrypt(
                bytes.fromhex(sealed.iv),
                bytes.fromhex(sealed.encrypted_data) + bytes.fromhex(sealed.tag),
                context.encode(),
            )
        except (InvalidTag, ValueError):
            raise SecretError(
                f"the secret of {context} was altered, or belongs elsewhere"
            ) from None

    def _look(self) -> None:
        if self._reread is None:
            return
        try:
            keys = self._reread()
            if keys is not None:
                self._ring = _ring_of(keys)
        except (OSError, ValueError) as error:
            raise SecretError(
                f"the encryption keys cannot be read again ({type(error).__name__}): put the file "
                "back as it was"
            ) from None


def _ring_of(keys: Sequence[bytes]) -> _Ring:
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise ValueError(f"every encryption key has {KEY_BYTES} bytes, and there is at least one")
    named = [_named(key) for key in keys]
    return _Ring(named[0], {key.key_id: key for key in named})


def _named(key: bytes) -> _Key:
    return _Key(
        key_id=hashlib.sha256(b"entrepot key id" + key).hexdigest()[:16], cipher=AESGCM(key)
    )
