"""The documents say nothing that is not there."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from runtime.cli.app import build_app
from runtime.settings import CLIENT_VARIABLES, PREFIX, Settings
from tests.docs.seed_names import SEED_NAMES
from workflows.registration import WORKFLOWS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")],
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
COMMANDS = typer.main.get_command(build_app())
CALL = r"(?:\.venv/bin/entrepot|entrepot|docker compose run --rm migrate) ([a-z].*)"


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose_of(name: str) -> str:
    return re.sub(r"^( *)```.*?^\1```", "", text_of(name), flags=re.DOTALL | re.MULTILINE)


def code_of(name: str) -> Iterator[str]:
    """Code spans, and the lines of code blocks without their comments."""
    for block in re.findall(r"^ *```\w*\n(.*?)^ *```", text_of(name), re.DOTALL | re.MULTILINE):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            yield re.sub(r"(^|\s)#\s.*", "", line).strip()
    yield from re.findall(r"`([^`\n]+)`", prose_of(name))


def subcommands(command: Any) -> dict[str, Any]:
    return dict(getattr(command, "commands", {}))


def anchors_of(name: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(name), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("name", NAMES)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(name)):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        found = (ROOT / name).parent.joinpath(path).resolve() if path else ROOT / name
        is_broken = not found.is_relative_to(ROOT) or not found.exists()
        if is_broken or (anchor and anchor not in anchors_of(str(found.relative_to(ROOT)))):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("name", NAMES)
def test_every_command_and_option_exists(name: str) -> None:
    unknown = []
    for code in code_of(name):
        if not (found := re.match(CALL, code)):
            continue
        command, words = COMMANDS, shlex.split(found[1])
        while words and words[0] in subcommands(command):
            command = subcommands(command)[words.pop(0)]
        options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        if (words and subcommands(command)) or not given <= options:
            unknown.append(code)
    assert unknown == []


def test_the_script_entrepot_is_there() -> None:
    scripts = tomllib.loads(text_of("pyproject.toml"))["project"]["scripts"]
    module, _, function = scripts["entrepot"].partition(":")
    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize("name", NAMES)
def test_every_target_of_make_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = {found for code in code_of(name) for found in re.findall(r"\bmake ([a-z-]+)", code)}
    assert named - targets == set()


def test_every_setting_is_documented_and_none_is_made_up() -> None:
    documented = "\n".join(map(text_of, [".env.example", *NAMES]))
    settings = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", documented))
    assert settings - named == set()
    assert named - settings - set(CLIENT_VARIABLES) == set()


def test_glossary_maps_every_name_of_the_documents_before() -> None:
    mapping = text_of("docs/glossary.md").partition("## Store integration module")[2]
    said = " ".join(re.findall(r"^\| (.*?) \| ", mapping, re.MULTILINE))
    missing = [
        name for name in SEED_NAMES if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said)
    ]
    assert missing == []


def test_a_restore_ends_every_kind_of_workflow() -> None:
    named = set(re.findall(r'"(\w+Workflow)"', text_of("docs/how-to/back-up-and-restore.md")))
    assert named == {one.__name__ for one in WORKFLOWS}


def test_every_decision_is_listed() -> None:
    pages = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("0*.md"))
    index = text_of("docs/decisions/README.md")
    assert re.findall(r"^\| \[\d{4}\]\(([^)]+)\)", index, re.MULTILINE) == pages != []


@pytest.mark.parametrize("name", [one for one in NAMES if one != "docs/api-reference.md"])
def test_a_document_fits_in_three_hundred_lines(name: str) -> None:
    assert len(text_of(name).splitlines()) <= 300
