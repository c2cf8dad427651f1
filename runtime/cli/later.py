"""Loading what a command needs when it runs, so that help and mistakes do not wait for it."""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(target: str) -> Callable[..., Any]:
    """`module:function`, imported when it is called."""
    module, _, name = target.partition(":")

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(module), name)(*args, **kwargs)

    return call
