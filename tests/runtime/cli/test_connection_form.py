import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from runtime.cli.connection_form import complete, read_fields
from runtime.cli.errors import CliError

SCHEMA = {
    "required": ["storeUrl", "consumerSecret"],
    "properties": {
        "storeUrl": {"title": "Store URL", "description": "The shop's home address."},
        "consumerSecret": {"title": "Consumer secret", "format": "password", "writeOnly": True},
        "webhookSecret": {"title": "Webhook secret", "writeOnly": True},
    },
}


def test_fields_come_from_options_and_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("cs_1=2\n")
    assert read_fields(["storeUrl=https://a.example/?x=1", f"consumerSecret=@{secret}"]) == {
        "storeUrl": "https://a.example/?x=1",
        "consumerSecret": "cs_1=2",
    }


@pytest.mark.parametrize("given", ["storeUrl", "=x", ""])
def test_a_field_without_name_or_value_is_refused(given: str) -> None:
    with pytest.raises(CliError, match="--config takes FIELD=VALUE"):
        read_fields([given])


def test_what_is_missing_is_asked_for_and_secrets_are_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def prompt(question: str, *, hide_input: bool) -> Any:
        asked.append((question, hide_input))
        return f" answer {len(asked)} "

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", prompt)
    assert complete(SCHEMA, {}) == {"storeUrl": "answer 1", "consumerSecret": "answer 2"}
    assert asked == [("Store URL", False), ("Consumer secret", True)]


def test_without_a_terminal_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    with pytest.raises(CliError) as refused:
        complete(SCHEMA, {"storeUrl": "https://a.example"})
    assert str(refused.value) == "Consumer secret is missing: give it with -c consumerSecret=…"
