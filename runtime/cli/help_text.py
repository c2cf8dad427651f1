"""The words of `--help`."""

import inspect
from collections.abc import Callable
from typing import Any


def prose(function: Callable[..., Any]) -> str:
    """The docstring with its paragraphs unwrapped: the terminal's width is not the source's."""
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def examples(*lines: str) -> str:
    """An epilog of example lines; what stands behind two spaces and a `#` says what one does."""
    told = []
    for line in lines:
        command, sign, what = line.partition("  # ")
        told.append(f"[cyan]{command}[/cyan]" + (f"  [dim]# {what}[/dim]" if sign else ""))
    return "[bold]Examples[/bold]\n\n" + "\n\n".join(told)
