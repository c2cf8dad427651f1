"""Faults on demand: rules that say which request goes wrong, and how."""

from asyncio import sleep
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

from sandbox.wire import Reply, Request, Send, send_head, send_reply

KINDS = (
    *("error", "maintenance", "slow", "drop", "lost", "truncate", "html", "bom", "notice"),
    "strip_authorization",
)
_CUTS = frozenset(("drop", "lost"))
MAINTENANCE_RETRY_S = 600
_ROUNDS_TO_NOTICE = 5
_NOTICE = (
    b"<br />\n<b>Notice</b>:  Undefined index: foo in <b>/srv/shop/wp-content/plugins/old/old.php"
    b"</b> on line <b>42</b><br />\n"
)
_PAGE = (
    "<!DOCTYPE html>\n<html dir='ltr'>\n<head>\n\t<meta http-equiv=\"Content-Type\" "
    'content="text/html; charset=utf-8" />\n\t<title>{title}</title>\n</head>\n<body><h1>{title}'
    "</h1></body>\n</html>\n"
)
_TITLES = {429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Busy"}


class ConnectionDroppedError(Exception):
    """Raised where a dropped connection cannot be shown as one (no socket below the app)."""


@dataclass(slots=True)
class Rule:
    """One fault.

    `drop` cuts the connection after the store did its work, `when` says whether `before` its
    answer's headers or in the midst of the body; `lost` cuts it before the store knows of the
    request; `error`, `maintenance` and `html` answer in the store's place, which does nothing.

    A request matches by `path` (prefix of the REST route, `/wc/v3/orders`) and `method`; of
    the matching ones it strikes the `nth`, or all after the first `skip`, each with
    `probability`, `count` times at most (0: no limit).
    """

    kind: str
    path: str = "/"
    method: str = ""
    nth: int = 0
    skip: int = 0
    probability: float = 1.0
    count: int = 0
    seed: int = 1
    status: int = 500
    retry_after: int | None = None
    delay_s: float = 1.0
    when: str = "before"
    silent: bool = False
    matched: int = 0
    struck: int = 0
    _random: Random = field(default_factory=Random, repr=False)

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """A rule from JSON; raises `ValueError` naming what is wrong."""
        known = {name for name in cls.__slots__ if not name.startswith("_")}
        unknown = set(data) - known
        if unknown:
            raise ValueError(f"unknown fault members {sorted(unknown)}; known: {sorted(known)}")
        if data.get("kind") not in KINDS:
            raise ValueError(f"kind must be churn or one of {', '.join(KINDS)}")
        rule = cls(**data)
        rule.path = "/" + rule.path.removeprefix("/wp-json").strip("/")
        rule._random = Random(rule.seed)
        return rule

    def show(self) -> dict[str, Any]:
        """The rule as JSON."""
        return {name: getattr(self, name) for name in self.__slots__ if not name.startswith("_")}

    def strikes(self, method: str, route: str) -> bool:
        """Whether this request goes wrong; counts it either way."""
        if not route.startswith(self.path) or (self.method and method != self.method.upper()):
            return False
        self.matched += 1
        if self.count and self.struck >= self.count:
            return False
        if self.nth and self.matched != self.nth:
            return False
        if self.matched <= self.skip or self._random.random() >= self.probability:
            return False
        self.struck += 1
        return True


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def striking(self, request: Request, route: str) -> list[Rule]:
        """The rules that strike a request, in the order they were set."""
        return [rule for rule in self.rules if rule.strikes(request.method, route)]


def answer_instead(rules: list[Rule]) -> Reply | None:
    """The reply of the first rule that replaces the shop's answer altogether."""
    for rule in rules:
        match rule.kind:
            case "error":
                return _page(rule.status, rule.retry_after)
            case "maintenance":
                wait = MAINTENANCE_RETRY_S if rule.retry_after is None else rule.retry_after
                return _page(503, wait, "Maintenance")
            case "html":
                return _page(200, None, "Checking your browser")
            case "lost":
                return Reply(0, b"")
    return None


def cuts(rules: list[Rule]) -> bool:
    """Whether the rules break the connection."""
    return any(rule.kind in _CUTS for rule in rules)


def spoil(reply: Reply, rules: list[Rule]) -> Reply:
    """The shop's reply with what the rules put before or cut off its JSON."""
    for rule in rules:
        match rule.kind:
            case "bom":
                reply.body = b"\xef\xbb\xbf" + reply.body
            case "notice":
                reply.body = _NOTICE + reply.body
            case "truncate":
                reply.body = reply.body[: len(reply.body) // 2]
    return reply


async def wait_out(rules: list[Rule]) -> None:
    """Be as slow as the rules say."""
    for rule in rules:
        if rule.kind == "slow":
            await sleep(rule.delay_s)


async def deliver(send: Send, reply: Reply, rules: list[Rule]) -> None:
    """Send a reply, or break the connection before or after its headers."""
    dropped = next((rule for rule in rules if rule.kind in _CUTS), None)
    if dropped is None:
        await send_reply(send, reply)
        return
    if dropped.kind == "drop" and dropped.when != "before":
        await send_head(send, reply)
        half = reply.body[: len(reply.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionDroppedError
    transport.abort()
    # Lets the server notice, so that it does not answer 500 in our place.
    for _ in range(_ROUNDS_TO_NOTICE):
        await sleep(0)


def _page(status: int, retry_after: int | None, title: str = "") -> Reply:
    text = _PAGE.format(title=title or _TITLES.get(status, f"Error {status}"))
    headers = [("Content-Type", "text/html; charset=UTF-8")]
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    return Reply(status, text.encode(), headers)
