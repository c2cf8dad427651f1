"""`make new-provider`: what it writes is a provider by every rule, found without another edit."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers._kit.protocols import Provider
from providers._kit.registry import Registry
from providers._kit.testing.contract import (
    FAULTS,
    Fault,
    check_client,
    check_fault,
    check_form,
    check_manifest,
)
from providers._kit.testing.writes import check_unsupported
from scripts.new_provider import write_provider

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "new_provider.py"


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *args], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    assert run("corner_shop", "--place", str(folder)).returncode == 0
    return folder


@pytest.fixture(scope="module")
def provider(place: Path) -> Iterator[Provider]:
    yield Registry(extra_paths=[place]).get("corner_shop")
    for name in [one for one in sys.modules if one.startswith("providers.corner_shop")]:
        del sys.modules[name]


def test_written_provider_is_found_beside_the_hubs_own(place: Path, provider: Provider) -> None:
    registry = Registry(extra_paths=[place])

    assert "corner_shop" in registry.slugs
    assert provider.manifest.title == "Corner Shop"
    check_manifest(provider, slug="corner_shop")
    check_form(provider)
    check_client(provider)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_written_provider_holds_the_contract(provider: Provider, fault: Fault) -> None:
    await check_fault(provider, fault)
    await check_unsupported(provider)


def test_written_code_passes_the_linter_and_the_formatter(tmp_path: Path) -> None:
    # Lines are as long as the name makes them.
    for name in ("ab", "my_shop", "a_shop_with_a_name_that_is_long"):
        write_provider(name, tmp_path)
    folder, settings = str(tmp_path), str(ROOT / "pyproject.toml")
    # Outside the repository its imports are no first party's: their order is judged inside only.
    linting = ["check", "--no-cache", "--ignore", "I001"]
    for command in (linting, ["format", "--check", "--no-cache"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", settings, folder],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stdout


def test_name_that_is_taken_or_cannot_be_is_refused(place: Path) -> None:
    taken = run("corner_shop", "--place", str(place))
    wrong = run("../evil", "--place", str(place))

    assert (taken.returncode, wrong.returncode) == (2, 2)
    assert "there already" in taken.stderr
    assert "lower case" in wrong.stderr
    assert [one.name for one in place.iterdir()] == ["corner_shop"]
