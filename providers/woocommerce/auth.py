"""How a WooCommerce shop is shown who we are.

Measured on WooCommerce 11.0.1: over https Basic, OAuth 1.0a and keys in the query all pass; over
plain http only OAuth 1.0a does.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from providers._kit.protocols import Params, SignRequest


class AuthMethod(StrEnum):
    """The ways to send the keys."""

    BASIC = "basic"
    OAUTH = "oauth"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Keys:
    """A consumer key and its secret."""

    consumer_key: SecretStr
    consumer_secret: SecretStr


def basic_auth(keys: Keys) -> SignRequest:
    """Basic authentication (RFC 7617). For https only."""
    pair = f"{keys.consumer_key.get_secret_value()}:{keys.consumer_secret.get_secret_value()}"
    header = "Basic " + base64.b64encode(pair.encode()).decode("ascii")

    def sign(_method: str, url: str, params: Params) -> tuple[Params, dict[str, str]]:
        _require_https(url)
        return params, {"authorization": header}

    return sign


def query_auth(keys: Keys) -> SignRequest:
    """The keys in the query, where the shop's server keeps back the header. For https only."""

    def sign(_method: str, url: str, params: Params) -> tuple[Params, dict[str, str]]:
        _require_https(url)
        return (
            *params,
            ("consumer_key", keys.consumer_key.get_secret_value()),
            ("consumer_secret", keys.consumer_secret.get_secret_value()),
        ), {}

    return sign


def oauth_auth(
    keys: Keys,
    *,
    store_url: str,
    home_url: str,
    clock: Callable[[], float] = time.time,
    nonce: Callable[[], str] = lambda: secrets.token_hex(16),
) -> SignRequest:
    """One-legged OAuth 1.0a with HMAC-SHA256 (RFC 5849, without a token), in the query.

    The shop computes the base string for its own home URL, whatever address it was called by
    (measured), so `home_url` takes the place of `store_url` in it. Each call makes a new nonce and
    time: a nonce used twice is refused.
    """
    key = keys.consumer_key.get_secret_value()
    secret = keys.consumer_secret.get_secret_value()
    home = home_url.rstrip("/")

    def sign(method: str, url: str, params: Params) -> tuple[Params, dict[str, str]]:
        path = url[len(store_url) :] if url.startswith(store_url) else urlsplit(url).path
        signed = (
            *params,
            ("oauth_consumer_key", key),
            ("oauth_timestamp", str(int(clock()))),
            ("oauth_nonce", nonce()),
            ("oauth_signature_method", "HMAC-SHA256"),
        )
        base = signature_base(method, home + path, signed)
        return (*signed, ("oauth_signature", oauth_signature(base, secret))), {}

    return sign


def signature_base(method: str, url: str, params: Params) -> str:
    """The signature base string (RFC 5849, 3.4.1): method, URL, and the sorted parameters."""
    pairs = sorted((_encode(name), _encode(value)) for name, value in params)
    query = "&".join(f"{name}={value}" for name, value in pairs)
    return f"{method.upper()}&{_encode(url)}&{_encode(query)}"


def oauth_signature(base: str, consumer_secret: str, token_secret: str = "") -> str:
    """HMAC-SHA256 of a base string, in base64 (RFC 5849, 3.4.2, with SHA-256)."""
    key = f"{_encode(consumer_secret)}&{_encode(token_secret)}".encode()
    digest = hmac.new(key, base.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


def _encode(text: str) -> str:
    # RFC 5849, 3.6: everything but the unreserved characters of RFC 3986.
    return quote(text, safe="~")


def _require_https(url: str) -> None:
    if not url.startswith("https://"):
        raise ValueError("keys in clear text go over https only")
