"""What a bench found, for people."""

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.table import Table

_PROFILE_ROWS: Final = 25
_AIMS: Final[Mapping[str, str]] = {
    "ratio": "at least 0.7",
    "history_events_per_1000": "at most 15",
    "worker_peak_mb": "under 250",
    "worker_peak_mb_10k": "the same for all sizes",
    "worker_peak_mb_200k": "the same for all sizes",
    "dlt_ratio": "at least 4",
}

_AIMS_OF: Final[Mapping[tuple[str, str], str]] = {
    ("export", "ratio"): "at least 0.3",
    ("export", "api_peak_mb"): "near that before",
    ("reads", "ratio"): "at least 0.6",
    ("reads", "deep_page_ratio"): "at most 1.2",
}


def show_figures(console: Console, name: str, figures: Mapping[str, Any]) -> None:
    """All figures of a bench as a table."""
    table = Table(title=f"bench: {name}", title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    table.add_column("aim")
    for what, value in figures.items():
        table.add_row(what, _text(value), _AIMS_OF.get((name, what), _AIMS.get(what, "")))
    console.print(table)


def show_profile(console: Console, sampled: Mapping[str, Any]) -> None:
    """Where the worker's CPU time went, in microseconds a record."""
    for kind, title in (("own", "in the function itself"), ("within", "with what it calls")):
        table = Table(title=f"worker's main thread, {title}", title_justify="left")
        table.add_column("us/record", justify="right")
        table.add_column("share", justify="right")
        table.add_column("function", overflow="fold")
        for where, used in sampled[kind][:_PROFILE_ROWS]:
            share = used / sampled["main_thread_s"]
            table.add_row(f"{1e6 * used / sampled['records']:.1f}", f"{share:.1%}", where)
        console.print(table)


def _text(value: object) -> str:
    if value is None:
        return "not measured"
    if isinstance(value, Mapping):
        return "\n".join(f"{name} {_text(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
