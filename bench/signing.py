"""Signs a request as a shop on plain http wants it: one-legged OAuth 1.0a (RFC 5849).

Written for the measurements alone, so that the floor pays for its own signatures and needs nothing
of a provider.
"""

import base64
import hashlib
import hmac
import secrets
import time
from urllib.parse import quote

from providers._kit.protocols import Params, SignRequest


def sign_with(consumer_key: str, consumer_secret: str) -> SignRequest:
    """A signer with HMAC-SHA256 and without a token (RFC 5849, 3.4.2, with SHA-256)."""
    secret = f"{_encoded(consumer_secret)}&".encode()

    def sign(method: str, url: str, params: Params) -> tuple[Params, dict[str, str]]:
        signed = (
            *params,
            ("oauth_consumer_key", consumer_key),
            ("oauth_timestamp", str(int(time.time()))),
            ("oauth_nonce", secrets.token_hex(16)),
            ("oauth_signature_method", "HMAC-SHA256"),
        )
        # RFC 5849, 3.4.1.3.2: encoded first, then sorted.
        pairs = sorted((_encoded(name), _encoded(value)) for name, value in signed)
        query = "&".join(f"{name}={value}" for name, value in pairs)
        base = f"{method}&{_encoded(url)}&{_encoded(query)}"
        digest = hmac.new(secret, base.encode(), hashlib.sha256).digest()
        return (*signed, ("oauth_signature", base64.b64encode(digest).decode())), {}

    return sign


def _encoded(text: str) -> str:
    return quote(text, safe="~")
