"""Which API a command talks to: options, then the environment, then a hub on this machine."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from dotenv import dotenv_values

from runtime.cli.api_client import ApiAccess, ApiClient, connect
from runtime.cli.errors import CliError
from runtime.cli.options import DEFAULT_DIR, Asked
from runtime.embedded.connection import CONNECTION_FILE, Connection, load_connection

T = TypeVar("T")

_URL, _KEY, _SECRET = "ENTREPOT_API_URL", "ENTREPOT_API_KEY", "ENTREPOT_API_SECRET"


def find_access(asked: Asked) -> ApiAccess:
    """The API and the key to it.

    A key is never sent to an address that it was not given together with: where the address comes
    from the options or the environment, so must the key.

    Raises:
        CliError: something is missing.
    """
    variables = dotenv_values(".env") | os.environ
    if asked.data_dir is not None:
        return _of(_connection(asked.data_dir), asked)
    url = asked.url or variables.get(_URL)
    if url is None:
        default = Path(variables.get("ENTREPOT_DATA_DIR") or DEFAULT_DIR)
        return _of(_connection(default), asked)
    key, secret = asked.key or variables.get(_KEY), asked.secret or variables.get(_SECRET)
    if not key or not secret:
        raise CliError(
            f"give the key to {url} with --api-key and --api-secret, or {_KEY} and {_SECRET}"
        )
    return ApiAccess(url, key, secret)


def _connection(data_dir: Path) -> Connection:
    found = load_connection(data_dir)
    if found is None:
        raise CliError(
            f"no hub to talk to: give --api-url (or {_URL}), or run `entrepot up` "
            f"(there is no {data_dir / CONNECTION_FILE})"
        )
    return found


def _of(connection: Connection, asked: Asked) -> ApiAccess:
    if asked.key and asked.secret:
        return ApiAccess(connection.api_url, asked.key, asked.secret)
    return ApiAccess(connection.api_url, connection.api_key, connection.api_secret)


def with_api(asked: Asked, work: Callable[[ApiClient], Awaitable[T]]) -> T:
    """Do `work` with the API. Raises CliError."""

    async def doing() -> T:
        async with connect(find_access(asked)) as api:
            return await work(api)

    return asyncio.run(doing())


async def pick_store(api: ApiClient, wanted: str | None) -> Any:
    """The store of that id or code, or the only one there is. Raises CliError."""
    stores = [store async for store in api.list_all("/api/stores")]
    if wanted is None and len(stores) == 1:
        return stores[0]
    for store in stores:
        if wanted in {str(store["id"]), store["code"]}:
            return store
    codes = ", ".join(f"{store['code']} ({store['id']})" for store in stores) or "none yet"
    if wanted is None:
        raise CliError(f"say which store: {codes}")
    raise CliError(f"there is no store {wanted!r}; there are: {codes}")
