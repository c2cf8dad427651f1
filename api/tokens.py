"""Access tokens: JSON Web Tokens (RFC 7519, 9068) that name a session, signed with HS256.

Who checks them is who signs them, so no public key is needed. A token says no more than which
session it belongs to: whether that lives, and what its person may do, is read with each request,
together with the key, in one statement.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import jwt

from api.config import PeopleConfig
from api.services import ApiServices
from db.logins import LiveSession, find_session
from db.signing_keys import KeyTimes, SigningKey, signing_key_context

_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"  # RFC 9068, 2.1: no token of another kind passes for one
_LEEWAY: Final = timedelta(seconds=10)  # between the clocks of several hosts of the API
_FORM: Final = re.compile(r"(?:[A-Za-z0-9_-]{1,700}\.){2}[A-Za-z0-9_-]{1,100}")
_KID: Final = re.compile(r"[0-9a-f]{1,32}")
_REQUIRED: Final = ["iss", "aud", "sub", "sid", "iat", "nbf", "exp"]
_LARGEST_ID: Final = 2**63 - 1


class TokenError(Exception):
    """A token that is not accepted. `is_ours` says that it was, once."""

    def __init__(self, reason: str, *, is_ours: bool = False) -> None:
        super().__init__(reason)
        self.is_ours = is_ours


@dataclass(frozen=True, slots=True)
class Speaker:
    """The person whom an accepted token stands for."""

    session_id: int
    session: LiveSession


def key_times(people: PeopleConfig) -> KeyTimes:
    """How long keys sign, and how long their tokens can be met after that."""
    return KeyTimes(
        signs=timedelta(seconds=people.signing_key_s),
        believed=timedelta(seconds=people.access_token_s) + _LEEWAY,
    )


def sign(
    key: SigningKey, people: PeopleConfig, *, user_id: int, session_id: int, now: datetime
) -> str:
    """A token for one session."""
    claims = {
        "iss": people.token_issuer,
        "aud": people.token_audience,
        "sub": str(user_id),
        "sid": session_id,
        "iat": now,
        "nbf": now,
        "exp": now + timedelta(seconds=people.access_token_s),
    }
    headers = {"typ": _TYPE, "kid": key.kid}
    return jwt.encode(claims, key.secret, algorithm=_ALGORITHM, headers=headers)


async def read_token(services: ApiServices, token: str, now: datetime) -> Speaker:
    """Whom a token stands for.

    The session that it names is looked up before its signature is checked, to know the key. Nothing
    of what it says is believed until then.

    Raises:
        TokenError: malformed, signed by something else, for somebody else, not valid now, or of a
            session that has ended.
        SecretError: the signing key cannot be opened with this server's encryption keys.
    """
    kid, session_id = _named(token)
    async with services.database.lookup() as connection:
        session = await find_session(connection, kid, session_id, now)
    if session is None:
        raise TokenError("no such key or session")
    secret = services.secrets.open(session.sealed_key, context=signing_key_context(kid))
    claims = _verified(token, secret, services.config.people)
    if session.verifies_until <= now:
        raise TokenError("the signing key is believed no more", is_ours=True)
    if claims["sub"] != str(session.user_id):
        raise TokenError("the session is somebody else's")
    if not session.is_alive:
        raise TokenError("the session has ended", is_ours=True)
    return Speaker(session_id, session)


def _named(token: str) -> tuple[str, int]:
    """The key and the session that a token speaks of, unverified."""
    if not _FORM.fullmatch(token):
        raise TokenError("not the form of a token")
    try:
        parts = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, RecursionError):
        raise TokenError("not readable") from None
    header, session_id = parts["header"], parts["payload"].get("sid")
    kid = header.get("kid")
    is_ours = (header.get("alg"), header.get("typ")) == (_ALGORITHM, _TYPE)
    if not is_ours or not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise TokenError("another algorithm, type or key")
    if type(session_id) is not int or not 1 <= session_id <= _LARGEST_ID:
        raise TokenError("no session")
    return kid, session_id


def _verified(token: str, secret: bytes, people: PeopleConfig) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            issuer=people.token_issuer,
            audience=people.token_audience,
            leeway=_LEEWAY,
            options={"require": _REQUIRED, "strict_aud": True},
        )
    except jwt.ExpiredSignatureError:
        raise TokenError("expired", is_ours=True) from None
    except jwt.PyJWTError as error:
        raise TokenError(type(error).__name__) from None
