"""How one store's API is reached, and what its answers mean.

Source: EasyOrders API docs (base, `Api-Key` header, rate limit, error bodies). That an inactive or
unpaid store answers 400 "Store not active or has over due" to everything was observed live.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from domain.errors import (
    RateLimitedError,
    RequestRejectedError,
    RouteMissingError,
    StoreError,
    StoreSuspendedError,
    StoreUnavailableError,
)
from domain.field_mapping import NO_MAPPING, FieldMapping
from providers._kit.answers import Answer, error_text, read_json, status_error
from providers._kit.protocols import HttpSession, Params
from providers.easyorder.config import EasyOrderConfig
from providers.easyorder.wire import with_plain_keys

_SUSPENDED: Final = "not active"
_NOT_FOUND: Final = "not found"
_MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class ShopAccess:
    """Asks one store. Bodies come back with their keys in one form and amounts exact.

    `mapping` are the store's own rules, for whoever makes records of what comes back.
    """

    config: EasyOrderConfig
    session: HttpSession
    mapping: FieldMapping = NO_MAPPING

    async def get(self, route: str, params: Params = ()) -> tuple[Any, Answer]:
        """What a route says. Raises StoreError."""
        asked = self.describe("GET", route)
        answer = await self._send("GET", route, params=params)
        _raise_refusal(answer, asked)
        return read_exact(answer, asked=asked), answer

    async def find(self, route: str) -> Mapping[str, Any] | None:
        """One record; None if the store says that there is none.

        A route that is missing altogether is an error: it proves nothing of the record.

        Raises StoreError.
        """
        try:
            body, _ = await self.get(route)
        except (RouteMissingError, RequestRejectedError) as error:
            if _NOT_FOUND in str(error).lower():
                return None
            raise
        return self._record(body, route)

    async def find_listed(self, route: str) -> Mapping[str, Any] | None:
        """Like `find`, for a record whose list answers: here a missing route is a missing record.

        Raises StoreError.
        """
        try:
            return await self.find(route)
        except RouteMissingError:
            return None

    async def write(self, method: str, route: str, body: Mapping[str, Any]) -> Any:
        """Send a JSON body; what the store answered, None if that is nothing we can read.

        The answers of writes are not documented, so an odd one is no failure.

        Raises:
            StoreError: it was not taken.
        """
        answer = await self._send(method, route, content=to_json(body))
        asked = self.describe(method, route)
        _raise_refusal(answer, asked)
        try:
            return read_exact(answer, asked=asked)
        except StoreError:
            return None

    def describe(self, method: str, route: str) -> str:
        """A request for people."""
        return f"{method} {self.config.api_url}/{route}"

    async def _send(
        self, method: str, route: str, *, params: Params = (), content: bytes | None = None
    ) -> Answer:
        return await self.session.request(
            method,
            f"{self.config.api_url}/{route}",
            params=params,
            auth=self._sign,
            content=content,
        )

    def _sign(self, _method: str, _url: str, params: Params) -> tuple[Params, dict[str, str]]:
        return params, {"api-key": self.config.api_key.get_secret_value()}

    def _record(self, body: Any, route: str) -> Mapping[str, Any]:
        record = unwrap_record(body)
        if record is None:
            raise StoreUnavailableError(
                f"{self.describe('GET', route)}: the store answered with something that is not a"
                " record."
            )
        return record


def unwrap_record(body: Any) -> Mapping[str, Any] | None:
    """The one object of an answer: bare, in `data`, or alone in a list."""
    if isinstance(body, dict) and "id" not in body and "data" in body:
        body = body["data"]
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    return body if isinstance(body, dict) else None


def unwrap_rows(body: Any) -> tuple[list[Any], bool] | None:
    """The rows of a list's answer, and whether it was a list; None if it is neither.

    The docs print one bare object, clients report a bare array, or the array in `data`.
    """
    if isinstance(body, dict) and "data" in body and "id" not in body:
        body = body["data"]
    if isinstance(body, list):
        return body, True
    if body is None:
        return [], True
    return ([body], False) if isinstance(body, dict) else None


def read_exact(answer: Answer, *, asked: str) -> Any:
    """The JSON of an answer with amounts as `Decimal`: a float would not be what was written."""
    value = read_json(answer, asked=asked)
    try:
        if b"\\u0000" not in answer.body:
            value = json.loads(answer.body, parse_float=Decimal)
    except (ValueError, RecursionError):
        pass
    return with_plain_keys(value)


def to_json(body: Mapping[str, Any]) -> bytes:
    """A body with amounts as bare numbers, as the store wants them.

    Raises:
        ValueError: an amount has more digits than a JSON number carries safely.
    """
    return json.dumps(body, default=_number, ensure_ascii=False).encode()


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


def _number(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is not JSON")
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    if Decimal(repr(number)) != value:
        raise ValueError("an amount has too many digits for the store")
    return number


def _raise_refusal(answer: Answer, asked: str) -> None:
    error = status_error(answer, asked=asked)
    if error is None:
        return
    _, message = error_text(answer)
    if answer.status == 400 and _SUSPENDED in message.lower():
        raise StoreSuspendedError(
            f"{asked}: connection suspended. The store is not active or its subscription is"
            " overdue: its owner has to settle that with EasyOrders.",
            status=answer.status,
        )
    if isinstance(error, RateLimitedError) and "retry-after" not in answer.headers:
        raise RateLimitedError(
            str(error), status=answer.status, retry_after_s=_until_next_minute(answer)
        )
    raise error


def _until_next_minute(answer: Answer) -> float:
    """To wait for the next minute is what the docs say ("rate limit")."""
    now = answer.clock or datetime.now(UTC)
    return _MINUTE_S - now.second
