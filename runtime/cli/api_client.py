"""The hub's HTTP API as commands use it."""

import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from runtime.cli.errors import CliError
from runtime.failures import FAILED

_PAGE: Final = 500
_TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)


class UnreachableError(CliError):
    """Nothing answers at the API's address, or what answers cannot serve now."""


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Where the API is, and the key to it."""

    url: str
    key: str
    secret: str = field(repr=False)


class ApiClient:
    """Answers as parsed JSON; whatever is not a success is a CliError with the problem's words."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, **params: str | int | None) -> Any:
        """The body of an answer; parameters that are None are left out."""
        given = {name: value for name, value in params.items() if value is not None}
        return await self._send("GET", path, params=given)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The body of the answer to a POST."""
        return await self._send("POST", path, json=body)

    async def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """The body of the answer to a PUT."""
        return await self._send("PUT", path, json=body)

    async def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """The body of the answer to a PATCH."""
        return await self._send("PATCH", path, json=body)

    async def list_all(self, path: str, **params: str | int | None) -> AsyncIterator[Any]:
        """Every entry of a list, page by page."""
        cursor: str | None = None
        while True:
            page = await self.get(path, limit=_PAGE, cursor=cursor, **params)
            for entry in page["data"]:
                yield entry
            cursor = page["nextCursor"]
            if cursor is None:
                return

    async def _send(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = await self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"the API at {self._http.base_url} does not answer ({type(error).__name__}): "
                "is `entrepot up` running there?",
                exit_code=FAILED,
            ) from None
        if answer.is_success:
            return answer.json() if answer.content else None
        raise _refusal(answer)


@asynccontextmanager
async def connect(access: ApiAccess) -> AsyncIterator[ApiClient]:
    """A client of the API. Proxies are for addresses beyond this machine. Raises CliError."""
    if not access.url.startswith(("http://", "https://")):
        raise CliError(f"{access.url!r} is not the address of an API: it begins with https://")
    headers = {"X-API-Key": access.key, "X-API-Secret": access.secret}
    try:
        async with httpx.AsyncClient(
            base_url=access.url,
            headers=headers,
            timeout=_TIMEOUT,
            trust_env=not _is_local(access.url),
        ) as http:
            yield ApiClient(http)
    except httpx.InvalidURL:
        raise CliError(f"{access.url!r} is not the address of an API") from None


def _refusal(answer: httpx.Response) -> CliError:
    try:
        problem = answer.json()
        told = str(problem.get("detail") or problem["title"])
        # `detail` mostly names them already.
        fields = (f"{one['pointer']}: {one['detail']}" for one in problem.get("errors", ()))
        told += "".join(f" {field}" for field in fields if field not in told)
    except (ValueError, KeyError, TypeError, AttributeError):
        told = "what answers there is not the API of a hub"
    line = f"{' '.join(told.split())} (HTTP {answer.status_code})"
    if answer.status_code >= 500:
        return UnreachableError(line, exit_code=FAILED)
    return CliError(line)


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
