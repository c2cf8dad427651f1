"""Loading code when it is called: help and mistakes should not wait for the servers' libraries."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class Later:
    """A function of a module that is loaded when it is called, or before by `load`."""

    module: str
    name: str

    def load(self) -> None:
        """Load the module now."""
        import_module(self.module)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return getattr(import_module(self.module), self.name)(*args, **kwargs)


def later(target: str) -> Later:
    """`module:function`, imported when it is called."""
    module, _, name = target.partition(":")
    return Later(module, name)
