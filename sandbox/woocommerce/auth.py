"""Who is asking. Follows `class-wc-rest-authentication.php` and the measured matrix: over https the
query's keys, then Basic; over plain http OAuth 1.0a only; an unknown Basic key is just nobody."""

import hmac
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1, sha256
from re import compile as pattern
from urllib.parse import quote, unquote, unquote_plus

from sandbox.wire import Request
from sandbox.woocommerce.errors import RestError
from sandbox.woocommerce.keys import ApiKey
from sandbox.woocommerce.php import Param, flatten
from sandbox.woocommerce.shop import Shop

TIMESTAMP_WINDOW_S = 15 * 60
_NAMES = (
    *("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature"),
    "oauth_signature_method",
)
_HASHES = {"HMAC-SHA1": sha1, "HMAC-SHA256": sha256}
_HEADER = pattern(r'(oauth_[a-z_-]*)=(?:"([^"]*)"|([^,]*))')
_BASIC_REALM = (
    'Basic realm="WooCommerce API. Use a consumer key in the username field and a consumer secret'
    ' in the password field."'
)
_READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class RefusedError(Exception):
    """Wrong credentials, with the headers that go with the answer."""

    error: RestError
    headers: tuple[tuple[str, str], ...] = ()


def authenticate(shop: Shop, request: Request, params: dict[str, Param]) -> ApiKey | None:
    """The key the request is made with; None for nobody. Raises `RefusedError` for a bad try."""
    basic_error: RefusedError | None = None
    if request.scheme == "https":
        try:
            key = _by_key_and_secret(shop, request, params)
        except RefusedError as refused:
            key, basic_error = None, refused
        if key is not None:
            return key
    key = _by_oauth(shop, request, params)
    if key is None and basic_error is not None:
        raise basic_error
    return key


def permit(key: ApiKey, method: str) -> None:
    """Raise for a read key that writes or a write key that reads (401, measured)."""
    wanted = "read" if method in _READS else "write"
    if key.permissions not in (wanted, "read_write"):
        raise _error(f"The API key provided does not have {wanted} permissions.")


def _error(message: str) -> RestError:
    return RestError("woocommerce_rest_authentication_error", message, 401)


def _by_key_and_secret(shop: Shop, request: Request, params: dict[str, Param]) -> ApiKey | None:
    name, secret = params.get("consumer_key"), params.get("consumer_secret")
    if not (name and secret):
        name, secret = request.basic_credentials()
    if not (isinstance(name, str) and isinstance(secret, str) and name and secret):
        return None
    key = shop.keys.find(name)
    if key is None:
        return None
    if not hmac.compare_digest(key.consumer_secret.encode(), secret.encode()):
        error = _error("Consumer secret is invalid.")
        raise RefusedError(error, (("WWW-Authenticate", _BASIC_REALM),))
    return key


def _by_oauth(shop: Shop, request: Request, query: dict[str, Param]) -> ApiKey | None:
    params = {**query, **_header_params(request.headers.get("authorization", ""))}
    missing = [name for name in _NAMES if not params.get(name)]
    if len(missing) == len(_NAMES):
        return None
    if missing:
        plural = "s" if len(missing) > 1 else ""
        message = f"Missing OAuth parameter{plural} {', '.join(missing)}"
        raise RefusedError(
            RestError("woocommerce_rest_authentication_missing_parameter", message, 401)
        )
    key = shop.keys.find(str(params["oauth_consumer_key"]))
    if key is None:
        raise RefusedError(_error("Consumer key is invalid."))
    given = unquote(str(params.pop("oauth_signature")).replace(" ", "+"))
    if str(params["oauth_signature_method"]) not in _HASHES:
        raise RefusedError(_error("Invalid signature - signature method is invalid."))
    home = shop.https_url if request.scheme == "https" else shop.home_url
    expected = sign(key, request.method, f"{home}{request.raw_path}", params)
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise RefusedError(_error("Invalid signature - provided signature does not match."))
    _use_nonce(shop, key, str(params["oauth_timestamp"]), str(params["oauth_nonce"]))
    return key


def sign(key: ApiKey, method: str, url: str, params: dict[str, Param]) -> str:
    """The OAuth 1.0a signature WooCommerce expects (RFC 5849, 3.4, with an empty token secret and
    arrays signed with their index, `include[0]`)."""
    # PHP sorts by the undecorated name and keeps the order inside an array.
    ordered = {name: params[name] for name in sorted(params)}
    pairs = [f"{_encode(name)}={_encode(value)}" for name, value in flatten(ordered)]
    joined = "%26".join(quote(pair, safe="~") for pair in pairs)
    base = f"{method.upper()}&{quote(url, safe='~')}&{joined}"
    digest = _HASHES[str(params["oauth_signature_method"])]
    secret = f"{key.consumer_secret}&".encode()
    return b64encode(hmac.new(secret, base.encode(), digest).digest()).decode()


def _encode(text: str) -> str:
    return quote(text, safe="~")


def _header_params(header: str) -> dict[str, Param]:
    if not header.startswith("OAuth "):
        return {}
    return {name: unquote_plus(quoted or bare) for name, quoted, bare in _HEADER.findall(header)}


def _use_nonce(shop: Shop, key: ApiKey, timestamp: str, nonce: str) -> None:
    now = shop.now()
    when = int(timestamp) if timestamp.isdigit() else 0
    if abs(now - when) > TIMESTAMP_WINDOW_S:
        raise RefusedError(_error("Invalid timestamp."))
    if nonce in key.nonces:
        raise RefusedError(_error("Invalid nonce - nonce has already been used."))
    key.nonces[nonce] = when
    # Dicts keep insertion order, so expired nonces are met first.
    for old, used in list(key.nonces.items())[:2]:
        if used < now - TIMESTAMP_WINDOW_S:
            del key.nonces[old]
