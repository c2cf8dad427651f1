import re
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from runtime.cli import progress
from runtime.cli.progress import showing_import

COUNTS = {
    "phase": "pages",
    "round": 0,
    "total": 200,
    "seen": 100,
    "created": 100,
    "updated": 0,
    "unchanged": 0,
    "deleted": 0,
    "rejected": 0,
    "pages": 1,
}


def status(state: str, **counts: int) -> dict[str, Any]:
    return {
        "syncStatus": state,
        "lastSyncError": None,
        "nextRetryAt": None,
        "entities": {"orders": {**COUNTS, **counts}},
    }


RUNNING = status("in_progress")
CATCHING_UP = status("in_progress", seen=205, round=1, rejected=3)
DONE = status("success", seen=195, created=190, unchanged=5, round=1)


def test_without_a_terminal_each_thing_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = {**RUNNING, "lastSyncError": "HTTP 503", "nextRetryAt": "2026-11-21T10:00:00Z"}
    with showing_import() as show:
        for one in (RUNNING, RUNNING, waiting, waiting, CATCHING_UP, CATCHING_UP, DONE):
            show(one)
    assert capsys.readouterr().out.splitlines() == [
        "waiting: HTTP 503 (next try at 2026-11-21T10:00:00Z)",
        "orders: all 200 read",
        "orders: 190 created, 5 unchanged",
    ]


def test_at_a_terminal_each_entity_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = StringIO()
    terminal = Console(file=shown, force_terminal=True, width=120, color_system=None)
    monkeypatch.setattr(progress, "console", lambda **_options: terminal)
    with showing_import() as show:
        for one in (RUNNING, CATCHING_UP, DONE):
            show(one)
    last = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", shown.getvalue()).rstrip().splitlines()[-1]
    assert last.split("━")[0].split() == ["✓", "orders"]
    assert "195 / 195" in last
    assert last.rstrip().endswith("190 created, 5 unchanged")
