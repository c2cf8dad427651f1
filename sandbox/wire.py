"""A request read in full and a reply held in full: all that a shop's handlers see of HTTP."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import unquote

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 16 * 1024 * 1024


class TooLargeError(Exception):
    """A request body beyond `MAX_BODY`."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` is decoded, `raw_path` and `query` are as sent."""

    method: str
    scheme: str
    path: str
    raw_path: str
    query: str
    headers: dict[str, str]
    body: bytes
    # The host took the Authorization header away and lets the shop say so.
    authorization_lost: bool = False

    def basic_credentials(self) -> tuple[str, str]:
        """User and password of the Basic scheme (RFC 7617), empty where there are none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return "", ""
        try:
            user, _, password = b64decode(token, validate=True).decode().partition(":")
        except (Base64Error, UnicodeDecodeError):
            return "", ""
        return user, password


@dataclass(slots=True)
class Reply:
    """What to answer."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)


async def read_request(scope: Scope, receive: Receive) -> Request:
    """The request of an ASGI scope; raises `TooLargeError` past the limit."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise TooLargeError
        if not message.get("more_body"):
            break
    raw_path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    return Request(
        method=scope["method"],
        scheme=scope["scheme"],
        path=unquote(raw_path),
        raw_path=raw_path,
        query=scope["query_string"].decode("latin-1"),
        headers={k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]},
        body=b"".join(parts),
    )


async def send_reply(send: Send, reply: Reply) -> None:
    """Answer in full. Without a length the server frames the body in chunks, as nginx in front of
    PHP does."""
    await send_head(send, reply)
    await send({"type": "http.response.body", "body": reply.body})


async def send_head(send: Send, reply: Reply) -> None:
    """Send the status and headers only."""
    headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
