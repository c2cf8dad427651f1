"""Reading a store's answers: which status is which error, and where the JSON begins."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from domain.errors import (
    CredentialsError,
    PermanentStoreError,
    PermissionDeniedError,
    RateLimitedError,
    RequestRejectedError,
    RouteMissingError,
    StoreError,
    StoreUnavailableError,
    StoreUnreachableError,
)
from domain.keepable import keepable

_LONGEST_RETRY_AFTER_S: Final = 1e9
_JUNK_BYTES: Final = 65_536
_JUNK_TRIES: Final = 16
# How a list of records or an object begins; "[0]" in a PHP notice does not.
_JSON_START: Final = re.compile(rb'\[\s*\{\s*"|\{\s*"|\[\s*\]\s*\Z')
_HTML: Final = re.compile(rb"<!doctype html|<html|<head|<body", re.IGNORECASE)
_ERROR_CODE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
_MARKUP: Final = re.compile(r"<[^>]{0,200}>|[\x00-\x1f\x7f]+")
# What could be a key, a signature or an address with either is not repeated in an error.
_TOKEN: Final = re.compile(
    r"\S*(?:oauth_|consumer_(?:key|secret)=)\S*|https?://\S*|[A-Za-z0-9_+/=-]{24,}"
)

_BY_STATUS: Final[Mapping[int, tuple[type[PermanentStoreError], str]]] = {
    400: (RequestRejectedError, "refuses the request"),
    401: (CredentialsError, "does not accept the keys"),
    403: (PermissionDeniedError, "does not let these keys do this"),
    404: (RouteMissingError, "has no such route"),
    405: (RouteMissingError, "does not know this method here"),
    409: (RequestRejectedError, "says the request contradicts what is there"),
    410: (RequestRejectedError, "says this is gone"),
    413: (RequestRejectedError, "says the request is too large"),
    414: (RequestRejectedError, "says the address is too long"),
    422: (RequestRejectedError, "refuses what was sent"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer. Header names are in lower case; the body is decoded (RFC 9110, 8.4)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_s: float = 0.0

    @property
    def clock(self) -> datetime | None:
        """The store's own time (`Date`, RFC 9110, 6.6.1), aware UTC."""
        return parse_http_date(self.headers.get("date", ""))

    @property
    def is_html(self) -> bool:
        """Whether the body is a page for people."""
        return (
            "html" in self.headers.get("content-type", "")
            or _HTML.search(self.body[:1024]) is not None
        )


def parse_http_date(raw: str) -> datetime | None:
    """Read an HTTP-date (RFC 9110, 5.6.7); None if it is none."""
    try:
        moment = parsedate_to_datetime(raw)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_retry_after(raw: str | None, *, now: datetime) -> float | None:
    """Read `Retry-After` (RFC 9110, 10.2.3): seconds or an HTTP-date, as seconds from `now`.

    What is neither gives None, what lies in the past gives 0. How long is too long is for the
    caller to say.
    """
    if not raw:
        return None
    raw = raw.strip()
    try:
        seconds = float(raw)
    except ValueError:
        moment = parse_http_date(raw)
        if moment is None:
            return None
        seconds = (moment - now).total_seconds()
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_S)


def error_text(answer: Answer) -> tuple[str, str]:
    """Code and message of a JSON error object, cleaned: no markup, nothing like a key."""
    try:
        body = orjson.loads(answer.body[:_JUNK_BYTES])
    except orjson.JSONDecodeError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    code, message = body.get("code"), body.get("message")
    code = code if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else ""
    message = message if isinstance(message, str) else ""
    return code, _TOKEN.sub("…", _MARKUP.sub(" ", message[:4_000])).strip()[:200]


def status_error(answer: Answer, *, asked: str) -> StoreError | None:
    """The error an answer's status means; None if it is a success.

    Args:
        answer: what the store answered.
        asked: what was asked, for people (`GET https://shop.example/wp-json/wc/v3/orders`).
    """
    status = answer.status
    if 200 <= status < 300:
        return None
    now = answer.clock or datetime.now(UTC)
    wait = parse_retry_after(answer.headers.get("retry-after"), now=now)
    html = answer.is_html
    if status == 429:
        return RateLimitedError(
            f"{asked}: the store asks us to slow down (429).", status=status, retry_after_s=wait
        )
    if status >= 500 or status == 408 or (status == 403 and html):
        hint = _unavailable_hint(status, html=html)
        return StoreUnavailableError(
            f"{asked}: {hint} ({status}).", status=status, retry_after_s=wait
        )
    kind, meaning = _BY_STATUS.get(
        status, (RequestRejectedError, "gave an answer we do not expect")
    )
    if html and status == 401:
        meaning = "asks for a password in front of its API: lift it for the API's address"
    code, message = error_text(answer)
    detail = ": ".join(part for part in (code, message) if part)
    text = f"{asked}: the store {meaning} ({status})."
    return kind(f"{text} It says: {detail}" if detail else text, status=status, retry_after_s=wait)


def _unavailable_hint(status: int, *, html: bool) -> str:
    if status == 503:
        return "the store is in maintenance or overloaded"
    if status == 403 and html:
        return "a firewall in front of the store refuses us: let our address pass there"
    return "the store has a fault of its own"


def read_json(answer: Answer, *, asked: str) -> Any:
    """The JSON of a successful answer, whatever a badly kept shop printed before it.

    Raises:
        StoreUnavailableError: a page for people, or nothing that is JSON.
        StoreUnreachableError: the JSON is cut short; asking again may bring it whole.
    """
    try:
        value = orjson.loads(answer.body)
        # PostgreSQL keeps no NUL in text; to look for its escape costs next to nothing.
        return keepable(value) if b"\\u0000" in answer.body else value
    except orjson.JSONDecodeError:
        pass
    body = answer.body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise StoreUnreachableError(f"{asked}: the answer is empty.", status=answer.status)
    if body[:1] in (b"[", b"{"):
        found, value = _try_json(body)
        if found:
            return value
        raise StoreUnreachableError(f"{asked}: the answer was cut short.", status=answer.status)
    found, value = _json_behind_junk(body)
    if found:
        return value
    if answer.is_html:
        raise StoreUnavailableError(
            f"{asked}: the store answered with a web page instead of data. A maintenance page,"
            " a cache or a security plugin may stand before its API.",
            status=answer.status,
        )
    if _JSON_START.search(body[:_JUNK_BYTES]):
        raise StoreUnreachableError(f"{asked}: the answer was cut short.", status=answer.status)
    raise StoreUnavailableError(
        f"{asked}: the store answered with something that is not JSON.", status=answer.status
    )


def _try_json(body: bytes) -> tuple[bool, Any]:
    """JSON, or what PHP can make of it: NaN, and half of a surrogate pair."""
    try:
        return True, keepable(json.loads(body, parse_constant=lambda _: None))
    except (ValueError, RecursionError):
        return False, None


def _json_behind_junk(body: bytes) -> tuple[bool, Any]:
    """Find JSON behind PHP notices: from a start that is not inside other JSON to the very end."""
    tries = 0
    for match in _JSON_START.finditer(body, 0, _JUNK_BYTES):
        start = match.start()
        if tries == _JUNK_TRIES:
            break
        if body[max(0, start - 64) : start].rstrip()[-1:] in (b":", b",", b"[", b"{"):
            continue
        tries += 1
        found, value = _try_json(body[start:])
        if found:
            return True, value
    return False, None
