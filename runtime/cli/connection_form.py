"""Filling in a provider's connection form: from options, and by asking at a terminal."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from runtime.cli.errors import CliError


def read_fields(given: Sequence[str]) -> dict[str, str]:
    """`FIELD=VALUE` and `FIELD=@file`, one each.

    Raises:
        CliError: one has another form, or its file cannot be read.
    """
    fields: dict[str, str] = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not name or not sign:
            raise CliError(f"--config takes FIELD=VALUE, not {name!r}")
        fields[name] = _read_file(value[1:]) if value.startswith("@") else value
    return fields


def _read_file(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"cannot read {path} ({type(error).__name__})") from None


def complete(schema: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The form with everything it requires; what is missing is asked for at a terminal.

    Raises:
        CliError: nobody is there to be asked.
    """
    form = dict(given)
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        if name in form:
            continue
        if name in required:
            form[name] = ask(f"-c {name}=…", field)
    return form


def ask(option: str, field: Mapping[str, Any]) -> str:
    """What somebody types for a field of a form; secrets are not shown.

    Raises:
        CliError: nobody is there to be asked; it names the option.
    """
    if not sys.stdin.isatty():
        raise CliError(f"{field['title']} is missing: give it with {option}")
    question = str(field["title"])
    if description := field.get("description"):
        typer.secho(str(description), dim=True, err=True)
    answer: str = typer.prompt(
        question, hide_input=bool(field.get("writeOnly") or field.get("format") == "password")
    )
    return answer.strip()
