"""Passwords at rest: argon2id (RFC 9106), each with a salt of its own.

Checking one takes about 50 ms and 46 MiB by design: callers bound how many run at a time.
"""

import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 256

# OWASP Password Storage Cheat Sheet, argon2id: m=47104, t=1, p=1.
_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)

NOBODYS_HASH: Final = (
    "$argon2id$v=19$m=47104,t=1,p=1$bm9ib2R5IGhhcyB0aGlzIQ"
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""No password has it. Checking one against it costs what checking against a real one does."""


def check_new_password(password: SecretStr) -> SecretStr:
    """The password, if it may be used.

    Length alone counts (NIST SP 800-63B, 3.1.1): rules of composition make passwords worse.

    Raises:
        ValueError: it is too short, too long, or no text, such as a line of another encoding than
            UTF-8: nobody could send it. The message never has the password in it.
    """
    if any("\ud800" <= char <= "\udfff" for char in password.get_secret_value()):
        raise ValueError("a password is text in UTF-8, and this is not")
    if not SHORTEST_PASSWORD <= len(password.get_secret_value()) <= LONGEST_PASSWORD:
        raise ValueError(
            f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters: "
            "a few words in a row are easy to remember"
        )
    return password


def hash_password(password: SecretStr) -> str:
    """What is kept of a password. Slow: run it in a thread."""
    return _HASHER.hash(_prepared(password))


def matches(password: SecretStr, stored: str) -> bool:
    """Whether it is the password that was stored. Slow: run it in a thread."""
    try:
        return _HASHER.verify(stored, _prepared(password))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than new ones are."""
    return _HASHER.check_needs_rehash(stored)


def _prepared(password: SecretStr) -> bytes:
    """The same text gives the same bytes on every keyboard (RFC 8265, 4.2: NFC).

    JSON can hold half a surrogate pair, which UTF-8 cannot: it is a wrong password, no failure.
    """
    text = unicodedata.normalize("NFC", password.get_secret_value())
    return text.encode("utf-8", "surrogatepass")
