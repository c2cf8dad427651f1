"""Which hub an administrator's command is about: the one of the settings, or of a directory."""

import os
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from runtime.cli.errors import CliError
from runtime.cli.options import DEFAULT_DIR
from runtime.connections import connect_temporal
from runtime.embedded.connection import load_connection
from runtime.embedded.keys import KEY_FILE, ensure_key_file
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.settings import PREFIX, Settings, SettingsError, load_settings


@dataclass(frozen=True, slots=True)
class Target:
    """A hub. `data_dir` is None when it is the one of the settings."""

    settings: Settings
    data_dir: Path | None = None

    @property
    def hint(self) -> str:
        """What to do when its servers do not answer."""
        if self.data_dir is None:
            return "see ENTREPOT_DATABASE_URL and TEMPORAL_ADDRESS"
        return f"start it with `entrepot up --data-dir {self.data_dir}`"

    async def connect_temporal(self) -> Client:
        """A client of its Temporal. Raises RuntimeError when that does not answer."""
        connection = None if self.data_dir is None else load_connection(self.data_dir)
        if connection is None:
            return await connect_temporal()
        return await Client.connect(
            connection.temporal_address, data_converter=pydantic_data_converter
        )


def find_target(data_dir: Path | None) -> Target:
    """The hub of `data_dir`; without one that of the settings, else of the default directory.

    Raises:
        CliError: there is no hub in the directory.
        SettingsError: a setting is wrong, or nothing says where the hub is.
    """
    if data_dir is not None:
        return _embedded(data_dir)
    variables = dotenv_values(".env") | os.environ
    default = Path(variables.get(f"{PREFIX}DATA_DIR") or DEFAULT_DIR)
    if not variables.get(f"{PREFIX}DATABASE_URL") and _is_hub(default):
        return _embedded(default)
    try:
        return Target(load_settings())
    except SettingsError as error:
        if variables.get(f"{PREFIX}DATABASE_URL"):
            raise
        raise SettingsError(f"{error}; for a hub of `entrepot up` give --data-dir DIR") from None


def _embedded(data_dir: Path) -> Target:
    if not _is_hub(data_dir):
        raise CliError(
            f"there is no hub in {data_dir}: `entrepot up --data-dir {data_dir}` makes one"
        )
    postgres = EmbeddedPostgres(data_dir)
    given = {
        "environment": "embedded",
        "data_dir": str(data_dir.absolute()),
        "database_url": postgres.app_url,
        "migration_database_url": postgres.owner_url,
        "encryption_key_file": str(ensure_key_file(data_dir.absolute())),
    }
    return Target(load_settings(given=given), data_dir.absolute())


def _is_hub(data_dir: Path) -> bool:
    return (data_dir / KEY_FILE).exists() and (data_dir / "postgres").is_dir()
