"""Where Temporal is, as the SDK's own variables say."""

import os
from pathlib import Path

import pytest

from runtime.connections import connect_temporal, temporal_config
from runtime.settings import SettingsError


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def test_without_variables_it_is_the_local_server() -> None:
    assert temporal_config(None) == {"target_host": "localhost:7233"}


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("TEMPORAL_ADDRESS=file:1\nTEMPORAL_NAMESPACE=shop\n")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "environment:2")
    assert temporal_config(env_file) == {"target_host": "environment:2", "namespace": "shop"}


def test_an_api_key_brings_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_API_KEY", "key")
    config = temporal_config(None)
    assert (config["api_key"], config["tls"]) == ("key", True)


def test_a_broken_configuration_file_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "temporal.toml"
    broken.write_text("[profile.default\n")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(broken))
    with pytest.raises(SettingsError, match=r"^TEMPORAL_\* variables: .*"):
        temporal_config(None)


async def test_a_lazy_client_needs_no_server() -> None:
    client = await connect_temporal(None, lazy=True)
    assert client.namespace == "default"


async def test_a_client_reaches_the_server_and_namespace_of_the_variables(
    temporal_address: str, temporal_namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", temporal_namespace)
    client = await connect_temporal(None)
    assert client.namespace == temporal_namespace
    assert (await client.count_workflows()).count == 0
