"""One embedded hub for all tests that need a whole one: a demo, twice, then `entrepot up` on it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runtime.cli.sandbox_shop import SandboxShop
from tests.runtime.cli.processes import Running, run_cli, running_up

SIZE = ("--products", "60", "--orders", "60")


@dataclass(frozen=True)
class Demos:
    """The JSON of two demos in a row."""

    data_dir: Path
    first: dict[str, Any]
    second: dict[str, Any]


@pytest.fixture(scope="session")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Demos:
    """Two demos in one directory; the second is told nothing of the first."""
    data_dir = tmp_path_factory.mktemp("demo") / "hub"
    return Demos(data_dir, _demo(data_dir, *SIZE), _demo(data_dir))


@pytest.fixture(scope="session")
def hub(demos: Demos) -> Iterator[Running]:
    """The demos' hub, running with its shop."""
    with running_up(demos.data_dir, ["--sandbox"]) as running:
        yield running


@pytest.fixture(scope="session")
def shop(hub: Running) -> SandboxShop:
    """The shop beside the hub, as its file tells."""
    told = json.loads((hub.data_dir / "sandbox.json").read_text())
    return SandboxShop.model_validate(told)


def _demo(data_dir: Path, *options: str) -> dict[str, Any]:
    arguments = ("demo", "--once", "--json", "--data-dir", str(data_dir), *options)
    ended = run_cli(*arguments, cwd=data_dir.parent)
    assert ended.returncode == 0, ended.stderr
    return dict(json.loads(ended.stdout))
