"""The address a merchant types for a store, brought into one form."""

import ipaddress
import re
from typing import Final

from domain.errors import AddressRefusedError
from providers._kit.ssrf import check_url

_LONGEST: Final = 2_000
_FORBIDDEN: Final = re.compile(r"[\s\x00-\x1f\x7f\\]")


def normalise_store_url(raw: str, *, strip_path: re.Pattern[str] | None = None) -> str:
    """Scheme, host in ASCII (RFC 5891), port if not the scheme's own, path without end slash.

    Args:
        raw: what was typed.
        strip_path: what to cut off the path's end, such as the route of an API.

    Raises:
        ValueError: not an http(s) address we can use; the message says why.
    """
    text = raw.strip()
    if len(text) > _LONGEST or _FORBIDDEN.search(text):
        raise ValueError("The store URL holds characters or a length that no address has.")
    if "://" not in text:
        raise ValueError("The store URL must begin with https:// (or http://).")
    try:
        parts = check_url(text)
    except AddressRefusedError as error:
        raise ValueError(str(error)) from None
    if parts.query or parts.fragment:
        raise ValueError("The store URL must end before any ? or #.")
    host = _ascii_host(parts.hostname or "")
    own_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, own_port) else f":{parts.port}"
    path = parts.path.rstrip("/")
    if strip_path is not None:
        path = strip_path.sub("", path).rstrip("/")
    return f"{parts.scheme}://{host}{port}{path}"


def _ascii_host(host: str) -> str:
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host).compressed}]"
    try:
        ascii_host = host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise ValueError("The store URL's host name is not one.") from None
    if not re.fullmatch(r"[a-z0-9._-]+", ascii_host):
        raise ValueError("The store URL's host name is not one.")
    return ascii_host
