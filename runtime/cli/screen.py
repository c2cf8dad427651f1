"""What commands show: tables and bars for a person at a terminal, plain lines for anything else."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def console(*, stderr: bool = False) -> Console:
    """Writes text as it is: no markup, no highlighting, no cutting where there is no terminal."""
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


def say(line: str, *, stderr: bool = False, style: str = "") -> None:
    """One line."""
    console(stderr=stderr).print(Text(line, style=style))


def complain(line: str) -> None:
    """One line on stderr that says what is wrong."""
    said = " ".join(line.split())
    prefix = Text("entrepot: ", style="bold red")
    console(stderr=True).print(prefix + Text(said, style="not bold default"))


def show_json(value: Any) -> None:
    """JSON on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def show_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numbers: Sequence[str] = (),
    stderr: bool = False,
) -> None:
    """Rows under their columns; lines of tab-separated fields where there is no terminal."""
    out = console(stderr=stderr)
    if not out.is_terminal:
        for row in (columns, *rows):  # not through the console, which turns tabs into spaces
            out.file.write("\t".join(_told(value) for value in row) + "\n")
        return
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for column in columns:
        is_number = column in numbers
        table.add_column(column, justify="right" if is_number else "left", no_wrap=is_number)
    for row in rows:
        table.add_row(*(Text(_told(value, grouped=True)) for value in row))
    out.print(table, soft_wrap=False)


def _told(value: object, *, grouped: bool = False) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if grouped and isinstance(value, int) else str(value)


def day(moment: datetime | None) -> str:
    """A moment to the minute, in UTC."""
    return "-" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
