"""The options of a command that talks to the API, written once."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from runtime.cli.options import ApiKey, ApiSecret, ApiUrl, Asked, HubDir


def _which_api(
    *,
    api_url: ApiUrl = None,
    api_key: ApiKey = None,
    api_secret: ApiSecret = None,
    data_dir: HubDir = None,
) -> Asked:
    return Asked(api_url, api_key, api_secret, data_dir)


def asks_api(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options that say which API it talks to. It takes them as `asked`."""
    own = inspect.signature(command, eval_str=True)
    options = inspect.signature(_which_api, eval_str=True).parameters
    parameters = [
        *(one for one in own.parameters.values() if one.name != "asked"),
        *options.values(),
    ]

    @functools.wraps(command)
    def with_options(*args: Any, **given: Any) -> None:
        told = {name: given.pop(name) for name in options}
        command(*args, asked=_which_api(**told), **given)

    del with_options.__wrapped__
    # What typer reads a command's options from.
    with_options.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=parameters
    )
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_options
