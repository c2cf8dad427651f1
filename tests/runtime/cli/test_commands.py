from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from runtime.cli.__main__ import run
from runtime.cli.app import build_app


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours, no .env, no hub in the current folder."""
    for name in ("DATABASE_URL", "MIGRATION_DATABASE_URL", "API_URL", "API_KEY", "API_SECRET"):
        monkeypatch.delenv(f"ENTREPOT_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(build_app())))


def test_there_is_what_the_documents_promise() -> None:
    assert {" ".join(path) for path in COMMANDS} == {
        *("demo", "up", "api", "worker", "migrate", "doctor"),
        *("tenants", "tenants add", "tenants list"),
        *("users", "users add", "users list", "users disable", "users enable"),
        *("users password", "users role"),
        *("keys", "keys create", "keys list", "keys revoke", "keys rotate", "keys usage"),
        "keys rotate-master",
        "keys renew-signing",
        *("stores", "stores add", "stores list", "stores show", "stores test", "stores import"),
        *("syncs", "syncs list", "syncs watch", "syncs cancel"),
        *("sandbox", "sandbox woocommerce", "sandbox easyorder"),
        *("schedules", "schedules show", "schedules set", "schedules run"),
        *("schedules pause", "schedules resume"),
        *("alerts", "retry", "conflicts", "conflicts list", "conflicts show", "conflicts resolve"),
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(
    path: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*path, "--help"]) == 0
    shown = capsys.readouterr()
    assert f"Usage: entrepot {' '.join(path)}" in shown.out
    is_group = hasattr(COMMANDS[tuple(path)], "commands")
    assert ("Examples" in shown.out) != is_group
    assert shown.err == ""


@pytest.mark.parametrize("path", [(), ("keys",), ("stores",)], ids=" ".join)
def test_a_group_alone_shows_its_commands(
    path: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(path) == 2
    assert f"Usage: {' '.join(('entrepot', *path))} [OPTIONS] COMMAND" in capsys.readouterr().out


NO_DATABASE = "ENTREPOT_DATABASE_URL is not set"
NO_HUB = "for a hub of `entrepot up` give --data-dir DIR"
MISTAKES = {
    "bogus": "No such command 'bogus' (see `entrepot --help`)",
    "keys bogus": "No such command 'bogus' (see `entrepot keys --help`)",
    "up --port 70000": (
        "Invalid value for '--port': Input should be less than or equal to 65535 "
        "(see `entrepot up --help`)"
    ),
    "demo --products -1": (
        "Invalid value for '--products': Input should be greater than or equal to 0 "
        "(see `entrepot demo --help`)"
    ),
    "sandbox easyorder --envelope bag": (
        "Invalid value for '--envelope': Value error, 'bag' is not one of 'array', 'data' "
        "(see `entrepot sandbox easyorder --help`)"
    ),
    "up --data-dir /proc/hub": (
        "/proc/hub cannot be used (No such file or directory): choose another --data-dir"
    ),
    "keys create --tenant x": "Missing option '--name' (see `entrepot keys create --help`)",
    "api": NO_DATABASE,
    "worker": NO_DATABASE,
    "migrate": NO_DATABASE,
    "doctor": f"{NO_DATABASE}; {NO_HUB}",
    "tenants list": f"{NO_DATABASE}; {NO_HUB}",
    "keys list --data-dir nowhere": (
        "there is no hub in nowhere: `entrepot up --data-dir nowhere` makes one"
    ),
    "stores list": (
        "no hub to talk to: give --api-url (or ENTREPOT_API_URL), or run `entrepot up` "
        "(there is no .entrepot/connection.json)"
    ),
    "stores list --api-url hub.example.com --api-key a --api-secret b": (
        "'hub.example.com' is not the address of an API: it begins with https://"
    ),
    "stores list --api-url https://hub.example.com": (
        "give the key to https://hub.example.com with --api-key and --api-secret, "
        "or ENTREPOT_API_KEY and ENTREPOT_API_SECRET"
    ),
    "stores add -c storeUrl": "--config takes FIELD=VALUE, not 'storeUrl'",
    "stores add -c consumerKey=@nowhere": "cannot read nowhere (FileNotFoundError)",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(line.split())
    shown = capsys.readouterr()
    assert (code, shown.out, shown.err) == (2, "", f"entrepot: {MISTAKES[line]}\n")


@pytest.mark.parametrize("command", ["api", "worker", "migrate", "up", "demo", "doctor"])
def test_a_wrong_setting_is_one_line_and_exit_code_2(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", "postgresql://entrepot_app@/hub")
    monkeypatch.setenv("ENTREPOT_LOG_LEVEL", "loud")
    code = run([command])
    shown = capsys.readouterr()
    said = "ENTREPOT_LOG_LEVEL: input should be 'debug', 'info', 'warning' or 'error'"
    assert (code, shown.out) == (2, "")
    assert shown.err.splitlines()[-1] == f"entrepot: {said}"
    assert not list(Path().rglob("connection.json"))


def test_half_a_default_store_is_told_where_the_hub_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WOOCOMMERCE_SITE_URL", "https://shop.example")
    monkeypatch.delenv("ENTREPOT_DATABASE_URL", raising=False)
    code = run(["up"])
    said = capsys.readouterr().err.splitlines()[-1]
    assert code == 2
    assert said.startswith(
        "entrepot: WOOCOMMERCE_CONSUMER_KEY, WOOCOMMERCE_CONSUMER_SECRET not set"
    )
    assert not list(Path().rglob("connection.json"))


def test_a_key_goes_only_to_the_address_it_was_given_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENTREPOT_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ENTREPOT_API_KEY", "ek_a")
    monkeypatch.setenv("ENTREPOT_API_SECRET", "es_a")
    assert run(["stores", "list"]) == 1
    assert capsys.readouterr().err == (
        "entrepot: the API at http://127.0.0.1:9 does not answer (ConnectError): "
        "is `entrepot up` running there?\n"
    )
