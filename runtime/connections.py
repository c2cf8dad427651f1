"""How this process reaches Temporal: by the SDK's own environment configuration."""

import os
from pathlib import Path

from dotenv import dotenv_values
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfigProfile, ClientConnectConfig

from runtime.settings import SettingsError

_DEFAULT_ADDRESS = "localhost:7233"


def temporal_config(env_file: Path | None = Path(".env")) -> ClientConnectConfig:
    """What the `TEMPORAL_*` variables say; the environment wins over the file.

    Raises:
        SettingsError: they contradict each other, or name a file that cannot be read.
    """
    in_file = dotenv_values(env_file) if env_file is not None else {}
    variables = {name: value for name, value in in_file.items() if value is not None} | os.environ
    try:
        config = ClientConfigProfile.load(override_env_vars=variables).to_client_connect_config()
    except (RuntimeError, ValueError) as error:
        raise SettingsError(f"TEMPORAL_* variables: {error}") from None
    config.setdefault("target_host", _DEFAULT_ADDRESS)
    return config


async def connect_temporal(env_file: Path | None = Path(".env"), *, lazy: bool = False) -> Client:
    """A client that speaks pydantic.

    Args:
        env_file: a file of variables besides the environment.
        lazy: connect on first use, so that a Temporal server that is down does not keep us from
            starting.

    Raises:
        SettingsError: the variables are wrong.
        RuntimeError: the server does not answer (unless lazy).
    """
    return await Client.connect(
        **temporal_config(env_file), data_converter=pydantic_data_converter, lazy=lazy
    )
