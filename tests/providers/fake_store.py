"""A store that is a function: records what it is asked, and answers from a table."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from providers._kit.http import HttpLimits, StoreSession

CLOCK = "Sat, 21 Nov 2026 00:57:12 GMT"

Answering = Callable[[httpx.Request], httpx.Response]


def json_answer(
    body: Any, *, status: int = 200, total: int | None = None, pages: int | None = None
) -> httpx.Response:
    headers = {"content-type": "application/json; charset=UTF-8", "date": CLOCK}
    if total is not None:
        headers["x-wp-total"] = str(total)
    if pages is not None:
        headers["x-wp-totalpages"] = str(pages)
    return httpx.Response(status, headers=headers, content=json.dumps(body).encode())


def rest_error(status: int, code: str, message: str = "") -> httpx.Response:
    body = {"code": code, "message": message, "data": {"status": status}}
    return json_answer(body, status=status)


@dataclass
class FakeStore:
    answering: Answering
    asked: list[httpx.Request] = field(default_factory=list)

    def session(self, *, limits: HttpLimits | None = None) -> StoreSession:
        return StoreSession(httpx.MockTransport(self._answer), limits=limits)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answering(request)

    @property
    def queries(self) -> list[tuple[str, dict[str, str]]]:
        return [(request.url.path, dict(request.url.params)) for request in self.asked]
