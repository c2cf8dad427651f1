"""One embedded hub through its life: a demo, another one, then `entrepot up` on what they left."""

import asyncio
import json
import os
import signal
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime.cli.__main__ import run
from runtime.cli.api_client import ApiAccess, connect
from runtime.cli.demo.verify import Verdict, verify
from runtime.cli.sandbox_shop import SandboxShop
from runtime.embedded.connection import load_connection
from tests.runtime.cli.processes import Running, eventually, run_cli, running_up
from tests.runtime.cli.sandbox_side import live_orders, open_another, operate

CODE = "sandbox"
STORE = 1
ENTITIES = {"categories", "products", "variants", "levels", "customers", "guests", "orders"}
SIZE = ("--products", "60", "--orders", "60")


@dataclass(frozen=True)
class Demos:
    """The JSON of two demos in a row."""

    data_dir: Path
    first: dict[str, Any]
    second: dict[str, Any]


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Demos:
    data_dir = tmp_path_factory.mktemp("demo") / "hub"
    return Demos(data_dir, _demo(data_dir, *SIZE), _demo(data_dir))


@pytest.fixture(scope="module")
def hub(demos: Demos) -> Iterator[Running]:
    with running_up(demos.data_dir, ["--sandbox"]) as running:
        yield running


@pytest.fixture(scope="module")
def shop(hub: Running) -> SandboxShop:
    told = json.loads((hub.data_dir / "sandbox.json").read_text())
    return SandboxShop.model_validate(told)


def _demo(data_dir: Path, *options: str) -> dict[str, Any]:
    arguments = ("demo", "--once", "--json", "--data-dir", str(data_dir), *options)
    ended = run_cli(*arguments, cwd=data_dir.parent)
    assert ended.returncode == 0, ended.stderr
    return dict(json.loads(ended.stdout))


def test_every_record_of_the_shop_is_right_in_the_hub(demos: Demos) -> None:
    assert demos.first["entities"].keys() == ENTITIES
    for counts in demos.first["entities"].values():
        assert counts["sandbox"] == counts["hub"] > 0
        wrong = {name: counts[name] for name in ("missing", "extra", "doubled", "stale")}
        assert wrong == dict.fromkeys(wrong, 0)
    told = ("ok", "unchanged", "differences")
    assert [demos.first[name] for name in told] == [True, False, []]


def test_a_second_demo_finds_everything_unchanged(demos: Demos) -> None:
    assert demos.second["entities"] == demos.first["entities"]
    assert (demos.second["ok"], demos.second["unchanged"]) == (True, True)


def test_a_change_goes_both_ways_in_each_demo(demos: Demos) -> None:
    for told in (demos.first, demos.second):
        assert told["secondsToShop"] > 0
        assert told["secondsFromShop"] > 0
    for one in demos.second["import"].values():
        assert one["seen"] == one["unchanged"] > 0
        assert one["created"] == one["updated"] == one["deleted"] == one["rejected"] == 0


def examine(hub: Running, shop: SandboxShop) -> Verdict:
    async def examining() -> Verdict:
        told = hub.connection
        async with connect(ApiAccess(told["api_url"], told["api_key"], told["api_secret"])) as api:
            return await verify(api, shop, STORE)

    return asyncio.run(examining())


def test_the_connection_file_is_whole_and_private(hub: Running) -> None:
    path = hub.data_dir / "connection.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(hub.connection) == [
        *("api_url", "temporal_address", "temporal_ui_url", "database_url", "api_key"),
        "api_secret",
    ]
    url = hub.connection["api_url"]
    assert hub.ready_line == (
        f"ready: API {url} (docs: {url}/docs), Temporal UI {hub.connection['temporal_ui_url']}, "
        f"key in {path}, shop in {hub.data_dir / 'sandbox.json'}\n"
    )
    health = httpx.get(f"{url}/api/health", trust_env=False).json()
    assert (health["status"], health["environment"]) == ("healthy", "embedded")
    assert httpx.get(hub.connection["temporal_ui_url"], trust_env=False).status_code == 200


def test_files_with_secrets_are_private_and_out_of_version_control(hub: Running) -> None:
    names = ("connection.json", "encryption.key", "hub.json", "sandbox.json")
    modes = {name: stat.S_IMODE((hub.data_dir / name).stat().st_mode) for name in names}
    assert modes == dict.fromkeys(names, 0o600)
    assert (hub.data_dir / ".gitignore").read_text() == "*\n"


def test_a_second_up_is_refused(hub: Running) -> None:
    second = run_cli("up", "--data-dir", str(hub.data_dir), cwd=hub.data_dir.parent)
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == (
        f"entrepot: the hub in {hub.data_dir} is in use by process {hub.process.pid}: "
        "stop that one first, or choose another --data-dir\n"
    )
    assert load_connection(hub.data_dir) is not None


def test_the_doctor_finds_the_running_hub_healthy(
    hub: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["doctor", "--data-dir", str(hub.data_dir)]) == 0
    assert "✓ API keys          1 in force" in capsys.readouterr().out.splitlines()


def test_commands_show_the_store_and_its_runs(
    hub: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = ("--data-dir", str(hub.data_dir))
    assert run(["stores", "list", "--json", *directory]) == 0
    (store,) = json.loads(capsys.readouterr().out)
    assert (store["id"], store["code"], store["syncStatus"]) == (STORE, CODE, "success")
    assert run(["stores", "test", CODE, *directory]) == 0
    assert capsys.readouterr().out == "The store answered and accepts the credentials.\n"
    assert run(["stores", "show", "1", *directory]) == 0
    assert "sync      success\n" in capsys.readouterr().out
    assert run(["syncs", "list", "--store", CODE, "--json", *directory]) == 0
    syncs = json.loads(capsys.readouterr().out)
    imports = [sync["status"] for sync in syncs if sync["workflowId"] == "import/1"]
    assert imports == ["success"] * 2
    assert run(["syncs", "cancel", CODE, *directory]) == 2
    assert capsys.readouterr().err == (
        "entrepot: import/1 is not running, so there is nothing to cancel. (HTTP 409)\n"
    )


def test_the_comparison_sees_what_is_right_and_what_is_not(
    hub: Running, shop: SandboxShop, capsys: pytest.CaptureFixture[str]
) -> None:
    before = examine(hub, shop)
    assert before.differences == []
    assert before.is_right
    held = before.tallies["orders"]
    orders = live_orders(shop)
    operate(shop, op="edit", entity="orders", ids=[orders[0]], data={"customer_note": "new"})
    operate(shop, op="delete", entity="orders", ids=[orders[1]])
    operate(shop, op="create", entity="orders", count=1, seed=1)

    after = examine(hub, shop)
    assert not after.is_right
    assert after.tallies["orders"] == replace(held, missing=1, extra=1, stale=1)
    assert f"orders stale {orders[0]}: customer_note is '' instead of 'new'" in after.differences

    assert run(["stores", "import", CODE, "--watch", "--data-dir", str(hub.data_dir)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1].startswith("The import of Sandbox shop is done: ")
    assert examine(hub, shop).differences == []


@pytest.fixture
def another_shop() -> Iterator[dict[str, str]]:
    with open_another() as form:
        yield form


def test_a_store_is_connected_by_a_command_and_watched(
    hub: Running,
    shop: SandboxShop,
    another_shop: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret.txt"

    def add(code: str, form: Mapping[str, str]) -> int:
        secret.write_text(f"{form['consumerSecret']}\n")
        told = {**form, "consumerSecret": f"@{secret}"}
        fields = [word for name, value in told.items() for word in ("-c", f"{name}={value}")]
        shop_of = ("--name", "Shop", "--provider", "woocommerce", "--code", code)
        return run(["stores", "add", *shop_of, *fields, *directory])

    directory = ("--data-dir", str(hub.data_dir))
    assert add(CODE, another_shop) == 2
    assert capsys.readouterr().err.startswith("entrepot: There is a store with the code 'sandbox'")
    assert add("two", shop.form) == 2
    assert capsys.readouterr().err.startswith("entrepot: This shop is store 1 already. ")
    assert add("two", another_shop) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Connected Shop as store 2 (two).\nImporting it: ")
    assert another_shop["consumerSecret"] not in shown
    assert run(["syncs", "watch", "two", *directory]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("The import of Shop is done: ")
    assert run(["schedules", "run", "two", *directory]) == 0
    capsys.readouterr()
    assert run(["syncs", "watch", "sync/2", *directory]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "sync/2 is over, success."


def test_a_store_is_given_schedules_by_commands(
    hub: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = ("--data-dir", str(hub.data_dir))
    times = ("--pull", "900", "--reconcile", "0 3 * * *", "--time-zone", "Asia/Colombo")
    assert run(["schedules", "set", CODE, *times, *directory]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "pull\tPT15M\t-",
        "reconcile\t0 3 * * *\tAsia/Colombo",
    ]
    assert run(["schedules", "pause", CODE, *directory]) == 0
    assert "They are paused" in capsys.readouterr().out
    assert run(["schedules", "show", CODE, "--json", *directory]) == 0
    assert json.loads(capsys.readouterr().out)["paused"] is True
    assert run(["schedules", "resume", CODE, *directory]) == 0
    capsys.readouterr()
    assert run(["schedules", "run", CODE, *directory]) == 0
    assert capsys.readouterr().out.startswith(f"sync/{STORE} runs; ")
    for wrong in ((), ("--pull", "now and then"), ("--pull", "61 * * * *")):
        assert run(["schedules", "set", CODE, *wrong, *directory]) == 2
        told = capsys.readouterr().err
        assert told.startswith("entrepot: ")
        assert told.count("/pull") <= 1


def test_the_master_key_is_replaced_while_everything_runs(
    hub: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = ("--data-dir", str(hub.data_dir))
    before, children = (hub.data_dir / "encryption.key").read_text(), hub.children()
    assert run(["keys", "rotate-master", *directory]) == 0
    said = capsys.readouterr().out
    assert "Made a new master key" in said
    assert "stores: " in said
    assert "Nothing is left under an old key" in said
    newest, kept = (hub.data_dir / "encryption.key").read_text().splitlines()
    assert (kept, newest != kept) == (before.strip(), True)
    assert newest not in said
    # The worker opens what the command sealed, and was not started anew.
    assert run(["stores", "test", CODE, *directory]) == 0
    assert hub.children() == children


def test_parts_that_are_killed_come_back(hub: Running) -> None:
    before = hub.children()
    assert len(before) == 6
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def works() -> bool:
        told = hub.connection
        try:
            answer = httpx.post(
                f"{told['api_url']}/api/stores/{STORE}/test-connection",
                headers={"X-API-Key": told["api_key"], "X-API-Secret": told["api_secret"]},
                timeout=30,
                trust_env=False,
            )
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and bool(answer.json()["connected"])

    assert eventually(works)
    after = hub.children()
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())


def test_ctrl_c_stops_everything_and_keeps_the_data(hub: Running) -> None:
    children = hub.children().values()
    hub.process.send_signal(signal.SIGINT)
    assert hub.process.wait(30) == 0
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
    assert not (hub.data_dir / "connection.json").exists()
    assert (hub.data_dir / "postgres" / "PG_VERSION").exists()
