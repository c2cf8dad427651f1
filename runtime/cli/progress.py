"""An import while it runs: a bar per entity, or a line whenever something is done."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from runtime.cli.imports import Status
from runtime.cli.screen import console, say

Show = Callable[[Status], None]


@contextmanager
def showing_import(*, stderr: bool = False) -> Iterator[Show]:
    """Gives what is to be called with every answer about the import."""
    out = console(stderr=stderr)
    if not out.is_terminal:
        yield _Lines(stderr=stderr).show
        return
    bars = Progress(
        SpinnerColumn(style="cyan", finished_text="[green]✓[/green]"),
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=32, complete_style="cyan", finished_style="green"),
        _CountColumn(),
        _RateColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        _NoteColumn(),
        console=out,
    )
    with bars:
        yield _Bars(bars).show


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def show(self, status: Status) -> None:
        is_done = status["syncStatus"] == "success"
        for entity, one in status["entities"].items():
            if entity not in self._tasks:
                self._tasks[entity] = self._bars.add_task(entity, total=None, note="")
            seen, total = one["seen"], one["total"]
            if is_done:  # the shop's own total counts drafts, which are no orders
                seen = total = max(seen, 1)
            elif total is not None:
                seen = min(seen, total)
            note = _result(one) if is_done else _note(one)
            self._bars.update(self._tasks[entity], total=total, completed=seen, note=note)


class _Lines:
    """Says each entity once when all its pages are read, and each trouble when it begins."""

    def __init__(self, *, stderr: bool) -> None:
        self._stderr = stderr
        self._said: set[str] = set()

    def show(self, status: Status) -> None:
        for entity, one in status["entities"].items():
            total = one["total"]
            if total is not None and one["seen"] >= total:
                self._say(entity, f"{entity}: all {total:,} read")
        if status["syncStatus"] == "success":
            for entity, one in status["entities"].items():
                self._say(f"{entity} done", f"{entity}: {_result(one) or 'none'}")
        if error := status["lastSyncError"]:
            retry = status["nextRetryAt"]
            self._say(error, f"waiting: {error}" + (f" (next try at {retry})" if retry else ""))

    def _say(self, key: str, line: str) -> None:
        if key not in self._said:
            self._said.add(key)
            say(line, stderr=self._stderr)


class _CountColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        total = "?" if task.total is None else f"{int(task.total):,}"
        return Text(f"{int(task.completed):>7,} / {total:<7}", style="default")


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:>7,.0f}/s" if speed else " " * 9, style="cyan")


class _NoteColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(str(task.fields.get("note", "")), style="dim")


def _note(one: Mapping[str, Any]) -> str:
    """What is going on beyond reading pages."""
    notes = [f"catching up, round {one['round']}"] if one["round"] else []
    if one["rejected"]:
        notes.append(f"{one['rejected']:,} set aside")
    return ", ".join(notes)


def _result(one: Mapping[str, Any]) -> str:
    """What came of it, without what is zero."""
    kinds = ("created", "updated", "unchanged", "deleted", "rejected")
    return ", ".join(f"{one[kind]:,} {kind}" for kind in kinds if one[kind])
